//! A server on Postgres, for those who use it and those who operate it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use common::TestServer;
use common::binary::{command, stderr_of};
use common::postgres::{self, Postgres};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

fn flip(user: &str, online: bool) -> (String, bool) {
    (user.to_owned(), online)
}

#[tokio::test]
async fn two_people_see_each_other_and_what_they_say_of_themselves_outlives_the_server() {
    let Some(postgres) = postgres::shared() else { return };
    let server = TestServer::with_database(postgres.database().await).await;
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

#[tokio::test]
async fn while_postgres_is_away_requests_fail_and_no_flip_is_lost() {
    let Some(mut postgres) = Postgres::start() else { return };
    let server = TestServer::with_database(postgres.database().await).await;
    let mut ada = server.connect("ada").await;
    let bob = server.connect("bob").await;
    ada.watch_users(&["bob"]).await;

    postgres.stop();
    let (status, error) = ada.request(Method::GET, "/users?payload={}", Value::Null).await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{error}");
    assert!(error["message"].as_str().unwrap().contains("try again later"), "{error}");
    assert_eq!(reqwest::get(server.url("/healthz")).await.unwrap().status(), StatusCode::INTERNAL_SERVER_ERROR);
    bob.says_goodbye().await;

    postgres.start_again();
    assert_eq!(ada.sees().await, flip("bob", false));
    assert_eq!(server.user("bob").await["online"], false);
    assert_eq!(reqwest::get(server.url("/healthz")).await.unwrap().status(), StatusCode::OK);
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
