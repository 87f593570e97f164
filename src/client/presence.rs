//! What is known of somebody.

use std::time::{Duration, SystemTime};

use js_sys::Date;
use wasm_bindgen::JsValue;

use super::page::JsPresence;
use crate::core::Freshness;

/// What is known of somebody's presence.
#[derive(Clone, Debug, PartialEq)]
pub struct Presence {
    pub id: String,
    /// False also for the unknown: see `freshness`.
    pub online: bool,
    /// When they were last active; none before their first connection.
    pub last_active: Option<SystemTime>,
    /// Free text that they show to others.
    pub status: Option<String>,
    /// How far all this can be trusted.
    pub freshness: Freshness,
    /// When it was last known to be so; none unless it is stale.
    pub as_of: Option<SystemTime>,
    /// The user as last shown, an object with the app's own fields; undefined for whom the server
    /// does not know.
    pub user: JsValue,
}

impl Presence {
    /// How somebody is of whom nothing is known yet.
    pub fn unknown(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            online: false,
            last_active: None,
            status: None,
            freshness: Freshness::Unknown,
            as_of: None,
            user: JsValue::UNDEFINED,
        }
    }
}

impl From<JsPresence> for Presence {
    fn from(presence: JsPresence) -> Self {
        Self {
            id: presence.id(),
            online: presence.online(),
            last_active: presence.last_active().map(time),
            status: presence.status(),
            freshness: match presence.freshness().as_str() {
                "live" => Freshness::Live,
                "stale" => Freshness::Stale,
                _ => Freshness::Unknown,
            },
            as_of: presence.as_of().map(time),
            user: presence.user(),
        }
    }
}

fn time(date: Date) -> SystemTime {
    // What is before 1970, or no time at all, becomes 1970.
    SystemTime::UNIX_EPOCH + Duration::from_millis(date.get_time() as u64)
}
