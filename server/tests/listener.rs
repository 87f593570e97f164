//! How connections are taken in: TLS, dawdlers, and headers without end.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::TestServer;
use common::binary::{Binary, command, hello, stderr_of};
use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

const PATIENCE: Duration = Duration::from_secs(10);

/// A certificate for `localhost` in `cert.pem`, its key in `key.pem`.
fn certify(directory: &Path) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(directory.join("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.pem()
}

async fn secure(server: &Binary, certificate: &str) -> TlsStream<TcpStream> {
    try_secure(server, certificate).await.unwrap()
}

async fn try_secure(server: &Binary, certificate: &str) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(&server.address).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

#[tokio::test]
async fn with_a_certificate_it_speaks_tls_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let certificate = certify(directory.path());
    let flags = ["--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    assert!(server.line.starts_with("Rollcall is running at https://localhost:"), "{}", server.line);

    // Somebody who says nothing does not keep others from shaking hands.
    let _silent = TcpStream::connect(&server.address).await.unwrap();
    let mut stream = secure(&server, &certificate).await;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");

    let mut url = reqwest::Url::parse("ws://localhost/connect").unwrap();
    url.query_pairs_mut().append_pair("api_key", common::KEY).extend_pairs(&hello("ada"));
    let (mut socket, _) = client_async(url.as_str(), secure(&server, &certificate).await).await.unwrap();
    let first = socket.next().await.unwrap().unwrap().into_text().unwrap();
    assert!(first.contains(r#""type":"health.check""#), "{first}");

    assert!(reqwest::get(format!("http://{}/healthz", server.address)).await.is_err());
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_named() {
    let directory = tempfile::tempdir().unwrap();
    certify(directory.path());
    std::fs::write(directory.path().join("empty.pem"), "").unwrap();
    std::fs::rename(directory.path().join("key.pem"), directory.path().join("old.pem")).unwrap();
    certify(directory.path());
    for (certificate, key, named) in [
        ("none.pem", "key.pem", "none.pem of --tls-cert"),
        ("empty.pem", "key.pem", "empty.pem of --tls-cert"),
        ("cert.pem", "empty.pem", "empty.pem of --tls-key"),
        ("cert.pem", "old.pem", "--tls-cert and --tls-key do not belong together"),
    ] {
        let flags = ["--listen", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key];
        let (status, said) = stderr_of(command(directory.path(), &flags).spawn().unwrap()).await;
        assert!(!status.success() && said.contains(named) && said.lines().count() == 1, "{said}");
    }
    let (status, said) = stderr_of(command(directory.path(), &["--tls-cert", "cert.pem"]).spawn().unwrap()).await;
    assert!(!status.success() && said.contains("--tls-key"), "{said}");
}

/// Whether who trusts this certificate alone gets through.
async fn trusts(server: &Binary, certificate: &str) -> bool {
    let Ok(mut stream) = try_secure(server, certificate).await else { return false };
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    reply.starts_with("HTTP/1.1 200")
}

/// Waits until the server shows this certificate.
async fn shows(server: &Binary, certificate: &str) {
    timeout(PATIENCE, async { while !trusts(server, certificate).await {} }).await.expect("the certificate in time");
}

#[tokio::test]
async fn a_new_certificate_is_used_and_cuts_nobody_off() {
    let directory = tempfile::tempdir().unwrap();
    let first = certify(directory.path());
    let flags = ["--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem"];
    let watching = [&flags[..], &["--tls-check-interval", "50ms"]].concat();
    let server = Binary::spawn(&mut command(directory.path(), &watching)).await;
    let mut url = reqwest::Url::parse("ws://localhost/connect").unwrap();
    url.query_pairs_mut().append_pair("api_key", common::KEY).extend_pairs(&hello("ada"));
    let (mut ada, _) = client_async(url.as_str(), secure(&server, &first).await).await.unwrap();
    ada.next().await.unwrap().unwrap();

    let second = certify(directory.path());
    shows(&server, &second).await;
    assert!(!trusts(&server, &first).await);
    ada.send(Message::text(r#"[{"type":"health.check"}]"#)).await.unwrap();
    while !ada.next().await.unwrap().unwrap().to_text().unwrap().contains("health.check") {}
}

#[cfg(unix)]
#[tokio::test]
async fn a_bad_certificate_leaves_the_one_before_and_is_named_in_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let first = certify(directory.path());
    let flags = ["--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--log-format", "json"];
    let mut server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let mut log = BufReader::new(server.child.stderr.take().unwrap()).lines();
    let mut says = async |wanted: &str| loop {
        let line = timeout(PATIENCE, log.next_line()).await.expect("a line in time").unwrap().unwrap();
        if line.contains(wanted) {
            return line;
        }
    };
    std::fs::write(directory.path().join("cert.pem"), "nonsense").unwrap();
    server.signal("-HUP").await;
    let line = says("ERROR").await;
    assert!(line.contains("cert.pem of --tls-cert"), "{line}");
    assert!(trusts(&server, &first).await);

    let second = certify(directory.path());
    server.signal("-HUP").await;
    says("the certificate was read again").await;
    assert!(trusts(&server, &second).await && !trusts(&server, &first).await);
}

/// A disk that is away does as much.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_never_comes_holds_up_no_stop() {
    let directory = tempfile::tempdir().unwrap();
    certify(directory.path());
    let flags =
        ["--listen", "127.0.0.1:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem", "--shutdown-timeout", "1s"];
    let server = Binary::spawn(&mut command(directory.path(), &flags)).await;
    let pipe = directory.path().join("cert.pem");
    std::fs::remove_file(&pipe).unwrap();
    assert!(tokio::process::Command::new("mkfifo").arg(&pipe).status().await.unwrap().success());
    server.signal("-HUP").await;
    // Opens when somebody reads, who then waits for what is never written.
    let _writer = tokio::fs::OpenOptions::new().write(true).open(&pipe).await.unwrap();
    server.signal("-TERM").await;
    assert!(server.ended().await.success());
}

#[tokio::test]
async fn whoever_dawdles_over_a_header_is_cut_off_and_others_are_served() {
    let server = TestServer::with(&["--header-timeout", "500ms"]).await;
    let mut ada = server.connect("ada").await;
    let mut dawdlers = Vec::new();
    for said in ["", "GET /heal", "GET /healthz HTTP/1.1\r\nhost: local"] {
        for _ in 0..50 {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            stream.write_all(said.as_bytes()).await.unwrap();
            dawdlers.push(stream);
        }
    }
    assert_eq!(reqwest::get(server.url("/healthz")).await.unwrap().status(), StatusCode::OK);
    for mut stream in dawdlers {
        let mut rest = Vec::new();
        // Ended or reset: either way it is over.
        let _ = timeout(PATIENCE, stream.read_to_end(&mut rest)).await.expect("an end in time");
    }
    // A socket that was upgraded, longer ago than any of them, has no header to wait for.
    ada.upsert(serde_json::json!({ "status": "still here" })).await;
    ada.hears("user.updated").await;
}

/// What cannot be read to its end is answered as far as it goes, and the connection ends.
#[tokio::test]
async fn whoever_dawdles_over_a_body_is_told_so_and_others_are_served() {
    let server = TestServer::with(&["--body-timeout", "500ms"]).await;
    let token = common::token(serde_json::json!({ "server": true }));
    let mut dawdlers = Vec::new();
    for (header, said) in [
        ("content-length: 100", ""),
        ("content-length: 100", "{\"users\":"),
        ("transfer-encoding: chunked", "2\r\n{\"\r\n"),
    ] {
        for _ in 0..20 {
            let mut stream = TcpStream::connect(server.address).await.unwrap();
            let request = format!(
                "POST /users?api_key={} HTTP/1.1\r\nhost: localhost\r\nauthorization: {token}\r\n{header}\r\n\r\n{said}",
                common::KEY
            );
            stream.write_all(request.as_bytes()).await.unwrap();
            dawdlers.push(stream);
        }
    }
    server.knows(&["ada"]).await;
    for mut stream in dawdlers {
        let mut reply = String::new();
        timeout(PATIENCE, stream.read_to_string(&mut reply)).await.expect("an end in time").unwrap();
        assert!(reply.starts_with("HTTP/1.1 408 ") && reply.contains(r#""code":23"#), "{reply}");
    }
}

#[tokio::test]
async fn a_header_without_end_is_refused() {
    let server = TestServer::with(&["--header-bytes", "8192"]).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nx-long: ").await.unwrap();
    let endless = async { while stream.write_all(&[b'x'; 1024]).await.is_ok() {} };
    timeout(PATIENCE, endless).await.expect("an end in time");
    let address = format!("{}?{}", server.url("/healthz"), "x".repeat(20_000));
    let status = reqwest::get(address).await.unwrap().status();
    assert_eq!(status, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);

    // Wherever it is sent, it is told so as far as it could be read.
    for path in ["/healthz", "/connect", "/users", "/no-such-place"] {
        for (address, header, allowed) in [(8192, 8000, true), (1, 8193, false), (16_000, 1000, false)] {
            let url = format!("{}?{}", server.url(path), "x".repeat(address));
            let reply = reqwest::Client::new().get(url).header("x-long", "x".repeat(header)).send().await.unwrap();
            let status = reply.status();
            let error: serde_json::Value = reply.json().await.unwrap();
            assert_eq!(status != 431 && error["code"] != 24, allowed, "{path}: {error}");
            assert_eq!(status == 431 && error["code"] == 24, !allowed, "{path}: {error}");
        }
    }
}

/// What it answers on a connection of its own, which ends with that.
async fn answer(server: &TestServer, path: &str) -> String {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut reply)).await.expect("an answer in time").unwrap();
    reply
}

#[tokio::test]
async fn who_says_nothing_takes_no_place_of_those_who_do() {
    let server = TestServer::with(&["--pending-connections", "3"]).await;
    // Sockets of somebody are not pending: there may be more of them.
    let mut people = Vec::new();
    for number in 0..5 {
        people.push(server.connect(&format!("user-{number}")).await);
    }
    let mut silent = Vec::new();
    for _ in 0..3 {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    let refused = answer(&server, "/hi").await;
    assert!(refused.starts_with("HTTP/1.1 429 ") && refused.contains(r#""code":9"#), "{refused}");
    assert!(refused.contains("\r\nretry-after: "), "{refused}");
    assert!(answer(&server, "/healthz").await.starts_with("HTTP/1.1 200 "));
    let metrics = answer(&server, "/metrics").await;
    assert!(metrics.contains("\nrollcall_pending_connections 3\n"), "{metrics}");
    assert!(metrics.contains(r#"turned_away_total{limit="pending-connections"} 3"#), "{metrics}");
    for person in &mut people {
        person.send(Message::text(r#"[{"type":"health.check"}]"#)).await;
        while person.next_frame().await["type"] != "health.check" {}
    }

    drop(silent);
    let served = async { while !answer(&server, "/hi").await.starts_with("HTTP/1.1 200 ") {} };
    timeout(PATIENCE, served).await.expect("a place in time");
}
