//! What one caller may take: at the limit it works, beyond it there is the error that
//! `docs/OPERATIONS.md` names.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::binary::hello;
use common::person::{next_frame, open};
use common::{KEY, TestServer, token, user_token};
use futures_util::StreamExt;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

/// What the server answers to the application's own server: the status, and the code of an error.
async fn answer(server: &TestServer, method: Method, path: &str, body: Value) -> (u16, Value) {
    let (status, reply) = server.request(&token(json!({ "server": true })), method, path, body).await;
    (status.as_u16(), reply["code"].clone())
}

async fn filtered(server: &TestServer, filter: &Value) -> (u16, Value) {
    let payload = json!({ "filter_conditions": filter }).to_string();
    let url = reqwest::Url::parse_with_params(&server.url("/users"), [("payload", payload)]).unwrap();
    answer(server, Method::GET, &format!("/users?{}", url.query().unwrap()), Value::Null).await
}

fn users(count: usize) -> Value {
    let ids = (0..count).map(|number| format!("user-{number}"));
    json!({ "users": ids.map(|id| (id.clone(), json!({ "id": id }))).collect::<Map<_, _>>() })
}

#[tokio::test]
async fn a_body_may_be_so_long() {
    let server = TestServer::with(&["--body-bytes", "4096", "--custom-data-bytes", "10000"]).await;
    let of = |bytes: usize| {
        let mut body = json!({ "users": { "ada": { "id": "ada", "padding": "" } } });
        let padding = "x".repeat(bytes - body.to_string().len());
        body["users"]["ada"]["padding"] = padding.into();
        assert_eq!(body.to_string().len(), bytes);
        body
    };
    assert_eq!(answer(&server, Method::POST, "/users", of(4096)).await, (201, Value::Null));
    assert_eq!(answer(&server, Method::POST, "/users", of(4097)).await, (413, json!(22)));
}

#[tokio::test]
async fn a_frame_may_be_so_long() {
    let server = TestServer::with(&["--frame-bytes", "2048"]).await;
    let padded = |bytes: usize| {
        let frame = r#"[{"type":"health.check"}]"#;
        Message::text(format!("{frame}{}", " ".repeat(bytes - frame.len())))
    };
    let mut ada = server.connect("ada").await;
    ada.send(padded(2048)).await;
    while ada.next_frame().await["type"] != "health.check" {}
    ada.send(padded(2049)).await;
    assert_eq!(ada.hears_close().await, Some(1009));
    let mut bob = server.connect("bob").await;
    bob.send(Message::binary(vec![0; 2049])).await;
    assert_eq!(bob.hears_close().await, Some(1009));
}

#[tokio::test]
async fn one_request_may_write_so_many_users() {
    let server = TestServer::with(&["--users-per-upsert", "3"]).await;
    assert_eq!(answer(&server, Method::POST, "/users", users(3)).await, (201, Value::Null));
    assert_eq!(answer(&server, Method::POST, "/users", users(4)).await, (400, json!(4)));
    let changes = |count| json!({ "users": vec![json!({ "id": "user-0", "set": { "a": 1 } }); count] });
    assert_eq!(answer(&server, Method::PATCH, "/users", changes(3)).await, (200, Value::Null));
    assert_eq!(answer(&server, Method::PATCH, "/users", changes(4)).await, (400, json!(4)));

    let more = TestServer::with(&["--users-per-upsert", "150"]).await;
    assert_eq!(answer(&more, Method::POST, "/users", users(150)).await, (201, Value::Null));
}

/// The limit is on what is kept, however it comes about.
#[tokio::test]
async fn custom_data_may_be_so_long() {
    let server = TestServer::with(&["--custom-data-bytes", "100"]).await;
    // {"text":"…"} is 11 bytes and the text.
    let user = |length: usize| json!({ "users": { "ada": { "id": "ada", "text": "x".repeat(length) } } });
    assert_eq!(answer(&server, Method::POST, "/users", user(89)).await, (201, Value::Null));
    assert_eq!(answer(&server, Method::POST, "/users", user(90)).await, (400, json!(4)));
    let more = json!({ "users": [{ "id": "ada", "set": { "b": 1 } }] });
    assert_eq!(answer(&server, Method::PATCH, "/users", more).await, (400, json!(4)));
    let renamed =
        json!({ "users": [{ "id": "ada", "set": { "name": "A name is not custom data, however long it is." } }] });
    assert_eq!(answer(&server, Method::PATCH, "/users", renamed).await, (200, Value::Null));

    let channel = |length: usize| json!({ "data": { "created_by_id": "ada", "text": "x".repeat(length) } });
    assert_eq!(answer(&server, Method::POST, "/channels/messaging/a/query", channel(89)).await, (201, Value::Null));
    assert_eq!(answer(&server, Method::POST, "/channels/messaging/b/query", channel(90)).await, (400, json!(4)));
    let message = |length: usize| json!({ "message": { "text": "hi", "user_id": "ada", "note": "x".repeat(length) } });
    assert_eq!(answer(&server, Method::POST, "/channels/messaging/a/message", message(89)).await, (201, Value::Null));
    assert_eq!(answer(&server, Method::POST, "/channels/messaging/a/message", message(90)).await, (400, json!(4)));
}

#[tokio::test]
async fn a_filter_may_be_so_large() {
    let flags = ["--filter-depth", "2", "--filter-conditions", "4", "--filter-values", "5"];
    let server = TestServer::with(&flags).await;
    let works = (200, Value::Null);
    let refused = (400, json!(4));

    let nested = |levels: usize| (0..levels).fold(json!({ "id": "ada" }), |filter, _| json!({ "$or": [filter] }));
    assert_eq!(filtered(&server, &nested(2)).await, works);
    assert_eq!(filtered(&server, &nested(3)).await, refused);

    let wide = |conditions: usize| {
        Value::Object((0..conditions).map(|number| (format!("field{number}"), json!(number))).collect())
    };
    assert_eq!(filtered(&server, &wide(4)).await, works);
    assert_eq!(filtered(&server, &wide(5)).await, refused);

    let long = |values: usize| json!({ "id": { "$in": (0..values).map(|n| n.to_string()).collect::<Vec<_>>() } });
    assert_eq!(filtered(&server, &long(5)).await, works);
    assert_eq!(filtered(&server, &long(6)).await, refused);

    // Whoever asks for channels may ask as little of them, and still gets those they belong to.
    let ada = server.connect("ada").await;
    let open = json!({ "data": { "members": ["ada"] }, "state": true });
    ada.call(Method::POST, "/channels/messaging/tea/query", open).await;
    let query = json!({ "filter_conditions": nested(0) });
    let (status, reply) = ada.request(Method::GET, "/channels", query).await;
    assert_eq!((status.as_u16(), reply["code"].clone()), (200, Value::Null), "{reply}");
    let query = json!({ "filter_conditions": nested(3) });
    let (status, reply) = ada.request(Method::GET, "/channels", query).await;
    assert_eq!((status.as_u16(), reply["code"].clone()), refused, "{reply}");
}

#[tokio::test]
async fn a_query_may_take_so_long() {
    let server = TestServer::with(&["--query-timeout", "1us"]).await;
    assert_eq!(answer(&server, Method::POST, "/users", users(50)).await, (201, Value::Null));
    // The clock is looked at now and then: what is short comes to an end before that.
    assert_eq!(filtered(&server, &json!({ "id": "user-1" })).await, (200, Value::Null));
    // It asks everybody many questions, and finds nobody.
    let long: Vec<_> = (0..45).map(|number| json!({ format!("field{number}"): 1 })).collect();
    assert_eq!(filtered(&server, &json!({ "$or": long })).await, (408, json!(23)));

    let patient = TestServer::with(&["--query-timeout", "0"]).await;
    assert_eq!(answer(&patient, Method::POST, "/users", users(100)).await, (201, Value::Null));
    assert_eq!(filtered(&patient, &json!({ "$or": long })).await, (200, Value::Null));
}

/// The first of these requests that is refused: its headers and its code. Windows are whole minutes, and
/// one may end meanwhile: of twice as many requests as are allowed and one more, one is refused.
async fn refused(server: &TestServer, token: &str, method: Method, path: &str, allowed: usize) -> (HeaderMap, Value) {
    for _ in 0..=2 * allowed {
        let url = server.url(&format!("{path}?api_key={KEY}"));
        let request = reqwest::Client::new().request(method.clone(), url).header("authorization", token);
        let reply = request.json(&json!({})).send().await.unwrap();
        if reply.status() == StatusCode::TOO_MANY_REQUESTS {
            return (reply.headers().clone(), reply.json().await.unwrap());
        }
        assert!(reply.status().is_success(), "{reply:?}");
    }
    panic!("{path} may be asked as often as one likes")
}

#[tokio::test]
async fn a_user_and_a_platform_may_ask_so_often() {
    let server = TestServer::with(&["--user-requests-per-minute", "2"]).await;
    let (headers, error) = refused(&server, &user_token("ada"), Method::GET, "/users", 2).await;
    assert_eq!(error["code"], 9, "{error}");
    let number = |name: &str| headers[name].to_str().unwrap().parse::<i64>().unwrap();
    assert_eq!((number("x-ratelimit-limit"), number("x-ratelimit-remaining")), (2, 0));
    assert!((1..=60).contains(&number("retry-after")));
    assert!(number("x-ratelimit-reset") >= jiff::Timestamp::now().as_second());
    // Others are not concerned, nor is what else she asks for.
    for (user, path) in [("bob", "/users"), ("ada", "/unread")] {
        let (status, reply) = server.request(&user_token(user), Method::GET, path, Value::Null).await;
        assert!(status.is_success(), "{user}, {path}: {reply}");
    }

    let server = TestServer::with(&["--rate-limit-scale", "1"]).await;
    let (headers, error) = refused(&server, &token(json!({ "server": true })), Method::PATCH, "/app", 60).await;
    assert_eq!((&error["code"], headers["x-ratelimit-limit"].to_str().unwrap()), (&json!(9), "60"));
}

/// The same as above, of a window that may end meanwhile.
#[tokio::test]
async fn a_user_may_connect_so_often_and_strangers_make_so_many_guests() {
    let server = TestServer::with(&["--user-requests-per-minute", "2"]).await;
    let mut turned_away = None;
    for _ in 0..5 {
        let mut socket = open(&server, &hello("ada")).await;
        match socket.next().await {
            Some(Ok(Message::Text(_))) => {}
            Some(Ok(Message::Close(close))) => {
                turned_away = close;
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    let close = turned_away.expect("an end of it");
    assert_eq!(u16::from(close.code), 1013);
    let seconds = close.reason.strip_prefix("too many connects: retry after ").and_then(|s| s.strip_suffix(" s"));
    assert!((1..=60).contains(&seconds.expect(&close.reason).parse().unwrap()), "{}", close.reason);
    server.connect("bob").await;

    let mut statuses = Vec::new();
    for number in 0..5 {
        let guest = json!({ "user": { "id": format!("guest-{number}") } });
        let request = reqwest::Client::new().post(server.url(&format!("/guest?api_key={KEY}")));
        let reply = request.header("stream-auth-type", "anonymous").json(&guest).send().await.unwrap();
        let (status, left) = (reply.status().as_u16(), reply.headers()["x-ratelimit-remaining"].clone());
        // What others make is no stranger's business.
        assert_eq!(left, if status == 201 { "2" } else { "0" });
        statuses.push((status, reply.json::<Value>().await.unwrap()["code"].clone()));
    }
    assert_eq!(statuses[0], (201, Value::Null));
    assert!(statuses.contains(&(429, json!(9))), "{statuses:?}");
}

#[tokio::test]
async fn connects_without_a_token_count_too() {
    let server = TestServer::with(&["--rate-limit-scale", "1"]).await;
    let nobody = [("stream-auth-type", "anonymous".to_owned())];
    let left = async || {
        let rates = server.server_side(Method::GET, "/rate_limits?web=true&endpoints=Connect", Value::Null).await;
        rates["web"]["Connect"].clone()
    };
    // A window may end meanwhile.
    loop {
        let before = left().await;
        next_frame(&mut open(&server, &nobody).await).await;
        let after = left().await;
        if before["reset"] == after["reset"] {
            assert_eq!((before["remaining"].as_u64(), after["remaining"].as_u64()), (Some(10_000), Some(9_999)));
            break;
        }
    }
}

#[tokio::test]
async fn a_user_may_ask_for_so_much_at_a_time() {
    let server = TestServer::with(&["--requests-at-once", "2"]).await;
    server.knows(&["ada", "bob"]).await;
    let mut unfinished = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let token = user_token("ada");
        let head = format!(
            "POST /users?api_key={KEY} HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\n\
             expect: 100-continue\r\ncontent-length: 2\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // From here on it is waited for the body.
        let mut told = [0; 25];
        stream.read_exact(&mut told).await.unwrap();
        assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
        unfinished.push(stream);
    }
    let asks = async |user: &str| {
        let (status, reply) = server.request(&user_token(user), Method::GET, "/unread", Value::Null).await;
        (status.as_u16(), reply["code"].clone())
    };
    assert_eq!(asks("ada").await, (429, json!(9)));
    assert_eq!(asks("bob").await, (200, Value::Null));
    unfinished[0].write_all(b"{}").await.unwrap();
    let mut reply = [0; 12];
    unfinished[0].read_exact(&mut reply).await.unwrap();
    assert_eq!(asks("ada").await, (200, Value::Null));
}

/// The limits of the protocol's own.
#[tokio::test]
async fn what_no_flag_changes() {
    let server = TestServer::start().await;
    server.knows(&["ada"]).await;
    let works = |status: u16| (status, Value::Null);
    let refused = (400, json!(4));
    let open = |members: Value| json!({ "data": { "created_by_id": "ada", "members": members } });
    assert_eq!(answer(&server, Method::POST, "/channels/messaging/tea/query", open(json!(["ada"]))).await, works(201));

    for path in ["/users/delete", "/users/deactivate", "/users/reactivate", "/users/restore"] {
        let ids: Vec<String> = (0..101).map(|number| format!("user-{number}")).collect();
        let body = json!({ "user_ids": ids, "user": "soft" });
        assert_eq!(answer(&server, Method::POST, path, body).await, refused, "{path}");
    }

    let user = |length: usize| {
        let id = "x".repeat(length);
        json!({ "users": { id.as_str(): { "id": id } } })
    };
    assert_eq!(answer(&server, Method::POST, "/users", user(255)).await, works(201));
    assert_eq!(answer(&server, Method::POST, "/users", user(256)).await, refused);
    let channel = |length: usize| format!("/channels/messaging/{}/query", "x".repeat(length));
    assert_eq!(answer(&server, Method::POST, &channel(64), open(json!([]))).await, works(201));
    assert_eq!(answer(&server, Method::POST, &channel(65), open(json!([]))).await, refused);

    let message = |length: usize| json!({ "message": { "text": "x".repeat(length), "user_id": "ada" } });
    let say = "/channels/messaging/tea/message";
    assert_eq!(answer(&server, Method::POST, say, message(5000)).await, works(201));
    assert_eq!(answer(&server, Method::POST, say, message(5001)).await, (400, json!(20)));

    let ada = server.connect("ada").await;
    let sort = |entries: usize| json!(vec![json!({ "field": "created_at", "direction": 1 }); entries]);
    for (path, allowed) in [("/users", 5), ("/channels", 5), ("/members", 1)] {
        let query =
            |entries| json!({ "type": "messaging", "id": "tea", "filter_conditions": {}, "sort": sort(entries) });
        let (status, reply) = ada.request(Method::GET, path, query(allowed)).await;
        assert_eq!(status, StatusCode::OK, "{path}: {reply}");
        let (status, reply) = ada.request(Method::GET, path, query(allowed + 1)).await;
        assert_eq!((status.as_u16(), reply["code"].clone()), refused, "{path}: {reply}");
        let far = json!({ "type": "messaging", "id": "tea", "filter_conditions": {}, "offset": 1001 });
        let (status, reply) = ada.request(Method::GET, path, far).await;
        assert_eq!((status.as_u16(), reply["code"].clone()), refused, "{path}: {reply}");
    }
    // More of a page than there may be is cut, but for users.
    let page = |limit: u32| json!({ "filter_conditions": {}, "limit": limit });
    assert_eq!(ada.request(Method::GET, "/users", page(101)).await.1["code"], 4);
    assert_eq!(ada.request(Method::GET, "/channels", page(31)).await.0, StatusCode::OK);
}
