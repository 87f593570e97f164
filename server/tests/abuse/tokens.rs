//! Tokens that let nobody in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::person::{next_frame, open};
use crate::common::{SECRET, TestServer, signed, token, user_token};
use crate::{assert_documented, assert_serves_others};

fn hs256(claims: Value) -> String {
    signed(json!({ "alg": "HS256", "typ": "JWT" }), claims, SECRET)
}

fn with_algorithm(name: &str) -> String {
    signed(json!({ "alg": name, "typ": "JWT" }), json!({ "user_id": "ada" }), SECRET)
}

/// The parts of a token that was signed, put together anew.
fn reassembled(change: impl Fn(&mut Vec<String>)) -> String {
    let mut parts = user_token("ada").split('.').map(str::to_owned).collect();
    change(&mut parts);
    parts.join(".")
}

fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

/// What it is, the token, and the code it is refused with: by an endpoint, and by a socket.
fn tokens() -> Vec<(&'static str, String, i64)> {
    let ada = json!({ "user_id": "ada" });
    let ada_and = |name: &str, value: Value| hs256(json!({ "user_id": "ada", name: value }));
    let unsigned =
        |alg: &str| format!("{}.{}.", encoded(&json!({ "alg": alg }).to_string()), encoded(&ada.to_string()));
    vec![
        ("none at all", String::new(), 5),
        ("not a token", "nonsense".to_owned(), 5),
        ("only dots", "..".to_owned(), 5),
        ("no signature", reassembled(|parts| parts.truncate(2)), 5),
        ("a fourth part", reassembled(|parts| parts.push(encoded("more"))), 5),
        ("not base64", "%%%.%%%.%%%".to_owned(), 5),
        ("not JSON", format!("{}.{}.{}", encoded("alg"), encoded("ada"), encoded("signature")), 5),
        ("expired", ada_and("exp", json!(1)), 40),
        ("expired in the depth of time", ada_and("exp", json!(i64::MIN)), 40),
        ("not yet valid", ada_and("nbf", json!(4_102_444_800_u64)), 41),
        ("issued in the future", ada_and("iat", json!(4_102_444_800_u64)), 42),
        ("alg: none, without a signature", unsigned("none"), 43),
        ("alg: None, with the signature of another", reassembled(|parts| parts[0] = encoded(r#"{"alg":"None"}"#)), 43),
        ("alg: hs256", with_algorithm("hs256"), 43),
        ("alg: HS512, signed as HS256", with_algorithm("HS512"), 43),
        ("alg: RS256, signed as HS256", with_algorithm("RS256"), 43),
        (
            "an extension that is critical",
            signed(json!({ "alg": "HS256", "crit": ["b64"], "b64": false }), ada.clone(), SECRET),
            5,
        ),
        ("an extension that is null", signed(json!({ "alg": "HS256", "crit": null }), ada.clone(), SECRET), 5),
        ("no alg", signed(json!({ "typ": "JWT" }), ada.clone(), SECRET), 5),
        ("another key", signed(json!({ "alg": "HS256" }), ada.clone(), "guessed"), 43),
        ("an empty key", signed(json!({ "alg": "HS256" }), ada.clone(), ""), 43),
        ("the header's own key", signed(json!({ "alg": "HS256", "jwk": { "k": "AA" } }), ada.clone(), "\0"), 43),
        ("another payload", reassembled(|parts| parts[1] = encoded(r#"{"server":true}"#)), 43),
        ("half a signature", reassembled(|parts| parts[2].truncate(21)), 43),
        ("an empty signature", reassembled(|parts| parts[2].clear()), 43),
        ("a development token, where there are none", reassembled(|parts| parts[2] = "devtoken".to_owned()), 43),
        ("nobody's", hs256(json!({})), 5),
        ("of somebody without a name", hs256(json!({ "user_id": "" })), 5),
        ("of a number", hs256(json!({ "user_id": 1 })), 5),
        ("a text for a time", ada_and("exp", json!("tomorrow")), 5),
        ("a list", hs256(json!(["user_id", "ada"])), 5),
    ]
}

#[tokio::test]
async fn no_wrong_token_lets_anybody_in() {
    let server = TestServer::without_dev_tokens().await;
    for (what, token, code) in tokens() {
        assert_documented(401, code);
        let (status, error) = server.request(&token, Method::GET, "/users", Value::Null).await;
        assert_eq!((status.as_u16(), &error["code"]), (401, &json!(code)), "{what}: {error}");
        assert!(error["message"].as_str().is_some_and(|message| !message.contains(SECRET)), "{what}: {error}");

        let hello = json!({ "user_id": "ada", "user_details": { "id": "ada" } }).to_string();
        let mut socket = open(&server, &[("json", hello), ("authorization", token)]).await;
        let frame = next_frame(&mut socket).await;
        assert_eq!((&frame["type"], &frame["error"]["code"]), (&json!("connection.error"), &json!(code)), "{what}");
        assert_serves_others(&server).await;
    }
}

/// Who, with a token that is good for somebody else; what they try, and what they are told.
#[tokio::test]
async fn a_good_token_is_good_for_its_own_user_alone() {
    let server = TestServer::without_dev_tokens().await;
    let bob = server.connect("bob").await;
    let ada = user_token("ada");
    let watch = json!({ "filter_conditions": {}, "presence": true, "connection_id": bob.connection_id });
    let bobs = json!({ "users": { "bob": { "id": "bob", "name": "Not Bob" } } });
    let admin = json!({ "users": { "ada": { "id": "ada", "role": "admin" } } });
    for (what, method, path, body, status, code) in [
        ("asks in another's name", Method::GET, "/users?user_id=bob", Value::Null, 401, 5),
        ("uses another's connection", Method::POST, "/channels", watch, 400, 4),
        ("writes another's profile", Method::POST, "/users", bobs, 403, 17),
        ("makes herself an admin", Method::POST, "/users", admin, 403, 17),
        ("deletes another", Method::DELETE, "/users/bob", Value::Null, 401, 5),
        ("changes the application", Method::PATCH, "/app", json!({}), 401, 5),
        ("speaks to another's devices", Method::POST, "/users/bob/event", json!({ "event": { "type": "x" } }), 401, 5),
    ] {
        assert_documented(status, code);
        let (got, error) = server.request(&ada, method, path, body).await;
        assert_eq!((got.as_u16(), &error["code"]), (status, &json!(code)), "{what}: {error}");
        assert_serves_others(&server).await;
    }
    for (what, user, token, code) in [
        ("connects as another", "bob", ada.clone(), 5),
        ("connects as somebody who cannot be", "../ada", user_token("../ada"), 4),
        ("connects as the application", "ada", token(json!({ "server": true })), 5),
    ] {
        let hello = json!({ "user_id": user, "user_details": { "id": user } }).to_string();
        let mut socket = open(&server, &[("json", hello), ("authorization", token)]).await;
        let frame = next_frame(&mut socket).await;
        assert_eq!(frame["error"]["code"], code, "{what}: {frame}");
        assert_serves_others(&server).await;
    }
}
