//! One user, as far as this client has been told.

use super::io::{Asked, Generation, Millis};
use super::watchers::Watchers;

/// Through what the server tells of a user's changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subscription {
    None,
    /// As a member of channels: it ends with the watch of the channel, whoever else watches them.
    Channel,
    /// As a user of their own.
    Own,
}

/// How far a question about a user is. They stay in their place until it has come to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    None,
    Waiting,
    OnItsWay,
    /// Its answer has come, and has not shown them so far.
    Answering,
}

pub(super) struct Person<P> {
    pub(super) user: Option<P>,
    pub(super) online: bool,
    /// Whether the server says that there is no such user, or no longer.
    pub(super) missing: bool,
    pub(super) question: Question,
    /// The number of the event that said so, or of the question.
    pub(super) heard: u64,
    /// The connection on which the server has answered for this user,
    pub(super) told: Generation,
    /// and through what it tells of changes there.
    pub(super) subscription: Subscription,
    pub(super) as_of: Millis,
    pub(super) watchers: Watchers,
}

impl<P> Default for Person<P> {
    fn default() -> Self {
        Person {
            user: None,
            online: false,
            missing: false,
            question: Question::None,
            heard: 0,
            told: Generation::default(),
            subscription: Subscription::None,
            as_of: 0,
            watchers: Watchers::default(),
        }
    }
}

impl<P> Person<P> {
    pub(super) fn is_known(&self) -> bool {
        self.user.is_some() && !self.missing
    }

    /// Whether an event, or the answer to a later question, says more than the answer to `asked`.
    pub(super) fn is_newer(&self, asked: Asked) -> bool {
        self.heard > asked.heard
    }

    pub(super) fn is_unwanted(&self) -> bool {
        self.question == Question::None && self.watchers.is_empty()
    }

    /// Whether `connection` tells of every change.
    pub(super) fn is_followed(&self, connection: Generation) -> bool {
        self.told == connection && self.subscription != Subscription::None && self.is_known()
    }
}
