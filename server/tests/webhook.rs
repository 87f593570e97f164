//! The application's own server is told who comes and goes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

#[cfg(unix)]
use std::collections::BTreeSet;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Router, serve};
#[cfg(unix)]
use common::binary::{Binary, command, stderr_of};
use common::scrape::Scrape;
use common::{KEY, SECRET, TestServer};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// A request that waits for its answer.
struct Call {
    headers: HeaderMap,
    event: Value,
    body: String,
    answer: oneshot::Sender<StatusCode>,
}

impl Call {
    fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    fn says(&self) -> (&str, bool) {
        assert_eq!(self.event["type"], "user.presence.changed", "{}", self.event);
        (self.event["user"]["id"].as_str().unwrap(), self.event["user"]["online"].as_bool().unwrap())
    }

    fn answer(self, status: StatusCode) {
        self.answer.send(status).unwrap();
    }
}

/// The application's own server.
struct Hook {
    calls: mpsc::UnboundedReceiver<Call>,
    url: String,
}

impl Hook {
    async fn listen() -> Self {
        async fn take(
            State(calls): State<mpsc::UnboundedSender<Call>>,
            headers: HeaderMap,
            body: String,
        ) -> StatusCode {
            let (answer, answered) = oneshot::channel();
            let event = serde_json::from_str(&body).unwrap();
            calls.send(Call { headers, event, body, answer }).unwrap();
            answered.await.unwrap()
        }
        let (sender, calls) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(serve(listener, Router::new().route("/hook", post(take)).with_state(sender)).into_future());
        Self { calls, url }
    }

    async fn call(&mut self) -> Call {
        timeout(PATIENCE, self.calls.recv()).await.expect("a call in time").unwrap()
    }

    async fn server(&self) -> TestServer {
        TestServer::with(&["--webhook-url", &self.url]).await
    }
}

#[tokio::test]
async fn every_flip_is_told_signed_and_in_order() {
    let mut hook = Hook::listen().await;
    let server = hook.server().await;
    let ada = server.connect("ada").await;
    let came = hook.call().await;
    assert_eq!(came.says(), ("ada", true));
    assert_eq!(came.header("x-api-key"), KEY);
    assert_eq!(came.header("x-webhook-attempt"), "1");
    let mut key = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    key.update(came.body.as_bytes());
    let signature: String = key.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(came.header("x-signature"), signature);

    // Her goodbye waits until her arrival was taken.
    ada.says_goodbye().await;
    assert!(hook.calls.try_recv().is_err());
    let first = came.header("x-webhook-id").to_owned();
    came.answer(StatusCode::OK);
    let went = hook.call().await;
    assert_eq!(went.says(), ("ada", false));
    assert_ne!(went.header("x-webhook-id"), first);
    went.answer(StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn whoever_hides_is_told_as_gone_and_no_profile_is_told() {
    let mut hook = Hook::listen().await;
    let server = hook.server().await;
    let _shy = server.connect_as(json!({ "id": "shy", "invisible": true })).await;
    let ada = server.connect("ada").await;
    let first = hook.call().await;
    assert_eq!(first.says(), ("ada", true));
    first.answer(StatusCode::OK);
    ada.upsert(json!({ "status": "busy" })).await;
    ada.upsert(json!({ "invisible": true })).await;
    let hid = hook.call().await;
    assert_eq!(hid.says(), ("ada", false));
    assert!(hid.event["user"].get("invisible").is_none(), "{}", hid.event);
    hid.answer(StatusCode::OK);
}

#[tokio::test]
async fn a_delivery_that_failed_is_tried_again_under_the_same_id() {
    let mut hook = Hook::listen().await;
    let server = hook.server().await;
    let _ada = server.connect("ada").await;
    let first = hook.call().await;
    let id = first.header("x-webhook-id").to_owned();
    let waits = Scrape::of(&server).await;
    assert_eq!(waits.get("rollcall_webhooks_waiting"), 1.0);
    assert!(waits.get("rollcall_webhooks_oldest_age_seconds") > 0.0);
    // Somebody else's flip does not wait for hers.
    let _bob = server.connect("bob").await;
    let other = hook.call().await;
    assert_eq!(other.says(), ("bob", true));
    other.answer(StatusCode::OK);
    first.answer(StatusCode::BAD_GATEWAY);
    let second = hook.call().await;
    assert_eq!(second.says(), ("ada", true));
    assert_eq!((second.header("x-webhook-id"), second.header("x-webhook-attempt")), (id.as_str(), "2"));
    second.answer(StatusCode::OK);
    let told = Scrape::until(&server, |now| now.get("rollcall_webhooks_delivered_total") == 2.0).await;
    assert_eq!(told.get("rollcall_webhooks_retried_total"), 1.0);
    Scrape::until(&server, |now| now.get("rollcall_webhooks_waiting") == 0.0).await;
}

/// More than the deliveries that can be under way at once.
#[tokio::test]
async fn users_whose_deliveries_fail_hold_nobody_else_up() {
    let mut hook = Hook::listen().await;
    let server = hook.server().await;
    let mut poisoned = Vec::new();
    for n in 0..12 {
        poisoned.push(server.connect(&format!("poisoned-{n}")).await);
    }
    let _ada = server.connect("ada").await;
    let told = async {
        loop {
            let call = hook.call().await;
            if call.says() == ("ada", true) {
                return call.answer(StatusCode::OK);
            }
            call.answer(StatusCode::INTERNAL_SERVER_ERROR);
        }
    };
    timeout(PATIENCE, told).await.expect("ada is told in time");
}

#[tokio::test]
async fn an_application_that_was_down_is_told_how_things_are() {
    let mut hook = Hook::listen().await;
    let server = hook.server().await;
    let mut bob = server.connect("bob").await;
    hook.call().await.answer(StatusCode::OK);
    server.knows(&["ada"]).await;
    bob.watch_users(&["ada"]).await;

    let ada = server.connect("ada").await;
    let first = hook.call().await;
    ada.says_goodbye().await;
    let ada = server.connect("ada").await;
    ada.says_goodbye().await;
    for online in [true, false, true, false] {
        assert_eq!(bob.sees().await, ("ada".to_owned(), online));
    }
    first.answer(StatusCode::SERVICE_UNAVAILABLE);
    let last = hook.call().await;
    assert_eq!(last.says(), ("ada", false));
    assert_eq!(last.header("x-webhook-attempt"), "1");
    last.answer(StatusCode::OK);
    // And nothing of what was between.
    let _carol = server.connect("carol").await;
    assert_eq!(hook.call().await.says(), ("carol", true));
}

#[tokio::test]
async fn a_delivery_that_is_refused_is_not_repeated() {
    let mut hook = Hook::listen().await;
    let server = hook.server().await;
    let ada = server.connect("ada").await;
    hook.call().await.answer(StatusCode::BAD_REQUEST);
    ada.says_goodbye().await;
    let next = hook.call().await;
    assert_eq!(next.says(), ("ada", false));
    next.answer(StatusCode::OK);
    Scrape::until(&server, |now| now.get("rollcall_webhooks_failed_total") == 1.0).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_server_that_stops_tries_what_waits_once_more_and_says_what_is_lost() {
    let mut hook = Hook::listen().await;
    let directory = tempfile::tempdir().unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--webhook-url", &hook.url, "--shutdown-timeout", "3s"];
    let server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let mut people = Vec::new();
    for user in ["ada", "bob", "carol"] {
        people.push(common::Person::connect_at(&server.address, json!({ "id": user }), "").await);
    }
    // Far enough that the next attempt by itself would come too late.
    let mut failing = 0;
    while failing < people.len() {
        let call = hook.call().await;
        failing += usize::from(call.header("x-webhook-attempt") == "4");
        call.answer(StatusCode::INTERNAL_SERVER_ERROR);
    }
    server.signal("-TERM").await;
    let mut end = std::pin::pin!(stderr_of(server.child));
    let mut tried = BTreeSet::new();
    let (status, log) = loop {
        let call = tokio::select! {
            end = &mut end => break end,
            call = hook.call() => call,
        };
        let user = call.says().0.to_owned();
        call.answer(if user == "bob" { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR });
        tried.insert(user);
    };
    assert_eq!(tried, ["ada", "bob", "carol"].map(String::from).into());
    assert!(status.success(), "{status}");
    let lost: Vec<_> = log.lines().filter(|line| line.contains("flips are lost")).collect();
    assert!(matches!(lost[..], [line] if line.contains("users=2")), "{log}");
}
