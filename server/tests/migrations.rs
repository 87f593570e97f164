//! A database of every schema that was ever released opens with today's server, and loses nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::binary::{Binary, command, stderr_of};
use common::{KEY, token};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Row};

const FILE: &str = "rollcall.db";

/// The dumps of old databases, the oldest first.
fn dumps() -> Vec<PathBuf> {
    files("tests/fixtures")
}

fn files(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

async fn open(directory: &Path) -> SqliteConnection {
    // A dump names the tables in no order that foreign keys would like.
    let file = SqliteConnectOptions::new().filename(directory.join(FILE)).create_if_missing(true).foreign_keys(false);
    SqliteConnection::connect_with(&file).await.unwrap()
}

/// Makes the database that the dump describes.
async fn restore(dump: &Path, directory: &Path) {
    let mut database = open(directory).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(fs::read_to_string(dump).unwrap())).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
}

async fn ask(server: &Binary, path: &str, body: Value) -> Value {
    let request = reqwest::Client::new().post(format!("http://{}{path}?api_key={KEY}", server.address)).json(&body);
    let reply = request.header("authorization", token(json!({ "server": true }))).send().await.unwrap();
    assert!(reply.status().is_success(), "{path}: {}", reply.status());
    reply.json().await.unwrap()
}

#[tokio::test]
async fn nothing_is_lost_on_the_way_from_any_schema() {
    let schemas = files("migrations/sqlite").len();
    assert_eq!(dumps().len(), schemas, "a new schema needs a dump of a database that has it, in tests/fixtures");
    for dump in dumps() {
        let directory = tempfile::tempdir().unwrap();
        restore(&dump, directory.path()).await;
        // Twice: what was migrated opens again.
        for _ in 0..2 {
            let server = Binary::start(directory.path()).await;
            let users = server.users(json!({ "id": { "$in": ["ada", "bob", "eve"] } })).await;
            let [ada, bob, eve] = &users[..] else { panic!("{dump:?}: {users:?}") };
            assert_eq!((&ada["name"], &ada["status"]), (&json!("Ada Lovelace"), &json!("Eating a veggie burger...")));
            assert_eq!((&ada["desk"], &ada["last_active"]), (&json!({ "floor": 2 }), &json!("2023-11-14T22:13:20Z")));
            assert_eq!(
                (&bob["invisible"], &bob["role"], &bob["language"]),
                (&json!(true), &json!("admin"), &json!("en"))
            );
            assert_eq!((&eve["id"], &eve["online"]), (&json!("eve"), &json!(false)));
            assert_eq!(server.users(json!({ "id": "old" })).await.len(), 0, "who was deactivated stays so");

            let query = json!({ "filter_conditions": { "color": "green" }, "user_id": "ada", "state": true });
            let found = ask(&server, "/channels", query).await;
            let channel = &found["channels"][0];
            assert_eq!(channel["channel"]["cid"], "messaging:tea", "{dump:?}: {found}");
            assert_eq!(channel["members"].as_array().unwrap().len(), 2);
            assert_eq!(channel["messages"][0]["text"], "Tea is ready");
            assert_eq!(server.upsert("new", json!({})).await.unwrap(), StatusCode::CREATED);
        }
    }
}

#[tokio::test]
async fn every_schema_becomes_the_same() {
    let mut schemas = Vec::new();
    for dump in dumps() {
        let directory = tempfile::tempdir().unwrap();
        restore(&dump, directory.path()).await;
        drop(Binary::start(directory.path()).await);
        let mut database = open(directory.path()).await;
        let tables =
            "SELECT m.name, c.name, c.type, c.\"notnull\" FROM sqlite_schema m JOIN pragma_table_xinfo(m.name) c
            WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.name";
        let columns = sqlx::query(tables).fetch_all(&mut database).await.unwrap();
        let columns: Vec<(String, String, String, bool)> =
            columns.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
        let indexes = sqlx::query_scalar(
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND name NOT LIKE 'sqlite_%' ORDER BY name",
        );
        let indexes: Vec<String> = indexes.fetch_all(&mut database).await.unwrap();
        let health: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut database).await.unwrap();
        assert_eq!(health, "ok");
        schemas.push((columns, indexes));
    }
    assert!(schemas.windows(2).all(|pair| pair[0] == pair[1]), "{schemas:#?}");
}

#[tokio::test]
async fn a_database_of_a_newer_server_is_refused_in_one_line_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let server = Binary::start(directory.path()).await;
    server.signal("-TERM").await;
    // While it holds the file, closing ours would leave to the next one what is in the log.
    server.ended().await;
    let mut database = open(directory.path()).await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
        VALUES (9999, 'later', 1, x'00', 0)";
    sqlx::query(newer).execute(&mut database).await.unwrap();
    database.close().await.unwrap();
    let before = fs::read(directory.path().join(FILE)).unwrap();

    let flags = ["--listen", "127.0.0.1:0"];
    let (status, said) = stderr_of(command(directory.path(), &flags).spawn().unwrap()).await;
    assert!(!status.success());
    assert_eq!(
        said,
        "rollcall-server: cannot open the database of --database: it was written by a newer server, \
         with schema 9999: run that one, or restore a backup\n"
    );
    assert!(fs::read(directory.path().join(FILE)).unwrap() == before);
}
