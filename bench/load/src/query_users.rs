//! What a query of users by their ids takes, through the server and of the database itself.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use reqwest::Request;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::backend::{Backend, client, id};
use crate::process::own_cpu;
use crate::server::Server;
use crate::token::{self, KEY};

/// What the server asks its database.
pub const SQL: &str = "SELECT users.* FROM users WHERE users.deleted_at IS NULL AND users.deactivated_at IS NULL \
    AND (users.id IN (SELECT value FROM json_each(?))) ORDER BY (users.created_at) DESC NULLS LAST, users.id \
    LIMIT ? OFFSET ?";
/// Here one program asks all the time.
const FLAGS: [&str; 2] = ["--user-requests-per-minute", "0"];

#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Users who are stored
    #[arg(long, default_value_t = 100_000)]
    pub users: usize,
    /// Users that a query asks for
    #[arg(long, default_value_t = 100)]
    pub asked_for: usize,
    /// Queries of a round
    #[arg(long, default_value_t = 200)]
    pub queries: usize,
    /// Rounds, in each of which both have their turn
    #[arg(long, default_value_t = 8)]
    pub rounds: usize,
}

/// Of all rounds: microseconds a query.
#[derive(Debug, Default, Serialize)]
pub struct Costs {
    /// Of the processor of who answers.
    pub cpu_us: Vec<f64>,
    /// From the question to the answer.
    pub latency_us: Vec<f64>,
}

#[derive(Debug, Default, Serialize)]
pub struct Report {
    pub server: Costs,
    pub database: Costs,
    /// Processors that this program kept busy while the server answered.
    pub generator_cpu: f64,
}

impl Costs {
    fn add(&mut self, queries: usize, began: Instant, cpu: f64) {
        let each = |seconds: f64| seconds * 1e6 / queries as f64;
        self.latency_us.push(each(began.elapsed().as_secs_f64()));
        self.cpu_us.push(each(cpu));
    }
}

pub async fn run(server: &Path, options: &Options) -> Result<Report> {
    let Options { users, asked_for, queries, rounds } = *options;
    let server = Server::start(server, &FLAGS).await?;
    Backend::of(server.address)?.introduces(users).await?;
    let database = SqliteConnectOptions::new().filename(server.database()).pragma("query_only", "1");
    // No less prepared for as many rows than the server's own.
    let mut database = database.row_buffer_size(asked_for.next_power_of_two()).connect().await?;
    let mut report = Report::default();
    let (mut asked, mut own) = (0.0, 0.0);
    // In the first round everything is new to everybody.
    for round in 0..=rounds {
        let wanted: Vec<_> = (0..queries).map(|_| some(users, asked_for)).collect();
        let lists: Vec<_> = wanted.iter().map(|ids| json!(ids).to_string()).collect();
        let (began, cpu) = (Instant::now(), own_cpu()?);
        for ids in &lists {
            let query = sqlx::query(SQL).bind(ids).bind(asked_for as i64).bind(0);
            ensure!(query.fetch_all(&mut database).await?.len() == asked_for, "the database has not all of them");
        }
        if round > 0 {
            report.database.add(queries, began, own_cpu()? - cpu);
        }
        let asking = Asking::of(&server)?;
        let questions = wanted.iter().map(|ids| asking.question(ids)).collect::<Result<Vec<_>>>()?;
        let mut answers = Vec::with_capacity(queries);
        let (began, cpu, own_before) = (Instant::now(), server.process.cpu()?, own_cpu()?);
        for question in questions {
            answers.push(asking.http.execute(question).await?.error_for_status()?.bytes().await?);
        }
        if round > 0 {
            report.server.add(queries, began, server.process.cpu()? - cpu);
            asked += began.elapsed().as_secs_f64();
            own += own_cpu()? - own_before;
        }
        for answer in answers {
            let answer: Value = serde_json::from_slice(&answer)?;
            let found = answer["users"].as_array().map_or(0, Vec::len);
            ensure!(found == asked_for, "the server has not all of them");
        }
    }
    report.generator_cpu = own / asked;
    Ok(report)
}

/// The ids of so many of the users, none of them twice.
fn some(users: usize, count: usize) -> Vec<String> {
    let stride = users / count;
    (0..count).map(|place| id(place * stride + fastrand::usize(..stride))).collect()
}

/// A user who asks.
struct Asking {
    http: reqwest::Client,
    url: String,
    token: String,
    me: String,
}

impl Asking {
    fn of(server: &Server) -> Result<Self> {
        let me = id(0);
        Ok(Self {
            http: client().build()?,
            url: format!("http://{}/users", server.address),
            token: token::user(&me)?,
            me,
        })
    }

    /// Who these users are.
    fn question(&self, ids: &[String]) -> Result<Request> {
        let payload = json!({ "filter_conditions": { "id": { "$in": ids } }, "limit": ids.len() }).to_string();
        let query = [("api_key", KEY), ("user_id", &self.me), ("payload", &payload)];
        Ok(self.http.get(&self.url).query(&query).header("authorization", &self.token).build()?)
    }
}
