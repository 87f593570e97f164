//! Nobody can pass off their own words for what the server says.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use crate::common::{KEY, TestServer, WITHOUT_LIMITS, user_token};
use reqwest::{Client, Method};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};

/// JSON in which no object says anything twice: of two fields of one name parsers take the last.
struct Unambiguous;

impl<'de> Deserialize<'de> for Unambiguous {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Unambiguous)
    }
}

impl<'de> Visitor<'de> for Unambiguous {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Unambiguous>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self, A::Error> {
        let mut names = HashSet::new();
        while let Some((name, _)) = fields.next_entry::<String, Unambiguous>()? {
            if !names.insert(name.clone()) {
                return Err(serde::de::Error::custom(format!("{name} is there twice")));
            }
        }
        Ok(self)
    }
}

/// Every field name that is anywhere in `value`.
fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            found.insert(name.clone());
            names(value, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        _ => {}
    }
}

/// What comes of a request, read strictly.
async fn strictly(client: &Client, token: &str, method: Method, url: String, body: &Value) {
    let request = client.request(method, url).header("authorization", token).json(body);
    let text = request.send().await.unwrap().text().await.unwrap();
    if let Err(error) = serde_json::from_str::<Unambiguous>(&text) {
        panic!("{body} made the server say: {error}: {text}");
    }
}

#[tokio::test]
async fn no_field_of_the_server_s_can_be_forged() {
    let server = TestServer::with(&WITHOUT_LIMITS).await;
    let (ada, bob) = (server.connect("ada").await, server.connect("bob").await);
    let tea = "/channels/messaging/tea";
    let open = json!({ "data": { "members": ["ada", "bob"] }, "state": true, "watch": true });
    ada.call(Method::POST, &format!("{tea}/query"), open.clone()).await;
    let say = json!({ "message": { "text": "Hello" } });
    ada.call(Method::POST, &format!("{tea}/message"), say).await;
    let state = ada.call(Method::POST, &format!("{tea}/query"), open.clone()).await;
    let mut known = BTreeSet::new();
    names(&state, &mut known);
    names(&ada.me, &mut known);
    assert!(known.len() > 60, "{known:?}");

    let (client, token) = (Client::new(), user_token("ada"));
    for name in known {
        for name in [name.clone(), format!("{name}.id")] {
            let forged: Map<String, Value> = [(name.clone(), json!({ "id": "bob" }))].into_iter().collect();
            let set = json!({ "set": forged });
            let own = json!({ "users": [{ "id": "ada", "set": forged }] });
            let mut user = forged.clone();
            user.insert("id".to_owned(), "ada".into());
            let whole = json!({ "users": { "ada": user } });
            let mut message = forged.clone();
            message.insert("text".to_owned(), "Hello".into());
            let requests = [
                (Method::PATCH, "/users", own),
                (Method::POST, "/users", whole),
                (Method::PATCH, &*format!("{tea}/member"), set.clone()),
                (Method::PATCH, tea, set),
                (Method::POST, tea, json!({ "data": forged })),
                (Method::POST, tea, json!({ "data": { "custom": forged } })),
                (Method::POST, &format!("{tea}/message"), json!({ "message": message })),
            ];
            // Only a partial update reads a dot as the way to a part.
            let requests = requests.into_iter().filter(|(method, ..)| method == Method::PATCH || !name.contains('.'));
            for (method, path, body) in requests {
                strictly(&client, &token, method, server.url(&format!("{path}?api_key={KEY}")), &body).await;
            }
        }
        let url = server.url(&format!("{tea}/query?api_key={KEY}"));
        strictly(&client, &token, Method::POST, url, &json!({ "state": true, "messages": { "limit": 3 } })).await;
    }
    let state = bob.call(Method::POST, &format!("{tea}/query"), open).await;
    let members = state["members"].as_array().unwrap();
    let shown: Vec<_> = members.iter().map(|member| (&member["user_id"], &member["user"]["id"])).collect();
    assert_eq!(shown, [(&json!("ada"), &json!("ada")), (&json!("bob"), &json!("bob"))]);
}
