//! What this node listens to, and since when it is wanted.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::{Lease, Topic};
use crate::presence::UserId;

/// Listened to for at least so long: most who stop watching somebody come back with another page.
const KEPT: Duration = Duration::from_secs(10);

#[derive(Default)]
pub struct Topics {
    topics: HashMap<Topic, Listening>,
}

struct Listening {
    wanted: Instant,
    /// Over which link it is known to be heard.
    over: Option<Lease>,
}

impl Topics {
    /// These are wanted. Returns those that are not heard yet.
    pub fn want(&mut self, wanted: &[Topic], now: Instant) -> Vec<Topic> {
        let mut new = Vec::new();
        for topic in wanted {
            let listening = self.topics.entry(topic.clone()).or_insert(Listening { wanted: now, over: None });
            listening.wanted = now;
            if listening.over.is_none() {
                new.push(topic.clone());
            }
        }
        new
    }

    /// Redis has confirmed that these are heard.
    pub fn hears(&mut self, topics: &[Topic], lease: &Lease) {
        for topic in topics {
            if let Some(listening) = self.topics.get_mut(topic) {
                listening.over = Some(lease.clone());
            }
        }
    }

    /// Nothing is heard any more. Returns what is wanted.
    pub fn deaf(&mut self) -> Vec<Topic> {
        self.topics.values_mut().for_each(|listening| listening.over = None);
        self.topics.keys().cloned().collect()
    }

    /// Takes out what was not wanted lately and is not needed.
    pub fn take_unneeded(&mut self, now: Instant, needs: impl Fn(&Topic) -> bool) -> Vec<Topic> {
        let unneeded = |topic: &Topic, listening: &mut Listening| {
            now.saturating_duration_since(listening.wanted) >= KEPT && !needs(topic)
        };
        self.topics.extract_if(unneeded).map(|(topic, _)| topic).collect()
    }

    pub fn users(&self) -> Vec<UserId> {
        self.topics.keys().filter_map(Topic::user).cloned().collect()
    }
}
