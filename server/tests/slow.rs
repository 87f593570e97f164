//! A reader that stalls costs nobody else anything, and is told to come back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::time::Duration;

use common::binary::hello;
use common::scrape::Scrape;
use common::{KEY, TestServer, WITHOUT_LIMITS};
use futures_util::{SinkExt, StreamExt};
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

const PATIENCE: Duration = Duration::from_secs(30);

/// A connection on whose side as little waits as the system allows.
async fn narrow(server: &TestServer) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(1).unwrap();
    socket.connect(server.address).await.unwrap()
}

/// A client that shakes hands, reads its first frame, and nothing after it.
async fn stalls(server: &TestServer, user: &str) -> (TcpStream, String) {
    let mut stream = narrow(server).await;
    let mut url = Url::parse("ws://localhost/connect").unwrap();
    url.query_pairs_mut().append_pair("api_key", KEY).extend_pairs(&hello(user));
    let request = format!(
        "GET {}?{} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        url.path(),
        url.query().unwrap()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    let id = async {
        loop {
            stream.read_buf(&mut read).await.unwrap();
            let text = String::from_utf8_lossy(&read);
            if let Some((_, rest)) = text.split_once(r#""connection_id":""#)
                && let Some((id, _)) = rest.split_once('"')
            {
                return id.to_owned();
            }
        }
    };
    let id = timeout(PATIENCE, id).await.expect("a first frame in time");
    (stream, id)
}

async fn eve_watches_ada(server: &TestServer, connection: &str) {
    let payload = json!({ "filter_conditions": { "id": "ada" }, "presence": true }).to_string();
    let query = [("payload", payload.as_str()), ("user_id", "eve"), ("connection_id", connection)];
    let url = Url::parse_with_params(&server.url("/users"), query).unwrap();
    let path = format!("{}?{}", url.path(), url.query().unwrap());
    let (status, reply) = server.request(&common::user_token("eve"), Method::GET, &path, Value::Null).await;
    assert!(status.is_success(), "{reply}");
}

#[tokio::test]
async fn a_reader_that_stalls_is_let_go_and_the_others_miss_nothing() {
    let mut flags = WITHOUT_LIMITS.to_vec();
    flags.extend(["--event-queue", "64"]);
    let server = TestServer::with(&flags).await;
    let ada = server.connect("ada").await;
    let mut bob = server.connect("bob").await;
    bob.watch_users(&["ada"]).await;
    let (mut stalled, connection) = stalls(&server, "eve").await;
    eve_watches_ada(&server, &connection).await;

    let padding = "x".repeat(4_000);
    let (mut told, mut behind) = (0, 0.0);
    // The system's own buffers take some megabytes first.
    loop {
        let now = Scrape::of(&server).await;
        if now.get("rollcall_slow_readers_total") != 0.0 {
            break;
        }
        behind = f64::max(behind, now.get("rollcall_longest_queue_events"));
        assert!(told < 4_000, "the stalled reader is kept for ever");
        for _ in 0..50 {
            told += 1;
            ada.upsert(json!({ "number": told, "padding": padding })).await;
            // Somebody who reads hears of every change, in order.
            assert_eq!(bob.hears("user.updated").await["user"]["number"], told);
        }
    }
    // Whoever watched the metrics saw it fall behind, and sees that it is over.
    assert!(behind > 0.0);
    assert_eq!(Scrape::of(&server).await.get("rollcall_longest_queue_events"), 0.0);
    // It is told to come back, as soon as it reads what was on its way.
    let mut rest = Vec::new();
    timeout(PATIENCE, stalled.read_to_end(&mut rest)).await.expect("an end in time").unwrap();
    let numbers = String::from_utf8_lossy(&rest).matches(r#""number":"#).count();
    assert!(numbers < told as usize, "it got all of {told}");
    let reason = "too slow: retry after 1 s";
    let close = [&[0x88, 2 + reason.len() as u8], &1013u16.to_be_bytes()[..], reason.as_bytes()].concat();
    assert!(rest.ends_with(&close), "a close frame at the end: {:?}", &rest[rest.len() - 40..]);
}

/// What the socket does not take at once is a matter between the connection's queue and its task: whoever
/// writes what, a frame is whole and in its place.
#[tokio::test]
async fn a_reader_that_pauses_misses_nothing_and_gets_all_in_order() {
    let mut flags = WITHOUT_LIMITS.to_vec();
    flags.extend(["--event-queue", "100000"]);
    let server = TestServer::with(&flags).await;
    let ada = server.connect("ada").await;
    let mut bob = server.connect("bob").await;
    bob.watch_users(&["ada"]).await;
    let mut url = Url::parse(&server.url("/connect")).unwrap();
    url.query_pairs_mut().append_pair("api_key", KEY).extend_pairs(&hello("eve"));
    url.set_scheme("ws").unwrap();
    let (mut eve, _) = client_async(url.as_str(), narrow(&server).await).await.unwrap();
    let greeting: Value = serde_json::from_str(eve.next().await.unwrap().unwrap().to_text().unwrap()).unwrap();
    eve_watches_ada(&server, greeting["connection_id"].as_str().unwrap()).await;

    let padding = "x".repeat(4_000);
    let (mut told, mut heard, mut pings) = (0, 0, 0);
    for _ in 0..3 {
        let mut behind = 0.0;
        while behind < 100.0 {
            for _ in 0..50 {
                told += 1;
                ada.upsert(json!({ "number": told, "padding": padding })).await;
                assert_eq!(bob.hears("user.updated").await["user"]["number"], told);
            }
            // The answer must find its place between two events.
            pings += 1;
            eve.send(Message::Ping(pings.to_string().into())).await.unwrap();
            behind = Scrape::of(&server).await.get("rollcall_longest_queue_events");
            assert!(told < 12_000, "she is never behind");
        }
        // Only the newest ping has to be answered.
        let mut answered = String::new();
        while heard < told || answered != pings.to_string() {
            match timeout(PATIENCE, eve.next()).await.expect("a message in time").unwrap().unwrap() {
                Message::Pong(ping) => answered = String::from_utf8(ping.to_vec()).unwrap(),
                Message::Text(text) if text.contains(r#""user.updated""#) => {
                    let event: Value = serde_json::from_str(&text).unwrap();
                    heard += 1;
                    assert_eq!(event["user"]["number"], heard);
                }
                _ => {}
            }
        }
    }
}

/// Bytes that this process, and the server in it, has in memory.
#[cfg(target_os = "linux")]
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

/// What nobody reads is kept up to a limit, and for a time.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn replies_that_nobody_reads_do_not_fill_the_memory() {
    const MOST: usize = 32 << 20;
    let most = MOST.to_string();
    let flags = ["--custom-data-bytes", "1000000", "--reply-bytes", &most, "--write-timeout", "3s"];
    let server = TestServer::with(&flags).await;
    let everybody: Vec<String> = (0..4).map(|number| format!("user-{number}")).collect();
    for id in &everybody {
        let user = json!({ "users": { id: { "id": id, "padding": "x".repeat(900_000) } } });
        server.server_side(Method::POST, "/users", user).await;
    }
    let payload = json!({ "filter_conditions": { "id": { "$in": everybody } } }).to_string();
    let url = Url::parse_with_params("http://x/users", [("api_key", KEY), ("payload", &payload)]).unwrap();
    let ask = async |user: &str| {
        let mut stream = narrow(&server).await;
        let token = common::user_token(user);
        let head = format!(
            "GET /users?{} HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\n\r\n",
            url.query().unwrap()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut status)).await.expect("an answer in time").unwrap();
        (String::from_utf8_lossy(&status[9..]).into_owned(), stream)
    };
    let before = memory();
    let mut unread = Vec::new();
    let (mut answered, mut refused) = (0, 0);
    for round in 0..40 {
        let (status, stream) = ask(&format!("eve-{}", round % 8)).await;
        match status.as_str() {
            "200" => answered += 1,
            "429" => refused += 1,
            other => panic!("{other}"),
        }
        unread.push(stream);
        let now = Scrape::of(&server).await.get("rollcall_untaken_reply_bytes");
        assert!(now <= MOST as f64, "{now} bytes are kept");
    }
    let grown = memory().saturating_sub(before);
    assert!(grown < 2 * MOST, "{answered} replies of 3.6 MB that nobody reads take {grown} bytes");
    assert!(answered > 0 && refused > 0, "{answered} answered, {refused} refused");

    // It passes: they are cut off, and others get what they ask for.
    Scrape::until(&server, |now| now.get("rollcall_untaken_reply_bytes") == 0.0).await;
    assert_eq!(ask("bob").await.0, "200");
    drop(unread);
}
