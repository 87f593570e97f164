//! What the client writes, kept in `protocol/golden/client/` by its own test, is sent here as it
//! stands: the server takes it, and it does what the app meant by it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;

use common::person::{Socket, close_code, next_frame, open};
use common::{TestServer, token};
use futures_util::SinkExt;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// The files by their names; each is to be sent, and none is left over at the end.
struct Written(BTreeMap<String, Value>);

impl Written {
    fn read() -> Self {
        let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../protocol/golden/client");
        let files = std::fs::read_dir(directory).unwrap().map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap())
        });
        Self(files.collect())
    }

    fn take(&mut self, name: &str) -> Value {
        self.0.remove(name).unwrap_or_else(|| panic!("{name}.json is not there"))
    }

    /// Dials with the query of this file.
    async fn dial(&mut self, server: &TestServer, name: &str) -> (Socket, Value) {
        let query = self.take(name);
        let query = query.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), text(value)));
        let mut socket = open(server, &query.collect::<Vec<_>>()).await;
        let hello = next_frame(&mut socket).await;
        assert_eq!(hello["type"], "health.check", "{name} was answered with {hello}");
        (socket, hello)
    }

    /// Sends the request of this file on the connection of `hello`, and returns the reply.
    async fn send(&mut self, server: &TestServer, hello: &Value, name: &str) -> Value {
        let request = self.take(name);
        let method: Method = request["method"].as_str().unwrap().parse().unwrap();
        let mut url = Url::parse(&server.url(request["path"].as_str().unwrap())).unwrap();
        for (key, value) in request["query"].as_object().unwrap() {
            let value = if key == "connection_id" { &hello["connection_id"] } else { value };
            url.query_pairs_mut().append_pair(key, &text(value));
        }
        if method == Method::GET {
            url.query_pairs_mut().append_pair("payload", &request["payload"].to_string());
        }
        let mut call = reqwest::Client::new().request(method.clone(), url);
        for (key, value) in request["headers"].as_object().unwrap() {
            call = call.header(key, value.as_str().unwrap());
        }
        if method != Method::GET {
            call = call.body(request["payload"].to_string());
        }
        let response = call.send().await.unwrap();
        let status = response.status();
        let reply: Value = response.json().await.unwrap();
        assert!(status.is_success(), "{name} was answered with {status}: {reply}");
        reply
    }
}

/// A value as it stands in an address.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The next event that is as wanted, in a batch or alone; others are passed over.
async fn hears(socket: &mut Socket, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let events = match next_frame(socket).await {
            Value::Array(events) => events,
            event => vec![event],
        };
        if let Some(event) = events.into_iter().find(&wanted) {
            return event;
        }
    }
}

#[tokio::test]
async fn the_server_takes_what_the_client_writes() {
    let server = TestServer::start().await;
    server.knows(&["bob"]).await;
    let mut written = Written::read();

    let (mut socket, hello) = written.dial(&server, "connect").await;
    assert_eq!(hello["rollcall"], json!(["batch", "pages", "doubt"]));
    let me = &hello["me"];
    assert_eq!((&me["id"], &me["status"], &me["pets"]["cat"]), (&json!("ada"), &json!("Having tea"), &json!("Mio")));
    let health_check = written.take("health.check").to_string();
    socket.send(Message::text(health_check)).await.unwrap();
    let answer = hears(&mut socket, |event| event["type"] == "health.check").await;
    assert_eq!(answer["connection_id"], hello["connection_id"]);

    let invisible = async || {
        let query = "/users?payload=%7B%22filter_conditions%22%3A%7B%22id%22%3A%22ada%22%7D%7D";
        let reply = server.request(&token(json!({ "server": true })), Method::GET, query, Value::Null).await.1;
        reply["users"][0]["invisible"] == true
    };
    let reply = written.send(&server, &hello, "users.upsert").await;
    assert_eq!(reply["users"]["ada"]["status"], "Having tea");
    written.send(&server, &hello, "users.hide").await;
    assert!(invisible().await);
    written.send(&server, &hello, "users.show").await;
    assert!(!invisible().await);
    let reply = written.send(&server, &hello, "users.update").await;
    let ada = &reply["users"]["ada"];
    assert_eq!((&ada["pets"], ada.get("status")), (&json!({ "cat": "Mio", "dog": "Rex" }), None));

    // What is asked for is told of from then on: Bob's presence, then the channel's events.
    let reply = written.send(&server, &hello, "users.query").await;
    assert_eq!(reply["users"].as_array().map(Vec::len), Some(2));
    let bob = server.connect("bob").await;
    let flip =
        hears(&mut socket, |event| event["type"] == "user.presence.changed" && event["user"]["id"] == "bob").await;
    assert_eq!(flip["user"]["online"], true);

    let reply = written.send(&server, &hello, "channel.create").await;
    assert!(reply["channel"]["id"].as_str().unwrap().starts_with("!members-"), "{reply}");
    let reply = written.send(&server, &hello, "channel.watch").await;
    assert_eq!((&reply["channel"]["name"], &reply["watcher_count"]), (&json!("Tea"), &json!(1)));
    let reply = written.send(&server, &hello, "channel.send_message").await;
    assert_eq!((&reply["message"]["text"], &reply["message"]["mood"]), (&json!("Hello"), &json!("merry")));
    let event = hears(&mut socket, |event| event["type"] == "message.new").await;
    assert_eq!(event["message"]["id"], reply["message"]["id"]);
    let reply = written.send(&server, &hello, "channels.query").await;
    let first = &reply["channels"][0];
    assert_eq!((&first["channel"]["id"], first["messages"].as_array().map(Vec::len)), (&json!("tea"), Some(1)));

    written.send(&server, &hello, "channel.stop_watching").await;
    let watch = json!({ "state": true, "watch": true });
    let reply = bob.call(Method::POST, "/channels/messaging/tea/query", watch).await;
    assert_eq!(reply["watcher_count"], 1, "Ada no longer watches");

    // A reconnect names the user and changes nothing of what is known of them.
    socket.close(None).await.unwrap();
    close_code(&mut socket).await;
    let (_socket, hello) = written.dial(&server, "reconnect").await;
    assert_eq!((&hello["me"]["name"], &hello["me"]["pets"]["dog"]), (&json!("Ada"), &json!("Rex")));

    assert!(written.0.is_empty(), "nobody has sent {:?}", written.0.keys());
}
