//! Little to send and much to hold: none of it makes the server's memory grow.

#![cfg(target_os = "linux")]

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::{Client, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::common::binary::{Binary, command};
use crate::common::{KEY, user_token};
use crate::raw::masked;

const PATIENCE: Duration = Duration::from_secs(10);
/// What the peak may rise by, in KiB: a few bodies of 1 MiB at a time, and what the allocator keeps.
const ALLOWED: u64 = 48 * 1024;

/// The most memory that the process ever had, in KiB.
fn peak(server: &Binary) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id().unwrap())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches("kB").trim().parse().unwrap()
}

fn url(server: &Binary, path: &str) -> String {
    format!("http://{}{path}?api_key={KEY}", server.address)
}

async fn assert_serves_others(server: &Binary) {
    let request = Client::new().get(url(server, "/users")).header("authorization", user_token("bob"));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
}

/// Nearly a gigabyte of blanks, in less than a body may have: gzip lets parts follow each other.
fn gzip_bomb() -> Vec<u8> {
    let mut part = GzEncoder::new(Vec::new(), Compression::best());
    part.write_all(&vec![b' '; 1 << 20]).unwrap();
    part.finish().unwrap().repeat(900)
}

/// Bodies that are small, or are once they are refused, and would be large.
async fn bodies(server: &Binary) {
    let pairs = |pair: fn(usize) -> String, count: usize| (0..count).map(pair).collect::<Vec<_>>().join(",");
    let deflated = gzip_bomb();
    assert!(deflated.len() < 1 << 20, "{}", deflated.len());
    for (what, encoding, body, status, code) in [
        ("gzip", "gzip", deflated, 400, 4),
        ("lists in lists", "identity", b"[".repeat(1_000_000), 400, 4),
        ("many lists", "identity", format!("[{}]", pairs(|_| "[]".to_owned(), 300_000)).into_bytes(), 400, 4),
        ("many fields", "identity", format!("{{{}}}", pairs(|n| format!("\"{n}\":0"), 90_000)).into_bytes(), 400, 4),
    ] {
        crate::assert_documented(status, code);
        for _ in 0..5 {
            let request = Client::new().post(url(server, "/users")).header("authorization", user_token("ada"));
            let response = request.header("content-encoding", encoding).body(body.clone()).send().await.unwrap();
            assert_eq!(response.status().as_u16(), status, "{what}");
            let error: serde_json::Value = response.json().await.unwrap();
            assert_eq!(error["code"], code, "{what}: {error}");
            assert_serves_others(server).await;
        }
    }
}

/// A body in chunks that never ends: it is refused once it is too large, not read to its end.
async fn endless_body(server: &Binary) {
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    let token = user_token("ada");
    let head = format!(
        "POST /users?api_key={KEY} HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = [&b"10000\r\n"[..], &[b' '; 0x10000], b"\r\n"].concat();
    let mut sent = 0;
    let pouring = async {
        while stream.write_all(&chunk).await.is_ok() {
            sent += chunk.len();
        }
    };
    timeout(PATIENCE, pouring).await.expect("an end in time");
    // What the sockets of both sides hold comes on top of the body.
    assert!(sent < 32 << 20, "{sent} bytes were taken");
    assert_serves_others(server).await;
}

/// Many sockets, each in the middle of something that claims, or begins, to be large.
async fn sockets(server: &Binary) {
    let mut url = reqwest::Url::parse(&url(server, "/connect")).unwrap();
    url.query_pairs_mut().extend_pairs(crate::common::binary::hello("ada"));
    let upgrade = format!(
        "GET {}?{} HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        url.path(),
        url.query().unwrap(),
    );
    let mut open = Vec::new();
    for claim in [200_000u64, 1 << 31, 1 << 62] {
        for _ in 0..100 {
            let mut stream = TcpStream::connect(&server.address).await.unwrap();
            stream.write_all(upgrade.as_bytes()).await.unwrap();
            let mut first = [0; 12];
            stream.read_exact(&mut first).await.unwrap();
            assert_eq!(&first, b"HTTP/1.1 101");
            let claims = [&[0x81, 0xFF][..], &claim.to_be_bytes(), &[0; 4], b"a beginning"].concat();
            stream.write_all(&masked(0x01, &[b'x'; 10_000])).await.unwrap();
            // What follows may find the socket closed.
            let _ = stream.write_all(&claims).await;
            open.push(stream);
        }
        assert_serves_others(server).await;
    }
}

#[tokio::test]
async fn no_bomb_makes_its_memory_grow() {
    let directory = tempfile::tempdir().unwrap();
    let flags = ["--listen", "127.0.0.1:0", "--connections-per-user", "0"];
    let server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    assert_serves_others(&server).await;
    let before = peak(&server);
    bodies(&server).await;
    endless_body(&server).await;
    sockets(&server).await;
    let grown = peak(&server) - before;
    println!("the peak rose by {grown} KiB from {before} KiB");
    assert!(grown < ALLOWED, "the peak rose by {grown} KiB");
}
