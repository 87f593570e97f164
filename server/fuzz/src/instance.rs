//! A server in this process: what reaches it goes through every layer but the system's network.

use std::cell::RefCell;
use std::time::Duration;

use axum::Router;
use axum::body::{self, Body};
use axum::extract::Request;
use axum::http::StatusCode;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use rollcall_server::auth::Issued;
use rollcall_server::config::Config;
use rollcall_server::connection;
use rollcall_server::http;
use rollcall_server::hub::{Inbox, Membership, Origin};
use rollcall_server::server::Server;
use rollcall_server::state::AppState;
use rollcall_server::store::UserChange;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use tower::ServiceExt;

use super::{SECRET, SERVER};

/// Uses after which there is a new one, so that what was written does not pile up.
const USES: u32 = 5_000;
/// Nothing takes so long, unless it never ends.
const PATIENCE: Duration = Duration::from_secs(20);
const FLAGS: [&str; 14] = [
    "rollcall-server",
    "--api-key=key",
    "--database=sqlite::memory:",
    "--offline-grace=0s",
    "--page-grace=0s",
    "--flaps-per-minute=0",
    "--connections-per-user=0",
    "--user-requests-per-minute=0",
    "--rate-limit-scale=0",
    // So that a pause in a debugger is not the end of everybody.
    "--idle-timeout=1h",
    "--ping-after=30m",
    "--health-check-interval=1h",
    "--body-timeout=1h",
    "--header-timeout=1h",
];

pub struct Instance {
    pub app: AppState,
    router: Router,
    runtime: Runtime,
    resident: Resident,
    uses: u32,
}

/// Ada's connection, which is there all the time.
struct Resident {
    membership: Membership,
    inbox: Inbox,
}

impl Instance {
    /// Works with this thread's instance.
    pub fn with<T>(work: impl FnOnce(&mut Self) -> T) -> T {
        thread_local! {
            static INSTANCE: RefCell<Option<Instance>> = const { RefCell::new(None) };
        }
        INSTANCE.with_borrow_mut(|instance| {
            instance.take_if(|instance| instance.uses == USES);
            let instance = instance.get_or_insert_with(Instance::start);
            instance.uses += 1;
            work(instance)
        })
    }

    fn start() -> Self {
        let runtime = must(Builder::new_current_thread().enable_all().build());
        let (app, resident) = runtime.block_on(async {
            let flags = FLAGS.into_iter().map(Into::into).chain([format!("--api-secret={SECRET}").into()]);
            let config = must(must(Config::read(flags)).complete());
            let app = must(Server::assemble(config).await);
            let (membership, inbox) =
                must(app.arrive(UserChange::of("ada"), Issued::Unsigned, Origin::default()).await);
            (app, Resident { membership, inbox })
        });
        let router = http::router(app.clone(), connection::router());
        let mut instance = Self { app, router, runtime, resident, uses: 0 };
        for (method, path, body) in FURNITURE {
            let (status, reply) = instance.ask(SERVER, method, path, (*body).into());
            assert!(status.is_success(), "{path} answered {status}: {reply}");
        }
        instance
    }

    /// The id of Ada's connection.
    pub fn connection(&self) -> String {
        self.resident.membership.id().to_string()
    }

    /// Sends a request and returns the answer, which is JSON. An address that is none gets 400.
    pub fn ask(&mut self, token: &str, method: &str, path: &str, body: Vec<u8>) -> (StatusCode, Value) {
        let mark = if path.contains('?') { '&' } else { '?' };
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}{mark}api_key=key"))
            .header("authorization", token)
            .header("content-type", "application/json")
            .body(Body::from(body));
        let Ok(request) = request else { return (StatusCode::BAD_REQUEST, Value::Null) };
        let router = self.router.clone();
        let (status, answer) = self.run(async {
            let response = must(router.oneshot(request).await);
            (response.status(), must(body::to_bytes(response.into_body(), usize::MAX).await))
        });
        // Somebody has to read what she is told.
        self.resident.inbox.take(&mut Vec::new(), usize::MAX);
        let answer = serde_json::from_slice(&answer);
        (status, answer.unwrap_or_else(|error| panic!("{method} {path} answered {status}, and not with JSON: {error}")))
    }

    /// Says `request`, and when that was answered the rest and no more. Returns the answer's head, and
    /// what came after it until the server hung up.
    pub fn converse(&mut self, request: &[u8], rest: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let router = self.router.clone();
        let before = self.app.hub.connection_count();
        let said = self.run(async {
            let (mut client, server) = duplex(1 << 20);
            let service = service_fn(move |request: Request<Incoming>| router.clone().oneshot(request.map(Body::new)));
            let served = http1::Builder::new().serve_connection(TokioIo::new(server), service).with_upgrades();
            let served = tokio::spawn(served);
            let _ = client.write_all(request).await;
            let mut said = Vec::new();
            while !said.windows(4).any(|end| end == b"\r\n\r\n") {
                if client.read_buf(&mut said).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            // Whoever was hung up on cannot say more.
            let _ = client.write_all(rest).await;
            let _ = client.shutdown().await;
            let _ = client.read_to_end(&mut said).await;
            // How it ends concerns nobody else.
            let _ = must(served.await);
            said
        });
        self.resident.inbox.take(&mut Vec::new(), usize::MAX);
        assert_eq!(self.app.hub.connection_count(), before, "whose socket ended is still there");
        let head = said.windows(4).position(|end| end == b"\r\n\r\n").map_or(said.len(), |end| end + 4);
        let after = said[head..].to_vec();
        (said[..head].to_vec(), after)
    }

    /// Waits for it, but not for ever.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(async {
            let outcome = timeout(PATIENCE, work).await;
            outcome.unwrap_or_else(|_| panic!("it does not end"))
        })
    }
}

/// What is there to be found.
const FURNITURE: &[(&str, &str, &str)] = &[
    (
        "POST",
        "/users",
        r#"{"users":{
            "bob":{"id":"bob","name":"Bob","role":"admin","teams":["red"],"color":"green","age":7},
            "eve":{"id":"eve","name":"Ève","invisible":true,"address":{"city":"Łódź","at":[1,"x",null]},"age":"7"}
        }}"#,
    ),
    (
        "POST",
        "/channels/messaging/tea/query",
        r#"{"data":{"created_by_id":"bob","members":["ada","bob"],"name":"Tea","color":"green"},"state":true}"#,
    ),
    ("POST", "/channels/messaging/tea/message", r#"{"message":{"text":"Hello","user_id":"bob"}}"#),
];

fn must<T, E: std::fmt::Display>(outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| panic!("{error}"))
}
