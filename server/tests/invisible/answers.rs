//! All that Zoe gets for an answer: every endpoint there is, asked about Ada.

use std::collections::BTreeMap;

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::common::document::table;
use crate::common::{KEY, TestServer, token, user_token};
use crate::story::Story;

/// A request of Zoe's.
pub struct Ask {
    method: Method,
    path: String,
    body: Value,
}

pub fn ask(method: Method, path: &str, body: Value) -> Ask {
    Ask { method, path: path.to_owned(), body }
}

/// Asks, with an ordinary user's token, and notes everything that comes back: the status, the
/// headers and the body.
pub struct Asker<'s> {
    client: Client,
    server: &'s TestServer,
    connection_id: Option<String>,
    pub answers: Vec<Value>,
}

impl<'s> Asker<'s> {
    pub fn new(server: &'s TestServer, connection_id: Option<&str>) -> Self {
        let connection_id = connection_id.map(str::to_owned);
        Self { client: Client::new(), server, connection_id, answers: Vec::new() }
    }

    pub async fn ask(&mut self, Ask { method, path, body }: Ask) -> Value {
        let mut query = vec![("api_key", KEY.to_owned())];
        query.extend(self.connection_id.clone().map(|id| ("connection_id", id)));
        if method == Method::GET {
            let name = if path == "/longpoll" { "json" } else { "payload" };
            query.push((name, body.to_string()));
        }
        let url = reqwest::Url::parse_with_params(&self.server.url(&path), query).unwrap();
        let request = self.client.request(method.clone(), url).header("authorization", user_token("zoe"));
        let request = if method == Method::GET { request } else { request.json(&body) };
        let response = request.send().await.unwrap();
        // These change with the minute; and of the length times have a part, as they are printed
        // without trailing zeros.
        let changing = ["date", "x-ratelimit-remaining", "x-ratelimit-reset", "content-length"];
        let headers = response.headers().iter().filter(|(name, _)| !changing.contains(&name.as_str()));
        let headers: BTreeMap<String, String> =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let status = response.status().as_u16();
        let reply: Value = response.json().await.unwrap();
        let asked = format!("{method} {path}");
        self.answers.push(json!({ "asked": asked, "status": status, "headers": headers, "reply": reply }));
        reply
    }
}

/// What Zoe asks of an endpoint. An endpoint that is new must be decided on here: what could it
/// show of somebody else?
fn asks(endpoint: &str) -> Vec<Ask> {
    use Method as M;
    let (method, path) = endpoint.split_once(' ').unwrap();
    let method: Method = method.parse().unwrap();
    let path = path.replace("{type}/{id}", "messaging/tea").replace("{user_id}", "ada");
    let one = |body: Value| vec![ask(method.clone(), &path, body)];
    let nobody_else = |path: &str, body: Value| vec![ask(method.clone(), path, body)];
    match endpoint {
        // Another connection of Zoe's, see `others_connections`.
        "GET /connect" | "GET /longpoll" => Vec::new(),

        "GET /users" => {
            let by = |filter: Value| json!({ "filter_conditions": filter, "sort": [{ "field": "last_active" }] });
            let mut asks = vec![
                by(json!({})),
                by(json!({ "id": "ada" })),
                by(json!({ "last_active": { "$exists": true } })),
                by(json!({ "status": "Here" })),
                json!({ "filter_conditions": { "id": { "$in": ["ada", "bob"] } }, "presence": true }),
                json!({ "filter_conditions": {}, "presence": true, "limit": 2, "offset": 1 }),
                json!({ "filter_conditions": {}, "id_gt": "aaa", "limit": 1 }),
                json!({ "filter_conditions": {}, "include_deactivated_users": true }),
            ];
            for hidden in ["online", "invisible", "privacy_settings"] {
                asks.push(by(json!({ hidden: true })));
                asks.push(by(json!({ hidden: { "$exists": true } })));
                asks.push(json!({ "filter_conditions": {}, "sort": [{ "field": hidden }] }));
            }
            asks.into_iter().map(|body| ask(M::GET, &path, body)).collect()
        }
        "POST /rollcall/users" => one(json!({ "ids": ["ada", "bob", "nobody"] })),
        "POST /users" => vec![
            ask(M::POST, &path, json!({ "users": { "zoe": { "id": "zoe", "status": "Looking" } } })),
            ask(M::POST, &path, json!({ "users": { "ada": { "id": "ada" } } })),
        ],
        "PATCH /users" => vec![
            ask(M::PATCH, &path, json!({ "users": [{ "id": "zoe", "set": { "status": "Still looking" } }] })),
            ask(M::PATCH, &path, json!({ "users": [{ "id": "ada", "set": { "status": "Not mine" } }] })),
        ],
        // Somebody else's name: Zoe's guests get another one, whoever is connected.
        "POST /guest" => one(json!({ "user": { "id": "ada" } })),

        "POST /channels" | "GET /channels" => {
            let filter = json!({ "members": { "$in": ["ada"] } });
            let sort = json!([{ "field": "cid", "direction": 1 }]);
            let query = |more: Value| {
                let mut query = json!({ "filter_conditions": filter, "sort": sort });
                query.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                ask(method.clone(), &path, query)
            };
            vec![
                query(json!({})),
                query(json!({ "state": false })),
                query(json!({ "watch": true, "presence": true })),
                query(json!({ "limit": 1, "offset": 1, "member_limit": 1, "message_limit": 1 })),
            ]
        }
        "POST /channels/{type}/query" => nobody_else(
            "/channels/messaging/query",
            json!({ "data": { "members": ["ada", "zoe"] }, "state": true, "watch": true, "presence": true }),
        ),
        "POST /channels/{type}/{id}/query" => {
            let state = json!({ "state": true, "watch": true, "presence": true, "watchers": { "limit": 10 } });
            let pages = json!({ "state": true, "watchers": { "limit": 1, "offset": 1 }, "members": { "limit": 1 } });
            let crowd = "/channels/livestream/show/query";
            vec![ask(M::POST, &path, state.clone()), ask(M::POST, &path, pages), ask(M::POST, crowd, state)]
        }
        "POST /channels/{type}/{id}/stop-watching" => vec![
            ask(M::POST, "/channels/messaging/yoga/stop-watching", json!({})),
            ask(M::POST, "/channels/messaging/yoga/query", json!({ "watch": true, "state": true, "presence": true })),
        ],
        "POST /channels/{type}/{id}" => vec![
            ask(M::POST, &path, json!({ "data": { "name": "Tea" }, "message": { "text": "A new name" } })),
            ask(M::POST, &path, json!({ "remove_members": ["ada"] })),
            ask(M::POST, &path, json!({ "add_members": ["ada"] })),
            ask(M::POST, &path, json!({ "add_moderators": ["ada"] })),
            ask(M::POST, &path, json!({ "demote_moderators": ["ada"] })),
        ],
        "PATCH /channels/{type}/{id}" => one(json!({ "set": { "color": "green" } })),
        "DELETE /channels/{type}/{id}" => vec![
            ask(M::POST, "/channels/messaging/doomed/query", json!({ "data": { "members": ["ada", "zoe"] } })),
            ask(M::DELETE, "/channels/messaging/doomed", json!({})),
        ],
        "POST /channels/{type}/{id}/hide" | "POST /channels/{type}/{id}/show" => one(json!({})),
        "GET /members" => vec![
            ask(M::GET, &path, json!({ "type": "messaging", "id": "tea", "filter_conditions": {} })),
            ask(M::GET, &path, json!({ "type": "messaging", "id": "tea", "filter_conditions": { "id": "ada" } })),
            ask(M::GET, &path, json!({ "type": "messaging", "members": ["ada", "zoe"], "filter_conditions": {} })),
        ],
        "PATCH /channels/{type}/{id}/member/{user_id}" => vec![
            ask(M::PATCH, &path, json!({ "set": { "nickname": "Countess" } })),
            ask(M::PATCH, &path, json!({ "set": { "channel_role": "channel_moderator" } })),
        ],
        "PATCH /channels/{type}/{id}/member" => one(json!({ "set": { "pinned": true } })),
        "POST /channels/{type}/{id}/message" => one(json!({ "message": { "text": "Anybody there?" } })),
        "POST /channels/{type}/{id}/event" => vec![
            ask(M::POST, &path, json!({ "event": { "type": "typing.start" } })),
            ask(M::POST, &path, json!({ "event": { "type": "knock", "for": "ada" } })),
        ],
        "POST /channels/{type}/{id}/read" | "POST /channels/read" | "GET /unread" => one(json!({})),
        "POST /sync" => one(json!({
            "channel_cids": ["messaging:tea", "messaging:yoga"], "last_sync_at": "2026-01-01T00:00:00Z",
            "watch": true, "with_inaccessible_cids": true,
        })),

        // These are about the application, the same for all who ask.
        "GET /hi" | "GET /app" | "GET /channeltypes" | "GET /rate_limits" => one(json!({})),
        "GET /channeltypes/{type}" => nobody_else("/channeltypes/messaging", json!({})),
        // And these are the application's own: Zoe is refused.
        "PATCH /app"
        | "POST /channels/delete"
        | "POST /users/delete"
        | "POST /users/restore"
        | "POST /users/deactivate"
        | "POST /users/reactivate" => one(json!({})),
        "DELETE /users/{id}" => nobody_else("/users/ada", json!({})),
        "POST /users/{id}/deactivate" => nobody_else("/users/ada/deactivate", json!({})),
        "POST /users/{id}/reactivate" => nobody_else("/users/ada/reactivate", json!({})),
        "POST /users/{id}/event" => nobody_else("/users/ada/event", json!({ "event": { "type": "knock" } })),
        "GET /rollcall/users/{id}/presence" => nobody_else("/rollcall/users/ada/presence", json!({})),
        "GET /tasks/{id}" => nobody_else("/tasks/1", json!({})),
        new => panic!("{new}: what can it show of somebody else?"),
    }
}

/// Everything that Zoe can ask, in the order of the protocol's table, and all she gets. After each
/// she listens: an event shows its user as they are when it is told, so that of two in a hurry the
/// first may show what the second says.
pub async fn of_every_endpoint(story: &mut Story) -> Value {
    let Story { server, zoe, seen, .. } = story;
    let mut asker = Asker::new(server, Some(&zoe.connection_id));
    for row in table("Endpoints").into_iter().filter(|row| row[1] != "left out") {
        for ask in asks(&row[0]) {
            asker.ask(ask).await;
            seen.extend(zoe.all_so_far().await);
        }
    }
    let mut answers = asker.answers;
    answers.extend(other_connections(server).await);
    answers.into()
}

/// What Zoe's other connections begin with, and what a request from none says.
async fn other_connections(server: &TestServer) -> Vec<Value> {
    let other = server.connect("zoe").await;
    let hello = other.hello.clone();
    other.says_goodbye().await;

    let mut asker = Asker::new(server, None);
    let greeting = json!({ "user_id": "zoe", "user_details": { "id": "zoe" } });
    let opened = asker.ask(ask(Method::GET, "/longpoll", greeting)).await;
    let session = opened["event"]["connection_id"].as_str().unwrap().to_owned();
    asker.ask(ask(Method::GET, "/users", json!({ "filter_conditions": {} }))).await;
    let mut answers = asker.answers;

    let mut polling = Asker::new(server, Some(&session));
    let state = json!({ "state": true, "watch": true, "presence": true });
    polling.ask(ask(Method::POST, "/channels/messaging/tea/query", state)).await;
    // So that the poll has something to say.
    let knock = json!({ "event": { "type": "knock" } });
    let server_side = token(json!({ "server": true }));
    server.request(&server_side, Method::POST, "/users/zoe/event", knock).await;
    polling.ask(ask(Method::GET, "/longpoll", json!({}))).await;
    polling.ask(ask(Method::GET, "/longpoll?close=true", json!({}))).await;
    answers.extend(polling.answers);
    answers.push(hello);
    answers
}
