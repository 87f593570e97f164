//! The client for apps in Rust.

use std::cell::RefCell;
use std::rc::Rc;

use super::story::Story;
use rollcall::client::{Client, Code, Freshness, Status, Token, User};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use wasm_bindgen_test::*;

/// A client of the story's network, connected as john with a token that is fetched.
async fn connected(story: &Story) -> Client {
    let client = Client::new("key", "http://presence.test").expect("a client");
    let token = client.dev_token("john").expect("a token");
    assert!(format!("{token:?}").contains("devtoken"));
    let fetched = Token::fetched(|| async { Ok("a.b.c".to_owned()) });
    let user = User { status: Some("Lunch".to_owned()), ..User::from("john") };
    let greet = story.run(
        "await network.until(() => network.socket);
         const { searchParams } = network.socket.url;
         network.socket.greet({ id: 'john', online: true });
         return [searchParams.get('authorization'), JSON.parse(searchParams.get('json')).user_details]",
    );
    let connecting = client.clone();
    let connecting = future_to_promise(async move {
        connecting.connect_user(user, fetched).await.map_err(|error| error.message)?;
        Ok(JsValue::UNDEFINED)
    });
    assert_eq!(greet.await, r#"["a.b.c",{"id":"john","status":"Lunch"}]"#);
    JsFuture::from(connecting).await.expect("a connection");
    client
}

#[wasm_bindgen_test]
async fn an_app_in_rust_watches_until_it_lets_go() {
    let story = Story::new();
    let client = connected(&story).await;
    story
        .run(
            "network.answers['/users'] = () => ({ users: [
                { id: 'jack', online: true, status: 'Tea', last_active: '1970-01-01T00:00:01Z' }] })",
        )
        .await;
    let states = Rc::new(RefCell::new(Vec::new()));
    let seen = states.clone();
    let connection = client.on_connection(move |connection| seen.borrow_mut().push(connection.status));
    let watch = client.watch_presence(["jack", "nobody"]).await.expect("a watch");
    let jack = watch.get("jack");
    assert!(jack.online);
    assert_eq!((jack.status.as_deref(), jack.freshness), (Some("Tea"), Freshness::Live));
    assert_eq!(jack.last_active, Some(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1)));
    assert_eq!(watch.get("nobody").freshness, Freshness::Unknown);

    let heard = Rc::new(RefCell::new(Vec::new()));
    let told = heard.clone();
    let subscription = watch.on_change(move |presence| told.borrow_mut().push((presence.id, presence.online)));
    let leave = "network.socket.say({ type: 'user.presence.changed', user: { id: 'jack', online: false } })";
    story.run(leave).await;
    drop(subscription);
    story.run("network.socket.say({ type: 'user.presence.changed', user: { id: 'jack', online: true } })").await;
    assert_eq!(*heard.borrow(), [("jack".to_owned(), false)]);

    assert_eq!(client.connection().status, Status::Connected);
    client.disconnect_user().await.expect("a goodbye");
    assert_eq!(*states.borrow(), [Status::Disconnected]);
    drop((watch, connection));
}

#[wasm_bindgen_test]
async fn what_goes_wrong_has_a_code() {
    let story = Story::new();
    let refused = Client::new("key", "presence.test").err().expect("an error");
    assert!(refused.code == Code::INVALID_ARGUMENT && !refused.retryable);
    let client = Client::new("key", "http://presence.test").expect("a client");
    for code in [
        client.watch_presence(["jack"]).await.err().map(|error| error.code),
        client.set_status(Some("Lunch")).await.err().map(|error| error.code),
        client.mark_invisible().await.err().map(|error| error.code),
    ] {
        assert_eq!(code, Some(Code::Client(Code::NOT_CONNECTED.to_owned())));
    }
    let foreign = client.dev_token("jack").expect("a token");
    let mismatch = client.connect_user("john", foreign).await.expect_err("another user's token");
    assert!(mismatch.code == Code::TOKEN_MISMATCH, "{mismatch}");
    drop(story);
}
