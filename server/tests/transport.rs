//! What every request and reply has in common, whichever SDK sends it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::{KEY, TestServer, token, user_token};
use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn every_reply_says_how_long_it_took_and_how_much_is_left() {
    let server = TestServer::start().await;
    for (path, token, status) in [
        ("/users", user_token("ada"), 200),
        ("/channels?payload=%7B%7D", user_token("ada"), 200),
        ("/users", "nonsense".to_owned(), 401),
        ("/users?payload=nonsense", user_token("ada"), 400),
        ("/nowhere", user_token("ada"), 404),
        ("/channels/messaging", user_token("ada"), 404),
        ("/connect", user_token("ada"), 400),
        ("/hi", String::new(), 200),
    ] {
        let mark = if path.contains('?') { '&' } else { '?' };
        let url = server.url(&format!("{path}{mark}api_key={KEY}"));
        let response = Client::new().get(url).header("authorization", token).send().await.unwrap();
        assert_eq!(response.status().as_u16(), status);
        let header = |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("access-control-allow-origin").as_deref(), Some("*"), "{path}");
        assert_eq!(header("content-type").as_deref(), Some("application/json"));
        for name in ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"] {
            assert!(header(name).unwrap().parse::<u32>().unwrap() > 0, "{path}: {name}");
        }
        let body: Value = response.json().await.unwrap();
        assert!(body["duration"].as_str().unwrap().ends_with("ms"), "{body}");
        if status != 200 {
            for key in ["code", "message", "StatusCode", "more_info", "details"] {
                assert!(body.get(key).is_some(), "{key} of {body}");
            }
            assert_eq!(body["StatusCode"], status);
        }
    }
}

#[tokio::test]
async fn a_browser_may_call_from_any_page() {
    let server = TestServer::start().await;
    let wanted = "authorization,stream-auth-type,x-stream-client,x-client-request-id,content-type";
    let response = Client::new()
        .request(Method::OPTIONS, server.url("/channels/messaging/1/query"))
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", wanted)
        .send()
        .await
        .unwrap();

    assert!(response.status().is_success());
    let allowed = |name: &str| response.headers()[name].to_str().unwrap().to_ascii_lowercase();
    assert_eq!(allowed("access-control-allow-origin"), "*");
    for header in wanted.split(',') {
        assert!(allowed("access-control-allow-headers").contains(header), "{header}");
    }
    for method in ["get", "post", "put", "patch", "delete"] {
        assert!(allowed("access-control-allow-methods").contains(method), "{method}");
    }
    assert!(response.headers().contains_key("access-control-max-age"));
}

#[tokio::test]
async fn sdks_write_the_same_thing_in_their_own_ways() {
    let server = TestServer::start().await;
    let ada = server.connect("ada").await;
    let client = Client::new();

    // Swift: parameters in the payload, booleans as 1 and 0, the connection in the payload too.
    let payload = json!({ "filter_conditions": {}, "presence": 1, "watch": 0, "connection_id": ada.connection_id });
    let url = reqwest::Url::parse_with_params(
        &server.url("/users"),
        [("api_key", KEY), ("payload", &payload.to_string()), ("odd", "")],
    )
    .unwrap();
    let reply = client.get(url).header("Authorization", format!("Bearer {}", user_token("ada"))).send().await.unwrap();
    assert_eq!(reply.status(), 200);

    // Flutter: says gzip and sends plain JSON.
    let reply = client
        .post(server.url(&format!("/users?api_key={KEY}")))
        .header("authorization", user_token("ada"))
        .header("content-encoding", "application/gzip")
        .header("content-type", "application/json")
        .body(json!({ "users": { "ada": { "id": "ada", "status": "gzip?" } }, "unknown": [1] }).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 201);

    // Unreal: the connection in the body.
    let (status, reply) = server
        .request(
            &user_token("ada"),
            Method::POST,
            "/channels/messaging/unreal/query",
            json!({ "watch": true, "state": true, "presence": true, "connection_id": ada.connection_id }),
        )
        .await;
    assert_eq!(status, 201, "{reply}");
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_its_code() {
    let server = TestServer::start().await;
    let server_token = token(json!({ "server": true }));
    for (method, path, token, body, status, code) in [
        (Method::GET, "/users", "", Value::Null, 401, 5),
        (Method::GET, "/users?user_id=bob", &*user_token("ada"), Value::Null, 401, 5),
        (Method::GET, "/users", &*token_expired(), Value::Null, 401, 40),
        (Method::POST, "/users", &*server_token, json!([1]), 400, 4),
        (Method::POST, "/users", &*server_token, json!({}), 400, 4),
        (Method::POST, "/users", &*server_token, json!({ "users": {} }), 400, 4),
        (Method::DELETE, "/channels", &*server_token, Value::Null, 404, 16),
        (Method::POST, "/channels/nonsense/1/query", &*user_token("ada"), json!({}), 404, 16),
    ] {
        let (got, error) = server.request(token, method, path, body).await;
        assert_eq!((got.as_u16(), &error["code"]), (status, &json!(code)), "{path}: {error}");
    }
    let huge = "x".repeat(2 * 1024 * 1024);
    let (status, error) = server
        .request(&server_token, Method::POST, "/users", json!({ "users": { "ada": { "id": "ada", "x": huge } } }))
        .await;
    assert_eq!((status, &error["code"]), (StatusCode::PAYLOAD_TOO_LARGE, &json!(22)));
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_in_json_too() {
    let server = TestServer::start().await;
    let url = |path: &str| server.url(&format!("{path}?api_key={KEY}"));
    let get = |path: &str| Client::new().get(url(path)).header("authorization", user_token("ada"));
    let cases = [
        (get("/users").header("x-padding", "x".repeat(40_000)), 431, 24),
        (get("/channeltypes/%FF"), 400, 4),
        (get("/tasks/%FF"), 400, 4),
    ];
    for (request, status, code) in cases {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        let error: Value = response.json().await.unwrap();
        assert_eq!((&error["StatusCode"], &error["code"]), (&json!(status), &json!(code)), "{error}");
    }
}

#[tokio::test]
async fn null_is_as_good_as_absent() {
    let server = TestServer::start().await;
    let ada = server.connect("ada").await;
    let query = json!({
        "filter_conditions": { "id": "ada" }, "sort": null, "limit": null, "offset": null, "presence": null,
        "include_deactivated_users": null, "id_gt": null,
    });
    let reply = ada.call(Method::GET, "/users", query).await;
    assert_eq!(reply["users"][0]["id"], "ada");
    let open = json!({ "data": null, "state": true, "watch": null, "messages": null, "members": null });
    ada.call(Method::POST, "/channels/messaging/tea/query", open).await;
    let change = json!({ "data": null, "message": null, "add_members": ["ada"], "remove_members": null });
    ada.call(Method::POST, "/channels/messaging/tea", change).await;
}

fn token_expired() -> String {
    token(json!({ "user_id": "ada", "exp": 1 }))
}

#[tokio::test]
async fn operators_see_that_it_runs() {
    let server = TestServer::start().await;
    let _ada = server.connect("ada").await;

    assert_eq!(reqwest::get(server.url("/healthz")).await.unwrap().status(), 200);
    assert_eq!(reqwest::get(server.url("/hi")).await.unwrap().status(), 200);
    assert_eq!(reqwest::get(server.url("/metrics")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn who_hides_cannot_be_counted_by_whoever_reaches_the_server() {
    let server = TestServer::with(&["--listen", "0.0.0.0:0", "--demo-on-public-address"]).await;
    let ask = async |token: Option<String>| {
        let request = reqwest::Client::new().get(server.url("/metrics"));
        let request = token.into_iter().fold(request, |request, token| request.bearer_auth(token));
        request.send().await.unwrap().status()
    };

    assert_eq!(ask(None).await, 401);
    assert_eq!(ask(Some(user_token("ada"))).await, 403);
    assert_eq!(ask(Some(token(json!({ "server": true })))).await, 200);
    assert_eq!(reqwest::get(server.url("/healthz")).await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_page_is_served_beside_the_api() {
    let pages = tempfile::tempdir().unwrap();
    std::fs::write(pages.path().join("index.html"), "<title>Rollcall</title>").unwrap();
    std::fs::write(pages.path().join("client.wasm"), "\0asm").unwrap();
    let server = TestServer::with(&["--www", pages.path().to_str().unwrap()]).await;

    let page = reqwest::get(server.url("/")).await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html");
    assert_eq!(page.text().await.unwrap(), "<title>Rollcall</title>");
    let wasm = reqwest::get(server.url("/client.wasm")).await.unwrap();
    assert_eq!(wasm.headers()["content-type"], "application/wasm");
    let missing = reqwest::get(server.url("/missing.js")).await.unwrap();
    assert_eq!(missing.status(), 404);
    assert_eq!(missing.json::<Value>().await.unwrap()["code"], 16);
    let outside = reqwest::get(server.url("/..%2f..%2fetc/passwd")).await.unwrap();
    assert_eq!(outside.status(), 404);
}
