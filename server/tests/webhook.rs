//! The application's own server is told who comes and goes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

#[cfg(unix)]
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Router, serve};
#[cfg(unix)]
use common::binary::{Binary, command, stderr_of};
#[cfg(unix)]
use common::person::Person;
use common::scrape::Scrape;
use common::{KEY, SECRET, TestServer};
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
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

    /// To a server that may have been killed meanwhile.
    fn answer(self, status: StatusCode) {
        let _ = self.answer.send(status);
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
async fn whoever_is_deleted_for_good_is_told_as_gone() {
    let mut hook = Hook::listen().await;
    let server = hook.server().await;
    let _ada = server.connect("ada").await;
    let came = hook.call().await;
    assert_eq!(came.says(), ("ada", true));
    came.answer(StatusCode::OK);
    server.server_side(Method::DELETE, "/users/ada?hard_delete=true", Value::Null).await;
    let gone = hook.call().await;
    assert_eq!(gone.says(), ("ada", false));
    gone.answer(StatusCode::OK);
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
async fn users_whose_deliveries_hang_hold_nobody_else_up() {
    let mut hook = Hook::listen().await;
    let server = hook.server().await;
    let (mut crowd, mut hanging) = (Vec::new(), Vec::new());
    for n in 0..24 {
        crowd.push(server.connect(&format!("hanging-{n}")).await);
        hanging.push(hook.call().await);
    }
    let _ada = server.connect("ada").await;
    let told = hook.call().await;
    assert_eq!(told.says(), ("ada", true));
    assert!(hanging.iter().all(|call| !call.answer.is_closed()), "before any of them times out");
    told.answer(StatusCode::OK);
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
async fn a_server_that_stops_tries_what_waits_once_more_and_the_next_tells_the_rest() {
    let mut hook = Hook::listen().await;
    let directory = tempfile::tempdir().unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--webhook-url", &hook.url.clone(), "--shutdown-timeout", "3s"];
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
    let mut tried = BTreeMap::new();
    let (status, log) = loop {
        let call = tokio::select! {
            end = &mut end => break end,
            call = hook.call() => call,
        };
        let (user, id) = (call.says().0.to_owned(), call.header("x-webhook-id").to_owned());
        call.answer(if user == "bob" { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR });
        tried.insert(user, id);
    };
    assert!(tried.keys().eq(["ada", "bob", "carol"]), "{tried:?}");
    assert!(status.success(), "{status}");
    let left: Vec<_> = log.lines().filter(|line| line.contains("the next start tells it")).collect();
    assert!(matches!(left[..], [line] if line.contains("users=2")), "{log}");

    let _server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    tried.remove("bob");
    let mut told = BTreeMap::new();
    for _ in 0..2 {
        let call = hook.call().await;
        told.insert(call.says().0.to_owned(), call.header("x-webhook-id").to_owned());
        call.answer(StatusCode::OK);
    }
    assert_eq!(told, tried);
}

#[cfg(unix)]
#[tokio::test]
async fn what_the_application_was_not_told_before_a_crash_it_is_told_once_after() {
    let mut hook = Hook::listen().await;
    let directory = tempfile::tempdir().unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--webhook-url", &hook.url.clone(), "--offline-grace", "500ms"];
    let server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let mut people = BTreeMap::new();
    for user in ["ada", "carol"] {
        people.insert(user, Person::connect_at(&server.address, json!({ "id": user }), "").await);
        hook.call().await.answer(StatusCode::OK);
    }
    // Neither of these is answered before the end.
    people.insert("bob", Person::connect_at(&server.address, json!({ "id": "bob" }), "").await);
    let came = hook.call().await;
    people.remove("carol").unwrap().says_goodbye().await;
    let went = hook.call().await;
    let id_of = |call: &Call| call.header("x-webhook-id").to_owned();
    let untold = BTreeMap::from([(("bob", true), id_of(&came)), (("carol", false), id_of(&went))]);
    assert_eq!((came.says(), went.says()), (("bob", true), ("carol", false)));
    server.signal("-KILL").await;
    server.ended().await;

    let server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let mut told = BTreeMap::new();
    let told_of = |call: Call, told: &mut BTreeMap<(String, bool), String>| {
        let (user, online) = call.says();
        let again = told.insert((user.to_owned(), online), id_of(&call));
        assert_eq!(again, None, "{user} is told twice");
        call.answer(StatusCode::OK);
    };
    while told.len() < 4 {
        told_of(hook.call().await, &mut told);
    }
    let ids: BTreeSet<_> = told.values().cloned().collect();
    assert_eq!(ids.len(), 4);
    for ((user, online), id) in untold {
        assert_eq!(told.get(&(user.to_owned(), online)), Some(&id), "{user}: {told:?}");
    }
    let gone = ["ada", "bob", "carol"].map(|user| told.contains_key(&(user.to_owned(), false)));
    assert_eq!(gone, [true; 3], "{told:?}");

    // And that is all: nothing is left for one more start.
    server.signal("-TERM").await;
    server.ended().await;
    let server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let _dave = Person::connect_at(&server.address, json!({ "id": "dave" }), "").await;
    assert_eq!(hook.call().await.says(), ("dave", true));
}
