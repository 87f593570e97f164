//! A server on Postgres, for those who use it and those who operate it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::binary::{command, stderr_of};
use common::person::{close_code, open};
use common::postgres::{self, Postgres};
use common::proxy::{Proxy, Target};
use common::{TestServer, WITHOUT_LIMITS, token, user_token};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Executor};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Far longer than anything takes: only a failing test ever waits for it.
const PATIENCE: Duration = Duration::from_secs(30);

fn flip(user: &str, online: bool) -> (String, bool) {
    (user.to_owned(), online)
}

#[tokio::test]
async fn two_people_see_each_other_and_what_they_say_of_themselves_outlives_the_server() {
    let Some(postgres) = postgres::shared() else { return };
    let server = TestServer::with_database(postgres.database().await, &[]).await;
    let mut ada = server.connect("ada").await;
    server.knows(&["bob"]).await;
    assert_eq!(ada.watch_users(&["bob"]).await[0]["online"], false);
    let bob = server.connect("bob").await;
    assert_eq!(ada.sees().await, flip("bob", true));
    bob.upsert(json!({ "status": "Łódź" })).await;
    assert_eq!(ada.hears("user.updated").await["user"]["status"], "Łódź");
    bob.says_goodbye().await;
    assert_eq!(ada.sees().await, flip("bob", false));

    let server = server.restart().await;
    let bob = server.user("bob").await;
    assert_eq!((&bob["status"], &bob["online"]), (&json!("Łódź"), &json!(false)));
    assert!(bob["last_active"].is_string());
}

/// Somebody's server, which writes one number after the other, whatever comes of it.
struct Writer {
    user: String,
    written: watch::Sender<Written>,
    stop: watch::Receiver<bool>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Written {
    acknowledged: u64,
    last: u64,
    refused: u64,
}

impl Writer {
    /// Ends with a number that was acknowledged, and returns it.
    async fn run(self, server: Arc<TestServer>) -> (String, u64) {
        let token = token(json!({ "server": true }));
        for number in 1.. {
            let users = json!({ "users": { self.user.as_str(): { "id": self.user, "number": number } } });
            let (status, reply) = server.request(&token, Method::POST, "/users", users).await;
            if status == StatusCode::CREATED {
                self.written.send_modify(|w| (w.acknowledged, w.last) = (w.acknowledged + 1, number));
                if *self.stop.borrow() {
                    return (self.user, number);
                }
                continue;
            }
            assert_eq!((status.as_u16(), &reply["code"]), (500, &json!(-1)), "{reply}");
            let message = reply["message"].as_str().unwrap();
            assert!(message.contains("the database cannot be reached: retry after"), "{message}");
            self.written.send_modify(|w| w.refused += 1);
        }
        unreachable!("numbers do not end")
    }
}

async fn until(watched: &mut [watch::Receiver<Written>], reached: impl Fn(&Written) -> bool) {
    for written in watched {
        timeout(PATIENCE, written.wait_for(&reached)).await.expect("it comes so far in time").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_postgres_is_away_the_server_lives_and_nothing_is_lost() {
    let Some(mut postgres) = Postgres::start() else { return };
    let server = Arc::new(TestServer::with_database(postgres.database().await, &WITHOUT_LIMITS).await);
    let probe = async |path: &str| reqwest::get(server.url(path)).await.unwrap().status();
    let mut ada = server.connect("ada").await;
    server.knows(&["bob"]).await;
    ada.watch_users(&["bob"]).await;
    let (stop, stopped) = watch::channel(false);
    let (mut writers, mut watched) = (JoinSet::new(), Vec::new());
    for number in 0..4 {
        let (written, receiver) = watch::channel(Written::default());
        watched.push(receiver);
        let writer = Writer { user: format!("writer-{number}"), written, stop: stopped.clone() };
        writers.spawn(writer.run(server.clone()));
    }
    for end in [Postgres::stop, Postgres::crash] {
        let bob = server.connect("bob").await;
        assert_eq!(ada.sees().await, flip("bob", true));
        let before: Vec<_> = watched.iter().map(|written| *written.borrow()).collect();
        let most = before.iter().map(|w| w.acknowledged).max().unwrap();
        until(&mut watched, |now| now.acknowledged > most + 5).await;
        end(&mut postgres);
        let refused = watched.iter().map(|written| written.borrow().refused).max().unwrap();
        until(&mut watched, |now| now.refused > refused + 5).await;

        assert_eq!(probe("/healthz").await, StatusCode::OK);
        assert_eq!(probe("/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        let (status, error) = ada.request(Method::GET, "/users", json!({})).await;
        assert_eq!((status.as_u16(), &error["code"]), (500, &json!(3)), "{error}");
        // Not by an error frame, after which an SDK would give up.
        let eve = json!({ "user_id": "eve", "user_details": { "id": "eve" } }).to_string();
        let mut socket = open(&server, &[("json", eve), ("authorization", user_token("eve"))]).await;
        assert_eq!(close_code(&mut socket).await, Some(1013));
        bob.says_goodbye().await;

        postgres.start_again();
        assert_eq!(ada.sees().await, flip("bob", false));
        let acknowledged = watched.iter().map(|written| written.borrow().acknowledged).max().unwrap();
        until(&mut watched, |now| now.acknowledged > acknowledged + 5).await;
        assert_eq!(probe("/readyz").await, StatusCode::OK);
        assert_eq!(server.user("bob").await["online"], false);
        server.connect("eve").await.says_goodbye().await;
    }
    stop.send(true).unwrap();
    while let Some(writer) = timeout(PATIENCE, writers.join_next()).await.expect("an end in time") {
        let (user, number) = writer.unwrap();
        assert_eq!(server.user(&user).await["number"], number);
    }
}

/// Somebody holds the table: whoever asks for it waits.
async fn hold_users(database: &str) -> sqlx::PgConnection {
    let mut connection = database.parse::<PgConnectOptions>().unwrap().connect().await.unwrap();
    connection.execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE").await.unwrap();
    connection
}

async fn until_somebody_waits(holder: &mut sqlx::PgConnection) {
    let waiting = "SELECT count(*) > 0 FROM pg_locks JOIN pg_database ON pg_database.oid = database
        WHERE datname = current_database() AND NOT granted";
    while !sqlx::query_scalar::<_, bool>(waiting).fetch_one(&mut *holder).await.unwrap() {}
}

#[tokio::test]
async fn an_answer_that_was_lost_with_the_network_is_not_waited_for_for_ever() {
    let Some(postgres) = postgres::shared() else { return };
    let database = postgres.database().await;
    let way = Proxy::to(Target::Unix(postgres.socket())).await;
    let by_way = database.split('?').next().unwrap().replace("localhost:5432", &way.address());
    let server = TestServer::with_database(by_way, &["--query-timeout", "3s", "--connects-at-once", "1"]).await;
    let mut holder = hold_users(&database).await;
    let eve = json!({ "user_id": "eve", "user_details": { "id": "eve" } }).to_string();
    let mut socket = open(&server, &[("json", eve), ("authorization", user_token("eve"))]).await;
    until_somebody_waits(&mut holder).await;

    way.cut();
    holder.execute("ROLLBACK").await.unwrap();
    way.mend_for_new();
    assert_eq!(close_code(&mut socket).await, Some(1013));
    let is_ready = async || reqwest::get(server.url("/readyz")).await.unwrap().status() == StatusCode::OK;
    timeout(PATIENCE, async { while !is_ready().await {} }).await.expect("it is ready in time");
    server.connect("eve").await.says_goodbye().await;
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_stopped_and_the_next_is_served() {
    let Some(postgres) = postgres::shared() else { return };
    let database = postgres.database().await;
    let server = TestServer::with_database(database.clone(), &["--query-timeout", "200ms"]).await;
    let ask = async || server.request(&token(json!({ "server": true })), Method::GET, "/users", Value::Null).await;
    let mut holder = hold_users(&database).await;
    let (status, error) = ask().await;
    assert_eq!((status.as_u16(), &error["code"]), (408, &json!(23)), "{error}");
    holder.execute("ROLLBACK").await.unwrap();
    assert_eq!(ask().await.0, StatusCode::OK);
}

#[tokio::test]
async fn without_a_limit_a_query_may_take_any_time() {
    let Some(postgres) = postgres::shared() else { return };
    let database = postgres.database().await;
    let server = TestServer::with_database(database.clone(), &["--query-timeout", "0"]).await;
    let mut holder = hold_users(&database).await;
    let waits = async {
        until_somebody_waits(&mut holder).await;
        // Long enough for any limit that is none.
        holder.execute("SELECT pg_sleep(0.1); ROLLBACK").await.unwrap();
    };
    let token = token(json!({ "server": true }));
    let ask = server.request(&token, Method::GET, "/users", Value::Null);
    let ((status, reply), ()) = tokio::join!(ask, waits);
    assert_eq!(status, StatusCode::OK, "{reply}");
}

#[tokio::test]
async fn a_postgres_that_does_not_answer_is_an_error_in_one_line_without_the_password() {
    let directory = tempfile::tempdir().unwrap();
    // Nobody listens: the socket would be in this folder.
    let database = format!("postgres://ada:hunter2@localhost/rollcall?host={}", directory.path().display());
    let child = command(directory.path(), &["--listen", "127.0.0.1:0", "--database", &database]).spawn().unwrap();
    let (status, said) = stderr_of(child).await;
    assert!(!status.success());
    assert!(said.contains("cannot open the database of --database"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
}
