//! Who of the team is online: `rollcall` in a Yew app. The address says who looks, and at which
//! server: `?user=john&server=http://localhost:8800`, which is what `npm start` starts.
//!
//! ```sh
//! cargo build --target wasm32-unknown-unknown
//! wasm-bindgen target/wasm32-unknown-unknown/debug/rollcall-yew.wasm --target web --out-dir pkg
//! python3 -m http.server --bind 127.0.0.1 8000   # or whatever serves files
//! ```

use std::collections::BTreeMap;

use rollcall::client::{Client, Error, Freshness, Presence, Subscription, Watch};
use yew::prelude::*;

const TEAM: [&str; 3] = ["jack", "jill", "joan"];

#[derive(PartialEq, Properties)]
struct Viewer {
    user: String,
    server: String,
}

enum Message {
    Watching(Watch, Subscription),
    Seen(Presence),
    Failed(Error),
}

struct Team {
    people: BTreeMap<String, Presence>,
    problem: Option<Error>,
    /// Ends with the component.
    watch: Option<(Watch, Subscription)>,
}

async fn watch(user: String, server: String, seen: Callback<Presence>) -> Result<(Watch, Subscription), Error> {
    let client = Client::new("rollcall-demo", &server)?;
    let token = client.dev_token(&user)?;
    client.connect_user(user, token).await?;
    let watch = client.watch_presence(TEAM).await?;
    TEAM.iter().for_each(|id| seen.emit(watch.get(id)));
    let subscription = watch.on_change(move |presence| seen.emit(presence))?;
    Ok((watch, subscription))
}

impl Component for Team {
    type Message = Message;
    type Properties = Viewer;

    fn create(context: &Context<Self>) -> Self {
        let Viewer { user, server } = context.props();
        let watching = watch(user.clone(), server.clone(), context.link().callback(Message::Seen));
        context.link().send_future(async move {
            match watching.await {
                Ok((watch, subscription)) => Message::Watching(watch, subscription),
                Err(error) => Message::Failed(error),
            }
        });
        Self { people: BTreeMap::new(), problem: None, watch: None }
    }

    fn update(&mut self, _: &Context<Self>, message: Message) -> bool {
        match message {
            Message::Watching(watch, subscription) => self.watch = Some((watch, subscription)),
            Message::Seen(presence) => _ = self.people.insert(presence.id.clone(), presence),
            Message::Failed(error) => self.problem = Some(error),
        }
        true
    }

    fn view(&self, _: &Context<Self>) -> Html {
        let row = |presence: &Presence| {
            let shown = match (presence.freshness, presence.online) {
                (Freshness::Unknown, _) => "unknown",
                (Freshness::Stale, _) => "not certain",
                (Freshness::Live, true) => "online",
                (Freshness::Live, false) => "offline",
            };
            html! { <li>{ format!("{}: {shown}", presence.id) }</li> }
        };
        html! {
            <>
                <ul>{ for self.people.values().map(row) }</ul>
                <p role="alert">{ self.problem.as_ref().map(Error::to_string) }</p>
            </>
        }
    }
}

fn main() {
    let address = web_sys::window().and_then(|window| window.location().search().ok());
    let parameters = web_sys::UrlSearchParams::new_with_str(&address.unwrap_or_default());
    let parameter = |name: &str, otherwise: &str| {
        let given = parameters.as_ref().ok().and_then(|parameters| parameters.get(name));
        given.unwrap_or_else(|| otherwise.to_owned())
    };
    let viewer = Viewer { user: parameter("user", "john"), server: parameter("server", "http://localhost:8800") };
    yew::Renderer::<Team>::with_props(viewer).render();
}
