//! Who wants to know of one user.

use super::io::WatchId;

/// One reason for which a user is known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watcher {
    /// The app's `queryUsers`, which are for good.
    Queries,
    Watch(WatchId),
    /// A channel that is watched with presence, by the number it got then.
    Channel(u32),
}

/// Mostly there is just one, which then needs no memory of its own.
#[derive(Debug, Default)]
pub(super) enum Watchers {
    #[default]
    Nobody,
    One(Watcher),
    #[expect(clippy::box_collection, reason = "there is one of these for every user, as large as its largest variant")]
    Many(Box<Vec<Watcher>>),
}

impl Watchers {
    pub(super) fn as_slice(&self) -> &[Watcher] {
        match self {
            Watchers::Nobody => &[],
            Watchers::One(watcher) => std::slice::from_ref(watcher),
            Watchers::Many(watchers) => watchers,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    /// Whether anybody asked for this user, not only for a channel that they are in.
    pub(super) fn is_personal(&self) -> bool {
        self.as_slice().iter().any(|watcher| !matches!(watcher, Watcher::Channel(_)))
    }

    pub(super) fn add(&mut self, watcher: Watcher) {
        if self.as_slice().contains(&watcher) {
            return;
        }
        match self {
            Watchers::Nobody => *self = Watchers::One(watcher),
            Watchers::One(other) => *self = Watchers::Many(Box::new(vec![*other, watcher])),
            Watchers::Many(watchers) => watchers.push(watcher),
        }
    }

    pub(super) fn remove(&mut self, watcher: Watcher) {
        match self {
            Watchers::One(one) if *one == watcher => *self = Watchers::Nobody,
            // There is but one of each, and `retain` would be several times as much to download.
            Watchers::Many(watchers) => {
                if let Some(index) = watchers.iter().position(|other| *other == watcher) {
                    watchers.swap_remove(index);
                }
            }
            Watchers::Nobody | Watchers::One(_) => {}
        }
    }
}
