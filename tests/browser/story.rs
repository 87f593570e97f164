//! A client and the network it lives in.

use js_sys::{Function, Promise, Reflect, eval};
use rollcall::browser::{Engine, PresenceClient, set_engine};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Runs JavaScript with `client` and `network` in scope; a promise is awaited.
pub struct Story {
    pub client: JsValue,
    network: JsValue,
}

impl Story {
    pub fn new() -> Self {
        let network = eval(include_str!("network.js")).expect("the network");
        let options = eval("({ baseURL: 'http://presence.test', timeout: 1000 })").expect("options");
        // As the package does, where the engine is a class.
        let make: Closure<dyn Fn() -> JsValue> = Closure::new(|| Engine::new().into());
        set_engine(&make.into_js_value());
        let client = PresenceClient::new("key", &options).expect("a client");
        Story { client: client.into(), network }
    }

    /// A story that begins connected, as john.
    pub async fn connected() -> Self {
        let story = Self::new();
        story
            .run(
                "const connecting = client.connectUser({ id: 'john' }, client.devToken('john'));
                 await network.until(() => network.socket);
                 network.socket.greet({ id: 'john', online: true, devices: [] });
                 await connecting",
            )
            .await;
        story
    }

    /// The result, as JSON; `undefined` for nothing, `threw …` for an exception.
    pub async fn run(&self, script: &str) -> String {
        let body = format!(
            "return (async () => {{ {} }})().then((value) => JSON.stringify(value) ?? 'undefined', (error) => `threw ${{error.code ?? error}}`)",
            script
        );
        let function = Function::new_with_args("client, network", &body);
        let promise = function.call2(&JsValue::UNDEFINED, &self.client, &self.network).expect("the script runs");
        JsFuture::from(promise.unchecked_into::<Promise>()).await.expect("settled").as_string().expect("text")
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        // A client that is still connected would hear what happens to the next story's page.
        for (object, method) in [(&self.client, "disconnectUser"), (&self.network, "restore")] {
            let method = Reflect::get(object, &method.into()).expect("the method");
            let _ = method.unchecked_into::<Function>().call0(object);
        }
    }
}
