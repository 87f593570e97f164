//! Somebody with a connection, as an SDK would have it.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{KEY, TestServer, token, user_token};

/// Far longer than anything takes: only a failing test ever waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub struct Person {
    pub id: String,
    pub me: Value,
    pub connection_id: String,
    pub hello: Value,
    token: String,
    base: String,
    client: reqwest::Client,
    socket: Socket,
}

impl Person {
    pub async fn connect(server: &TestServer, details: Value) -> Self {
        Self::connect_asking(server, details, "").await
    }

    /// Somebody whose client asks for these extensions.
    pub async fn connect_asking(server: &TestServer, details: Value, extensions: &str) -> Self {
        Self::connect_at(&server.address.to_string(), details, extensions).await
    }

    /// Somebody with a token that was issued so many seconds ago.
    pub async fn connect_with_token_of(server: &TestServer, id: &str, seconds: i64) -> Self {
        let issued_at = rollcall_server::store::now().as_second() - seconds;
        let token = token(json!({ "user_id": id, "iat": issued_at }));
        Self::connect_by(&server.address.to_string(), json!({ "id": id }), "", token).await
    }

    /// Somebody at this host and port, whose client asks for these extensions.
    pub async fn connect_at(address: &str, details: Value, extensions: &str) -> Self {
        let token = user_token(details["id"].as_str().unwrap());
        Self::connect_by(address, details, extensions, token).await
    }

    async fn connect_by(address: &str, details: Value, extensions: &str, token: String) -> Self {
        let id = details["id"].as_str().unwrap().to_owned();
        let payload = json!({ "user_id": id, "user_details": details });
        let mut query = vec![("json", payload.to_string()), ("authorization", token.clone())];
        if !extensions.is_empty() {
            query.push(("rollcall", extensions.to_owned()));
        }
        let mut socket = open_at(address, &query).await;
        let hello = next_frame(&mut socket).await;
        assert_eq!(hello["type"], "health.check", "{hello}");
        Self {
            id,
            me: hello["me"].clone(),
            connection_id: hello["connection_id"].as_str().unwrap().to_owned(),
            hello,
            token,
            base: format!("http://{address}"),
            client: reqwest::Client::new(),
            socket,
        }
    }

    /// A request as the official SDK sends it, that succeeds.
    pub async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let (status, reply) = self.request(method, path, body).await;
        assert!(status.is_success(), "{path} answered {status}: {reply}");
        reply
    }

    /// A request as the official SDK sends it. What would be a body goes into `payload` for GET.
    pub async fn request(&self, method: Method, path: &str, body: Value) -> (reqwest::StatusCode, Value) {
        let mut query = vec![
            ("user_id", self.id.clone()),
            ("connection_id", self.connection_id.clone()),
            ("api_key", KEY.to_owned()),
        ];
        if method == Method::GET {
            query.push(("payload", body.to_string()));
        }
        let url = reqwest::Url::parse_with_params(&format!("{}{path}", self.base), query).unwrap();
        let request = self
            .client
            .request(method.clone(), url)
            .header("authorization", &self.token)
            .header("stream-auth-type", "jwt");
        let request = if method == Method::GET { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        (response.status(), response.json().await.unwrap())
    }

    /// From now on requests go to this server, wherever the socket is.
    pub fn asks_at(&mut self, server: &TestServer) {
        self.base = format!("http://{}", server.address);
    }

    /// Subscribes to the presence of `ids` through a query of users, and returns them by id.
    pub async fn watch_users(&self, ids: &[&str]) -> Vec<Value> {
        let query = json!({
            "filter_conditions": { "id": { "$in": ids } },
            "sort": [{ "field": "id", "direction": 1 }],
            "presence": true,
        });
        let reply = self.call(Method::GET, "/users", query).await;
        reply["users"].as_array().unwrap().clone()
    }

    /// Writes something about themselves.
    pub async fn upsert(&self, mut fields: Value) -> Value {
        fields["id"] = self.id.as_str().into();
        let reply = self.call(Method::POST, "/users", json!({ "users": { self.id.as_str(): fields } })).await;
        reply["users"][&self.id].clone()
    }

    /// The next event, whatever it is; health checks do not count.
    pub async fn next_event(&mut self) -> Value {
        loop {
            let event = next_frame(&mut self.socket).await;
            if event["type"] != "health.check" {
                return event;
            }
        }
    }

    /// The next event of this type; others are passed over.
    pub async fn hears(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next_event().await;
            if event["type"] == kind {
                return event;
            }
        }
    }

    /// The next flip of somebody else: who, and whether they are online now.
    pub async fn sees(&mut self) -> (String, bool) {
        loop {
            let event = self.hears("user.presence.changed").await;
            let id = event["user"]["id"].as_str().unwrap();
            if id != self.id {
                return (id.to_owned(), event["user"]["online"].as_bool().unwrap());
            }
        }
    }

    /// Passes over flips until this one comes.
    pub async fn sees_at_last(&mut self, flip: &(String, bool)) {
        while self.sees().await != *flip {}
    }

    /// All events that were sent before now. Nothing else tells that an event will not come: events
    /// keep their order, and this causes one more.
    pub async fn all_so_far(&mut self) -> Vec<Value> {
        let mark = format!("mark-{}", uuid::Uuid::new_v4());
        let response = self
            .client
            .post(format!("{}/users/{}/event?api_key={KEY}", self.base, self.id))
            .header("authorization", token(json!({ "server": true })))
            .json(&json!({ "event": { "type": mark } }))
            .send();
        assert!(response.await.unwrap().status().is_success());
        let mut events = Vec::new();
        loop {
            let event = self.next_event().await;
            if event["type"] == *mark {
                return events;
            }
            events.push(event);
        }
    }

    /// Those of [`all_so_far`](Self::all_so_far) that are about others.
    pub async fn heard_so_far(&mut self) -> Vec<Value> {
        let mut events = self.all_so_far().await;
        events.retain(|event| event["user"]["id"] != self.id.as_str());
        events
    }

    pub async fn send(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// The next frame of any kind.
    pub async fn next_frame(&mut self) -> Value {
        next_frame(&mut self.socket).await
    }

    /// Closes with 1000, as `disconnectUser` does, and waits for the answer.
    pub async fn says_goodbye(self) {
        self.closes_with(CloseCode::Normal).await;
    }

    /// Closes with any code; returns the answer's.
    pub async fn closes_with(mut self, code: CloseCode) -> Option<u16> {
        let frame = CloseFrame { code, reason: "".into() };
        self.socket.send(Message::Close(Some(frame))).await.unwrap();
        close_code(&mut self.socket).await
    }

    /// The connection breaks without a word.
    pub fn vanishes(self) {
        drop(self.socket);
    }

    /// The code with which the server closes the connection.
    pub async fn hears_close(mut self) -> Option<u16> {
        close_code(&mut self.socket).await
    }
}

/// Opens a socket to `/connect` with this query; the API key comes along unless it is given.
pub async fn open(server: &TestServer, query: &[(&str, String)]) -> Socket {
    open_at(&server.address.to_string(), query).await
}

/// Like [`open`], at this host and port.
pub async fn open_at(address: &str, query: &[(&str, String)]) -> Socket {
    open_from(address, query, None).await
}

/// Like [`open_at`], as a browser does it for a page of this origin.
pub async fn open_from(address: &str, query: &[(&str, String)], origin: Option<&str>) -> Socket {
    let mut url = reqwest::Url::parse(&format!("ws://{address}/connect")).unwrap();
    url.query_pairs_mut().extend_pairs(query);
    if !query.iter().any(|(name, _)| *name == "api_key") {
        url.query_pairs_mut().append_pair("api_key", KEY);
    }
    let mut request = url.as_str().into_client_request().unwrap();
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    connect_async(request).await.unwrap().0
}

/// The next text frame.
pub async fn next_frame(socket: &mut Socket) -> Value {
    let text = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => return text,
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("expected a text frame, got {other:?}"),
            }
        }
    };
    let text = timeout(PATIENCE, text).await.expect("a frame in time");
    serde_json::from_str(&text).unwrap()
}

/// Reads to the end and returns the code of the close frame, if there was one.
pub async fn close_code(socket: &mut Socket) -> Option<u16> {
    let close = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    };
    timeout(PATIENCE, close).await.expect("a close in time")
}
