//! Presence where no socket comes through.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::collections::VecDeque;

use common::{TestServer, user_token};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Somebody who polls, as the official SDK does when its socket fails.
struct Poller<'a> {
    server: &'a TestServer,
    user: String,
    connection_id: String,
    hello: Value,
    heard: VecDeque<Value>,
}

impl<'a> Poller<'a> {
    async fn open(server: &'a TestServer, user: &str) -> Self {
        let json = json!({ "user_id": user, "user_details": { "id": user } }).to_string();
        let (status, reply) = longpoll(server, user, &[("json", &json)]).await;
        assert_eq!(status, StatusCode::OK, "{reply}");
        let hello = reply["event"].clone();
        let connection_id = hello["connection_id"].as_str().unwrap().to_owned();
        Self { server, user: user.to_owned(), connection_id, hello, heard: VecDeque::new() }
    }

    /// The next event of this type, from this poll or a later one.
    async fn hears(&mut self, kind: &str) -> Value {
        loop {
            while let Some(event) = self.heard.pop_front() {
                if event["type"] == kind {
                    return event;
                }
            }
            let query = [("connection_id", &*self.connection_id)];
            let (status, reply) = longpoll(self.server, &self.user, &query).await;
            assert_eq!(status, StatusCode::OK, "{reply}");
            self.heard.extend(reply["events"].as_array().unwrap().iter().cloned());
        }
    }

    async fn close(&self) -> StatusCode {
        let query = [("close", "true"), ("connection_id", &*self.connection_id)];
        longpoll(self.server, &self.user, &query).await.0
    }
}

async fn longpoll(server: &TestServer, user: &str, query: &[(&str, &str)]) -> (StatusCode, Value) {
    let mut path = reqwest::Url::parse("http://x/longpoll").unwrap();
    path.query_pairs_mut().append_pair("user_id", user).extend_pairs(query);
    let path = format!("/longpoll?{}", path.query().unwrap());
    server.request(&user_token(user), Method::GET, &path, Value::Null).await
}

#[tokio::test]
async fn who_polls_is_as_present_as_who_has_a_socket() {
    let server = TestServer::start().await;
    server.knows(&["bob"]).await;
    let mut ada = server.connect("ada").await;
    ada.watch_users(&["bob"]).await;
    let bob = Poller::open(&server, "bob").await;
    assert_eq!(bob.hello["type"], "health.check");
    assert_eq!(bob.hello["me"]["id"], "bob");
    assert_eq!(ada.sees().await, ("bob".to_owned(), true));
    assert_eq!(bob.close().await, StatusCode::OK);
    assert_eq!(ada.sees().await, ("bob".to_owned(), false));
}

#[tokio::test]
async fn events_come_with_the_next_poll_or_end_its_wait() {
    let server = TestServer::start().await;
    server.knows(&["bob"]).await;
    let mut ada = Poller::open(&server, "ada").await;
    let presence =
        json!({ "filter_conditions": { "id": "bob" }, "presence": true, "connection_id": ada.connection_id });
    let mut path = reqwest::Url::parse("http://x/users").unwrap();
    path.query_pairs_mut().append_pair("payload", &presence.to_string());
    let path = format!("/users?{}", path.query().unwrap());
    let (status, _) = server.request(&user_token("ada"), Method::GET, &path, Value::Null).await;
    assert_eq!(status, StatusCode::OK);

    // One that happened between two polls.
    let bob = server.connect("bob").await;
    assert_eq!(ada.hears("user.presence.changed").await["user"]["id"], "ada");
    let came = ada.hears("user.presence.changed").await;
    assert_eq!((&came["user"]["id"], &came["user"]["online"]), (&json!("bob"), &json!(true)));
    // One that happens during a poll.
    let (left, ()) = tokio::join!(ada.hears("user.presence.changed"), bob.says_goodbye());
    assert_eq!((&left["user"]["id"], &left["user"]["online"]), (&json!("bob"), &json!(false)));
}

#[tokio::test]
async fn a_session_that_ended_or_is_another_s_is_not_found() {
    let server = TestServer::start().await;
    let ada = Poller::open(&server, "ada").await;
    let (status, error) = longpoll(&server, "bob", &[("connection_id", &ada.connection_id)]).await;
    assert_eq!((status, &error["code"]), (StatusCode::BAD_REQUEST, &json!(46)));
    ada.close().await;
    let (status, error) = longpoll(&server, "ada", &[("connection_id", &ada.connection_id)]).await;
    assert_eq!((status, &error["code"]), (StatusCode::BAD_REQUEST, &json!(46)));
}

#[tokio::test]
async fn a_goodbye_without_a_session_opens_none() {
    let server = TestServer::start().await;
    server.knows(&["bob"]).await;
    let (status, reply) = longpoll(&server, "bob", &[("close", "true")]).await;
    assert_eq!((status, reply.get("event")), (StatusCode::OK, None));
    let bob = server.server_side(
        Method::GET,
        "/users?payload=%7B%22filter_conditions%22:%7B%22id%22:%22bob%22%7D%7D",
        Value::Null,
    );
    assert_eq!(bob.await["users"][0]["online"], false);
}

#[tokio::test]
async fn a_restart_of_the_server_ends_polls_too() {
    let server = TestServer::start().await;
    let mut ada = Poller::open(&server, "ada").await;
    ada.hears("user.presence.changed").await;
    let id = ada.connection_id.clone();
    let server = server.restart().await;
    let (status, error) = longpoll(&server, "ada", &[("connection_id", &id)]).await;
    assert_eq!((status, &error["code"]), (StatusCode::BAD_REQUEST, &json!(46)));
}
