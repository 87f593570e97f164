//! Requests that are too large, too deep, not UTF-8, ambiguous, or aimed where nothing is.

use std::process::Command;

use reqwest::Method;
use serde_json::json;

use crate::common::{KEY, TestServer, token};
use crate::raw::{Reply, request, send, with_key};
use crate::{Verdict, Verdict::*, assert_documented, assert_serves_others};

async fn check(server: &TestServer, what: &str, bytes: &[u8], verdict: Verdict) {
    let Reply { status, json } = send(server, bytes).await;
    match verdict {
        Refused(expected, code) => {
            assert_documented(expected, code);
            assert_eq!((status, &json["code"]), (expected, &json!(code)), "{what}: {json}");
            assert_eq!(json["StatusCode"], expected, "{what}: {json}");
        }
        NoRequest(expected) => assert_eq!((status, json.is_null()), (expected, true), "{what}: {json}"),
        Served(expected) => assert_eq!(status, expected, "{what}: {json}"),
    }
    assert_serves_others(server).await;
}

#[tokio::test]
async fn no_json_breaks_it() {
    let server = TestServer::start().await;
    server.knows(&["ada", "bob"]).await;
    let user = |fields: &str| format!(r#"{{"users":{{"ada":{{"id":"ada",{fields}}}}}}}"#).into_bytes();
    let deep = |open: &str, close: &str| user(&format!(r#""deep":{}1{}"#, open.repeat(100_000), close.repeat(100_000)));
    let longest = "x".repeat(1024 * 1024);
    for (what, body, verdict) in [
        ("a larger body than there may be", user(&format!(r#""x":"{longest}""#)), Refused(413, 22)),
        ("lists in lists, a hundred thousand deep", deep("[", "]"), Refused(400, 4)),
        ("objects in objects, as deep", deep(r#"{"a":"#, "}"), Refused(400, 4)),
        ("a list that never ends", user(&format!(r#""x":{}"#, "[".repeat(1000))), Refused(400, 4)),
        ("not JSON", b"users=ada".to_vec(), Refused(400, 4)),
        ("half of it", br#"{"users":{"ada":{"id":"#.to_vec(), Refused(400, 4)),
        ("more after it", [&user(r#""a":1"#)[..], b"{}"].concat(), Refused(400, 4)),
        ("a byte order mark", [b"\xEF\xBB\xBF", &user(r#""a":1"#)[..]].concat(), Refused(400, 4)),
        ("a list, not an object", b"[]".to_vec(), Refused(400, 4)),
        (
            "not UTF-8",
            [&br#"{"users":{"ada":{"id":"ada","name":""#[..], b"\xC3\x28", br#""}}}"#].concat(),
            Refused(400, 4),
        ),
        ("UTF-8 longer than needed", user("\"a\":\"").into_iter().chain(*b"\xC0\xAF\"").collect(), Refused(400, 4)),
        ("half a surrogate pair", user(r#""name":"\ud800""#), Refused(400, 4)),
        ("U+0000", user(r#""name":"a\u0000b""#), Refused(400, 4)),
        ("a number beyond all numbers", user(r#""x":1e999"#), Refused(400, 4)),
        ("no number", user(r#""x":NaN"#), Refused(400, 4)),
        ("more data than a user may have", user(&format!(r#""x":"{}""#, "x".repeat(10_000))), Refused(400, 4)),
        ("another's id under one's own name", br#"{"users":{"ada":{"id":"bob"}}}"#.to_vec(), Refused(400, 4)),
        ("one name twice: the last counts", user(r#""name":"First","name":"Last""#), Served(201)),
        ("one's own id, then another's", br#"{"users":{"ada":{"id":"ada","id":"bob"}}}"#.to_vec(), Refused(400, 4)),
        (
            "two users of one id, the other's last",
            br#"{"users":{"bob":{"id":"bob"},"ada":{"id":"ada"}}}"#.to_vec(),
            Refused(403, 17),
        ),
    ] {
        check(&server, what, &request(&format!("POST {}", with_key("/users")), "", &body), verdict).await;
    }
    assert_eq!(server.user("ada").await["name"], "Last");
}

#[tokio::test]
async fn no_path_leads_anywhere_else() {
    let pages = tempfile::tempdir().unwrap();
    std::fs::write(pages.path().join("index.html"), "the page").unwrap();
    std::fs::create_dir(pages.path().join("inner")).unwrap();
    std::fs::write(pages.path().parent().unwrap().join("rollcall-secret"), "secret").unwrap();
    let inner = pages.path().join("inner");
    std::fs::write(inner.join("page.html"), "inner").unwrap();
    std::fs::write(inner.join(".env"), "secret").unwrap();
    #[cfg(unix)]
    for (to, link) in
        [("../index.html", "link.html"), ("..", "up"), ("page.html", "same.html"), (".env", "shown"), (".git", "dir")]
    {
        std::os::unix::fs::symlink(to, inner.join(link)).unwrap();
    }
    std::fs::create_dir(inner.join(".git")).unwrap();
    std::fs::write(inner.join(".git").join("config"), "secret").unwrap();
    #[cfg(unix)]
    assert!(Command::new("mkfifo").arg(inner.join("pipe")).status().unwrap().success());
    let long = format!("/{}", "a".repeat(40_000));
    let longer = format!("/{}", "a".repeat(100_000));
    // With files beside the endpoints, and without.
    for server in [TestServer::with(&["--www", inner.to_str().unwrap()]).await, TestServer::start().await] {
        server.knows(&["ada"]).await;
        for (path, verdict) in [
            ("//users", Refused(404, 16)),
            ("/users/", Refused(404, 16)),
            ("/./users", Refused(404, 16)),
            ("/USERS", Refused(404, 16)),
            ("/users%00", Refused(404, 16)),
            ("/users%2f", Refused(404, 16)),
            ("/users;.json", Refused(404, 16)),
            ("/users/..;/app", Refused(404, 16)),
            ("/%2e%2e/users", Refused(404, 16)),
            ("/hi/../users", Refused(404, 16)),
            ("/hi/%2e%2e/users", Refused(404, 16)),
            ("/../index.html", Refused(404, 16)),
            ("/%2e%2e/index.html", Refused(404, 16)),
            ("/..%2findex.html", Refused(404, 16)),
            ("/..%5cindex.html", Refused(404, 16)),
            ("/%252e%252e/index.html", Refused(404, 16)),
            ("/page.html%00.js", Refused(404, 16)),
            ("/%c0%ae%c0%ae/index.html", Refused(404, 16)),
            ("/.env", Refused(404, 16)),
            ("/%2eenv", Refused(404, 16)),
            ("/link.html", Refused(404, 16)),
            ("/up/", Refused(404, 16)),
            ("/shown", Refused(404, 16)),
            ("/dir/config", Refused(404, 16)),
            ("/pipe", Refused(404, 16)),
            ("/up/index.html", Refused(404, 16)),
            ("//etc/passwd", Refused(404, 16)),
            ("/%2fetc%2fpasswd", Refused(404, 16)),
            ("/file:///etc/passwd", Refused(404, 16)),
            ("/channeltypes/%FF", Refused(400, 4)),
            ("/channeltypes/messaging%2f..", Refused(404, 16)),
            ("/tasks/%00", Refused(401, 5)),
            (&long, Refused(404, 16)),
            (&longer, NoRequest(414)),
        ] {
            check(&server, path, &request(&format!("GET {}", with_key(path)), "", b""), verdict).await;
        }
        for (path, verdict) in [
            ("/channels/messaging/a%2fb/query", Refused(400, 4)),
            ("/channels/messaging/%00/query", Refused(400, 4)),
            ("/channels/messaging/%2e%2e/query", Refused(400, 4)),
            ("/channels/messaging/a:b/query", Refused(400, 4)),
            ("/channels/messaging/a;b/query", Refused(400, 4)),
            ("/channels/messaging/%C3%28/query", Refused(400, 4)),
            ("/channels/messaging%2ftea/query", Refused(404, 16)),
            ("/channels/no%00thing/tea/query", Refused(404, 16)),
            ("/channels//tea/query", Refused(404, 16)),
        ] {
            check(&server, path, &request(&format!("POST {}", with_key(path)), "", b"{}"), verdict).await;
        }
    }
}

#[tokio::test]
async fn no_request_is_read_in_two_ways() {
    let server = TestServer::start().await;
    server.knows(&["ada"]).await;
    let hi = |more: &str| format!("GET /hi HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{more}\r\n");
    let app = server_request("GET /app");
    for (what, request, verdict) in [
        ("no HTTP at all", "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\u{3}\u{3}\r\n\r\n".to_owned(), NoRequest(400)),
        ("a method that is none", app.replace("GET", "G@T"), NoRequest(400)),
        ("a method that nothing has", app.replace("GET", "BREW"), Refused(404, 16)),
        (
            "a way through to another host",
            "CONNECT example.com:80 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".to_owned(),
            Refused(404, 16),
        ),
        ("a whole address for a path", app.replace(" /app", " http://example.com/app"), Served(200)),
        ("a version that is none", hi("").replace("1.1", "9.9"), NoRequest(400)),
        ("a header without a name", hi(": x\r\n"), NoRequest(400)),
        ("a space before a colon", hi("x-a : b\r\n"), NoRequest(400)),
        ("a header over two lines", hi("x-a: b\r\n c\r\n"), NoRequest(400)),
        ("more headers than there may be", hi(&"x-a: b\r\n".repeat(200)), NoRequest(431)),
        (
            "longer headers than there may be",
            app.replace("\r\n\r\n", &format!("\r\nx-a: {}\r\n\r\n", "x".repeat(40_000))),
            Refused(431, 24),
        ),
        ("two lengths", hi("content-length: 3\r\ncontent-length: 4\r\n"), NoRequest(400)),
        ("a length that is none", hi("content-length: -1\r\n"), NoRequest(400)),
        ("a length and chunks", hi("content-length: 3\r\ntransfer-encoding: chunked\r\n"), Served(200)),
        ("chunks of an unknown kind", hi("transfer-encoding: gzip\r\n"), NoRequest(400)),
    ] {
        check(&server, what, request.as_bytes(), verdict).await;
    }
}

/// A request of the application's own server, without a body.
fn server_request(line: &str) -> String {
    let token = token(json!({ "server": true }));
    let line = format!("{line}?api_key={KEY}");
    format!("{line} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nauthorization: {token}\r\n\r\n")
}

#[tokio::test]
async fn no_query_asks_for_more_than_there_may_be() {
    let server = TestServer::start().await;
    let ada = server.connect("ada").await;
    let nested = (0..50).fold(json!({ "id": "ada" }), |filter, _| json!({ "$and": [filter] }));
    let broad: Vec<_> = (0..200).map(|n| json!({ "name": n.to_string() })).collect();
    let many: Vec<_> = (0..2000).map(|n| n.to_string()).collect();
    let query = |filter| json!({ "filter_conditions": filter });
    for (what, query) in [
        ("a filter too deep", query(nested)),
        ("a filter too broad", query(json!({ "$or": broad }))),
        ("too many values", query(json!({ "id": { "$in": many } }))),
        ("an operator that is none", query(json!({ "id": { "$where": "sleep(1000)" } }))),
        ("a path too deep", query(json!({ "a.b.c.d.e.f.g.h.i.j.k.l": 1 }))),
        ("a page too large", json!({ "filter_conditions": {}, "limit": 100_000 })),
        ("a page too far", json!({ "filter_conditions": {}, "offset": 1_000_000 })),
        ("a page of less than nothing", json!({ "filter_conditions": {}, "limit": -1 })),
    ] {
        let (status, error) = ada.request(Method::GET, "/users", query).await;
        assert_eq!((status.as_u16(), &error["code"]), (400, &json!(4)), "{what}: {error}");
        assert_serves_others(&server).await;
    }
    // Any name may be a custom field's: this one nobody has.
    for name in ["id) OR (1", "'; DROP TABLE users; --", "$.name", "\" OR \"\"=\""] {
        let query = json!({ "filter_conditions": { name: 1 } });
        let (status, reply) = ada.request(Method::GET, "/users", query).await;
        let harmless = if status == 200 { reply["users"] == json!([]) } else { reply["code"] == 4 };
        assert!(harmless, "{name}: {reply}");
        assert_serves_others(&server).await;
    }
}
