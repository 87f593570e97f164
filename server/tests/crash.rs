//! The server is killed with -9 at random moments, again and again, while people write, come, go
//! and watch. `ROLLCALL_KILLS` says how often; `ROLLCALL_SEED` plays one run again.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::Duration;

use common::Person;
use common::binary::{Binary, command};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{Connection, Row};
use tokio::process::Command;
use tokio::sync::watch;

const WRITERS: usize = 4;
/// Who connects in each life of the server; the first two come back in the next one.
const GUESTS: [&str; 4] = ["returns-0", "returns-1", "stays-away-0", "stays-away-1"];

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().map_or(otherwise, |text| text.parse().expect(name))
}

/// xorshift: enough to pick moments, and the same for one seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

async fn start(directory: &Path) -> Binary {
    let flags = ["--listen", "127.0.0.1:0", "--offline-grace", "500ms"];
    Binary::spawn(&mut command(directory, &flags)).await
}

/// Comes, and watches the guests. With what each was shown as.
async fn arrive(server: &Binary, user: &str) -> (Person, BTreeMap<String, bool>) {
    let person = Person::connect_at(&server.address, json!({ "id": user }), "").await;
    let shown = person.watch_users(&GUESTS).await;
    let shown = shown.iter().map(|user| (user["id"].as_str().unwrap().to_owned(), user["online"] == true));
    let shown = shown.collect();
    (person, shown)
}

/// Writes until the server dies; what was acknowledged is in `acknowledged`.
async fn write(server: &Binary, writer: usize, from: u64, acknowledged: &mut u64, total: &watch::Sender<u64>) {
    for number in from.. {
        match server.upsert(&format!("writer-{writer}"), json!({ "number": number, "same": number })).await {
            Ok(status) => assert_eq!(status, StatusCode::CREATED),
            Err(_) => return,
        }
        *acknowledged = number;
        total.send_modify(|total| *total += 1);
    }
}

#[tokio::test]
async fn whatever_was_acknowledged_survives_and_nobody_stays_as_a_ghost() {
    let kills = setting("ROLLCALL_KILLS", 5);
    let seed = setting("ROLLCALL_SEED", RandomState::new().hash_one(0) | 1);
    println!("ROLLCALL_SEED={seed}");
    let mut random = Random(seed);
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = [0; WRITERS];
    let mut server = start(directory.path()).await;
    for kill in 1..=kills {
        let mut guests = Vec::new();
        for guest in GUESTS {
            guests.push(arrive(&server, guest).await);
        }
        // Somewhere among the writes, and at any moment of one.
        let (moment, extra) = (random.below(60), Duration::from_micros(random.below(3_000)));
        let (total, mut written) = watch::channel(0);
        let pid = server.child.id().unwrap().to_string();
        let killing = async {
            written.wait_for(|total| *total >= moment).await.unwrap();
            tokio::time::sleep(extra).await;
            assert!(Command::new("kill").args(["-KILL", &pid]).status().await.unwrap().success());
        };
        let writing = acknowledged.iter_mut().enumerate().map(|(writer, last)| {
            let from = *last + 2;
            write(&server, writer, from, last, &total)
        });
        let writing = futures_util::future::join_all(writing);
        tokio::join!(writing, killing);
        server.child.wait().await.unwrap();
        drop(guests);
        assert_eq!(integrity(&directory.path().join("rollcall.db")).await, "ok", "after kill {kill}");

        server = start(directory.path()).await;
        let users = by_id(&server).await;
        for (writer, last) in acknowledged.iter().enumerate().filter(|(_, last)| **last > 0) {
            let user = &users[&format!("writer-{writer}")];
            assert_eq!(user["number"], user["same"], "half a write after kill {kill}");
            // The one write that was under way may be there too.
            let number = user["number"].as_u64().unwrap();
            assert!(number == *last || number == last + 1 || number == last + 2, "{user}, acknowledged {last}");
        }
        let (mut watcher, mut shown) = arrive(&server, GUESTS[0]).await;
        let returned = arrive(&server, GUESTS[1]).await;
        // Those who stay away are gone within the grace, which is all that this waits for; who watches is told.
        loop {
            let here = GUESTS.map(|guest| guest == watcher.id || shown.get(guest) == Some(&true));
            if here == [true, true, false, false] {
                break;
            }
            let (user, online) = watcher.sees().await;
            shown.insert(user, online);
        }
        let users = by_id(&server).await;
        let online: Vec<&String> = users.iter().filter(|(_, user)| user["online"] == true).map(|(id, _)| id).collect();
        assert_eq!(online, [GUESTS[0], GUESTS[1]]);
        drop(returned);
    }
}

async fn by_id(server: &Binary) -> BTreeMap<String, Value> {
    let users = server.users(json!({})).await;
    users.into_iter().map(|user| (user["id"].as_str().unwrap().to_owned(), user)).collect()
}

/// SQLite's own judgement of the file and of all references within it.
async fn integrity(database: &Path) -> String {
    let mut connection = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(database)).await.unwrap();
    let dangling = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut connection).await.unwrap();
    assert!(dangling.is_empty(), "{} rows refer to nothing", dangling.len());
    sqlx::query("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap().get(0)
}
