//! Events that share a frame, for those who asked for it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::time::Duration;

use common::{Person, TestServer};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep_until};

/// How much later than it is sent an event may come on a machine that is busy with other things.
const SLACK: Duration = Duration::from_secs(3);

/// Ada's second page, which watches Bob and Eve and asks for these extensions. That she is there has
/// been told before, so that the first event it gets is about others.
async fn watcher(server: &TestServer, first: &mut Person, extensions: &str) -> Person {
    first.all_so_far().await;
    let page = Person::connect_asking(server, json!({ "id": first.id }), extensions).await;
    page.watch_users(&["bob", "eve"]).await;
    page
}

/// What happened, in short.
fn short(event: &Value) -> (&str, &str, bool) {
    let user = &event["user"];
    (event["type"].as_str().unwrap(), user["id"].as_str().unwrap(), user["online"].as_bool().unwrap())
}

const FLIP: &str = "user.presence.changed";

#[tokio::test]
async fn the_first_goes_out_at_once_and_those_that_follow_share_a_frame() {
    let server = TestServer::with(&["--batch-window", "1h", "--drain-window", "0s"]).await;
    server.knows(&["bob", "eve"]).await;
    let mut ada = server.connect("ada").await;
    let mut plain = watcher(&server, &mut ada, "").await;
    let mut page = watcher(&server, &mut ada, "batch").await;

    let mut bob = server.connect("bob").await;
    assert_eq!(short(&page.next_event().await), (FLIP, "bob", true));
    assert_eq!(plain.sees().await, ("bob".to_owned(), true));

    let eve = server.connect("eve").await;
    assert_eq!(plain.sees().await, ("eve".to_owned(), true));
    bob.says_goodbye().await;
    assert_eq!(plain.sees().await, ("bob".to_owned(), false));
    bob = server.connect("bob").await;
    assert_eq!(plain.sees().await, ("bob".to_owned(), true));
    bob.upsert(json!({ "status": "here" })).await;
    assert_eq!(short(&plain.next_event().await), ("user.updated", "bob", true));
    eve.says_goodbye().await;
    assert_eq!(plain.sees().await, ("eve".to_owned(), false));

    // A connection that ends is told all that it has to be told.
    let frame = async {
        let frame = page.next_event().await;
        assert_eq!(page.hears_close().await, Some(1001));
        frame
    };
    let (frame, ()) = tokio::join!(frame, server.stop());
    let events: Vec<_> = frame.as_array().unwrap().iter().map(short).collect();
    assert_eq!(events, [(FLIP, "bob", true), ("user.updated", "bob", true), (FLIP, "eve", false)]);
}

#[tokio::test]
async fn a_lone_event_does_not_wait_and_no_other_longer_than_the_window() {
    const WINDOW: Duration = Duration::from_secs(4);
    let server = TestServer::with(&["--batch-window", "4s"]).await;
    server.knows(&["bob", "eve"]).await;
    let mut ada = server.connect("ada").await;
    let mut page = watcher(&server, &mut ada, "batch").await;
    let mut quiet_until = Instant::now();
    for _ in 0..2 {
        sleep_until(quiet_until).await;
        let alone = Instant::now();
        let bob = server.connect("bob").await;
        assert_eq!(page.sees().await, ("bob".to_owned(), true));
        assert!(alone.elapsed() < SLACK, "a lone event came after {:?}", alone.elapsed());

        // The window began when the first event went out, which was after `alone`.
        let following = Instant::now();
        bob.says_goodbye().await;
        assert_eq!(page.sees().await, ("bob".to_owned(), false));
        assert!(alone.elapsed() >= WINDOW, "one came within the window, after {:?}", alone.elapsed());
        assert!(following.elapsed() < WINDOW + SLACK, "one was held for {:?}", following.elapsed());
        quiet_until = Instant::now() + WINDOW;
    }
}

#[tokio::test]
async fn nothing_waits_longer_than_the_client_says() {
    let server = TestServer::with(&["--batch-window", "1h"]).await;
    server.knows(&["bob", "eve"]).await;
    let mut ada = server.connect("ada").await;
    let mut page = watcher(&server, &mut ada, "batch:50").await;
    assert_eq!(page.hello["rollcall"], json!(["batch"]));
    for _ in 0..3 {
        let mut flip = Instant::now();
        let bob = server.connect("bob").await;
        assert_eq!(page.sees().await, ("bob".to_owned(), true));
        assert!(flip.elapsed() < SLACK, "a flip came after {:?}", flip.elapsed());
        flip = Instant::now();
        bob.says_goodbye().await;
        assert_eq!(page.sees().await, ("bob".to_owned(), false));
        assert!(flip.elapsed() < SLACK, "a flip came after {:?}", flip.elapsed());
    }
}

#[tokio::test]
async fn a_server_without_batches_grants_none() {
    let server = TestServer::with(&["--batch-window", "off"]).await;
    server.knows(&["bob", "eve"]).await;
    let mut ada = server.connect("ada").await;
    let mut page = watcher(&server, &mut ada, "batch:1000,pages").await;
    assert_eq!(page.hello["rollcall"], json!(["pages"]));
    let bob = server.connect("bob").await;
    bob.says_goodbye().await;
    assert_eq!(short(&page.next_event().await), (FLIP, "bob", true));
    assert_eq!(short(&page.next_event().await), (FLIP, "bob", false));
}

#[tokio::test]
async fn a_reader_is_not_taken_for_slow_because_events_wait() {
    let server = TestServer::with(&["--batch-window", "1h", "--event-queue", "8"]).await;
    server.knows(&["bob", "eve"]).await;
    let mut ada = server.connect("ada").await;
    let mut page = watcher(&server, &mut ada, "batch").await;
    let bob = server.connect("bob").await;
    assert_eq!(page.sees().await, ("bob".to_owned(), true));
    for round in 0..3 {
        for number in 0..4 {
            bob.upsert(json!({ "status": format!("{round} {number}") })).await;
        }
        let frame = page.next_event().await;
        let statuses: Vec<_> =
            frame.as_array().unwrap().iter().map(|event| event["user"]["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, (0..4).map(|number| format!("{round} {number}")).collect::<Vec<_>>());
    }
}
