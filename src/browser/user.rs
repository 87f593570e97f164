//! `client.user`: the connected user, and a function that gives anybody else.

use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect};
use wasm_bindgen::prelude::*;

use super::listeners::report;
use super::promise::{callback, promise};
use super::shell::Shell;
use super::watch::WatchInner;
use super::{input, presence, wire};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Object, js_name = getOwnPropertyDescriptors)]
    fn descriptors(object: &JsValue) -> Object;
}

type Returning = Closure<dyn Fn(JsValue) -> Result<JsValue, JsValue>>;

/// A function that carries the connected user's fields, so that code written for the official
/// SDK finds them where it looks.
#[derive(Clone)]
pub(super) struct CurrentUser {
    function: Object,
}

impl CurrentUser {
    pub(super) fn new(shell: &Rc<Shell>) -> Self {
        let (of_user, of_json) = (Rc::downgrade(shell), Rc::downgrade(shell));
        let user: Returning = Closure::new(move |id| {
            let name = input::user_id("client.user", &id)?;
            Ok(of_user.upgrade().map(|shell| UserPresence { shell, id, name }).into())
        });
        let to_json: Returning = Closure::new(move |_| {
            let session = of_json.upgrade().and_then(|shell| shell.session_if_any());
            Ok(session.map_or(JsValue::UNDEFINED, |session| session.me()))
        });
        // Bound, because the function itself carries a field of its maker.
        let function: Object = user.into_js_value().unchecked_into::<Function>().bind0(&JsValue::UNDEFINED).into();
        // Neither the name nor the methods that all functions have are the user's.
        let prototype = Object::new();
        Object::define_property(&prototype, &"toJSON".into(), &wire::object("value", &to_json.into_js_value()));
        let _ = Reflect::set_prototype_of(&function, &prototype);
        for key in ["name", "length"] {
            let _ = Reflect::delete_property(&function, &key.into());
        }
        CurrentUser { function }
    }

    pub(super) fn to_js(&self) -> JsValue {
        self.function.clone().into()
    }

    /// From now on it carries these fields and no others.
    pub(super) fn show(&self, user: &JsValue) {
        wire::each(&Object::keys(&self.function), &mut |key| {
            let _ = Reflect::delete_property(&self.function, &key);
        });
        Object::define_properties(&self.function, &descriptors(user));
    }
}

/// `client.user(id)`.
#[wasm_bindgen(skip_typescript)]
pub struct UserPresence {
    shell: Rc<Shell>,
    id: JsValue,
    name: String,
}

#[wasm_bindgen]
impl UserPresence {
    #[wasm_bindgen(getter)]
    pub fn id(&self) -> JsValue {
        self.id.clone()
    }

    #[wasm_bindgen(getter)]
    pub fn presence(&self) -> Object {
        presence::of(&self.shell, &self.name)
    }

    /// Watches the user for as long as anybody listens: each listener has a watch of its own,
    /// and the core knows that they want the same.
    pub fn on(&self, kind: JsValue, handler: JsValue) -> Result<JsValue, JsValue> {
        let call = "user.on";
        self.shell.session(call)?;
        input::event(call, &kind, "presence")?;
        let handler = input::function(call, handler)?;
        let watch = WatchInner::begin(&self.shell);
        watch.on_change(handler);
        let word = watch.add(call, &Array::of1(&self.id), None)?;
        let (watch_too, watch) = (watch.clone(), Rc::downgrade(&watch));
        // Nobody waits for this one, so a refusal is told as an uncaught error is.
        let _ = promise(async move {
            if let Err(problem) = word.await
                && watch_too.is_open()
            {
                watch_too.stop();
                report(&problem);
            }
            Ok(JsValue::UNDEFINED)
        });
        let unsubscribe = callback(move |_| {
            watch.upgrade().iter().for_each(|watch| watch.stop());
        });
        Ok(wire::object("unsubscribe", &unsubscribe.into_js_value()).into())
    }
}
