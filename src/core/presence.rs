//! Who is online, as far as this client has been told: a snapshot, then changes.

use super::by_id::ById;
use super::io::{Asked, Differ, Event, Generation, Millis, Seen, Snapshot};
use super::watchers::{Watcher, Watchers};

/// How far what is known of a user can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// The connection is alive and tells of every change.
    Live,
    /// It was true once. Since then the connection has been in doubt, or nothing tells of changes.
    Stale,
    /// The server never said, or says that there is no such user. Not the same as offline.
    Unknown,
}

/// What is known of one user's presence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Presence<'a, P> {
    /// As last shown; a deleted user too.
    pub user: Option<&'a P>,
    /// False for the unknown.
    pub online: bool,
    pub freshness: Freshness,
    /// When it was last known to be true, for what is stale.
    pub as_of: Option<Millis>,
}

/// Through what the server tells of a user's changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subscription {
    None,
    /// As a member of channels: it ends with the watch of the channel, whoever else watches them.
    Channel,
    /// As a user of their own.
    Own,
}

struct Person<P> {
    user: Option<P>,
    online: bool,
    /// Whether the server says that there is no such user, or no longer.
    missing: bool,
    /// Whether a question about this user is waiting or on its way.
    asked: bool,
    /// The number of the event that said so, or of the question.
    heard: u64,
    /// The connection on which the server has answered for this user,
    told: Generation,
    /// and through what it tells of changes there.
    subscription: Subscription,
    as_of: Millis,
    watchers: Watchers,
}

impl<P> Default for Person<P> {
    fn default() -> Self {
        Person {
            user: None,
            online: false,
            missing: false,
            asked: false,
            heard: 0,
            told: Generation::default(),
            subscription: Subscription::None,
            as_of: 0,
            watchers: Watchers::default(),
        }
    }
}

impl<P> Person<P> {
    fn is_known(&self) -> bool {
        self.user.is_some() && !self.missing
    }

    /// Whether an event, or the answer to a later question, says more than the answer to `asked`.
    fn is_newer(&self, asked: Asked) -> bool {
        self.heard > asked.heard
    }

    /// Whether `connection` tells of every change.
    fn is_followed(&self, connection: Generation) -> bool {
        self.told == connection && self.subscription != Subscription::None && self.is_known()
    }
}

pub(super) struct People<P> {
    by_id: ById<Person<P>>,
    /// Counts events and questions.
    heard: u64,
    /// How many may be known whom nobody watches.
    strangers: usize,
}

/// So many strangers are kept before all of them are forgotten: far more than can come up while
/// one question is on its way.
const STRANGERS: usize = 1_000;

impl<P> Default for People<P> {
    fn default() -> Self {
        People { by_id: ById::default(), heard: 0, strangers: 0 }
    }
}

/// What the app may want to be told.
pub(super) enum News<'a, P> {
    /// This user's presence looks different to their watchers from now on.
    Changed(&'a str, &'a Watchers),
    /// An answer differs from what was known before.
    Learnt(Event<P>),
}

type Tell<'a, P> = &'a mut dyn FnMut(News<P>);

impl<P: Clone> People<P> {
    /// A question is asked: an event that is heard from now on is newer than its answer, and so is
    /// the answer to a later question.
    pub(super) fn asked(&mut self) -> u64 {
        self.heard += 1;
        self.heard
    }

    // --- Learning -----------------------------------------------------------------------------

    /// An event: the newest there is. That it came does not promise that the next one will.
    pub(super) fn hear(&mut self, seen: Seen<P>, deleted: bool, now: Millis, tell: Tell<P>) {
        self.heard += 1;
        let Seen { id, online, user, .. } = seen;
        if self.strangers > STRANGERS {
            self.forget_strangers();
        }
        let person = self.by_id.entry(&id);
        if person.heard == 0 && person.watchers.is_empty() {
            // Nobody's yet, but an answer that is on its way may be older than this.
            self.strangers += 1;
        }
        person.user = Some(user);
        person.online = online && !deleted;
        person.missing = deleted;
        person.heard = self.heard;
        person.as_of = now;
        tell(News::Changed(&id, &person.watchers));
    }

    /// An answer: true unless something newer is known.
    pub(super) fn learn(
        &mut self,
        snapshot: Snapshot<P>,
        by_channel: bool,
        current: Generation,
        profiles_differ: Differ<P>,
        tell: Tell<P>,
    ) {
        let Snapshot { asked, users } = snapshot;
        let subscription = if by_channel { Subscription::Channel } else { Subscription::Own };
        for Seen { id, online, subscribed, user } in users {
            let person = self.by_id.entry(&id);
            if person.told == current && asked.generation != current {
                continue;
            }
            let was_followed = person.is_followed(current);
            if person.told != asked.generation {
                person.subscription = Subscription::None;
            }
            if subscribed {
                person.subscription = person.subscription.max(subscription);
            }
            person.told = asked.generation;
            let mut differs = false;
            if !person.is_newer(asked) {
                let flipped = person.online != online;
                differs = flipped
                    || !person.is_known()
                    || person.user.as_ref().is_some_and(|known| profiles_differ(known, &user));
                if differs && (person.user.is_some() || person.missing) {
                    let user = user.clone();
                    tell(News::Learnt(if flipped {
                        Event::PresenceLearnt { user }
                    } else {
                        Event::ProfileLearnt { user }
                    }));
                }
                person.user = Some(user);
                person.online = online;
                person.missing = false;
                person.heard = asked.heard;
                person.as_of = asked.at;
            }
            if differs || was_followed != person.is_followed(current) {
                tell(News::Changed(&id, &person.watchers));
            }
        }
    }

    /// An answer that should have shown this user, and did not: there is no such user. False when
    /// an event has come since it was asked for, which says otherwise.
    pub(super) fn miss(&mut self, id: &str, asked: Asked, tell: Tell<P>) -> bool {
        let Some(person) = self.by_id.get_mut(id) else { return true };
        if person.is_newer(asked) {
            return false;
        }
        person.told = asked.generation;
        person.subscription = Subscription::None;
        if person.is_known() {
            if let (true, Some(user)) = (person.online, person.user.take()) {
                tell(News::Learnt(Event::OfflineLearnt { user }));
            }
            person.user = None;
            person.online = false;
            tell(News::Changed(id, &person.watchers));
        }
        person.missing = true;
        person.heard = asked.heard;
        true
    }

    // --- Trust --------------------------------------------------------------------------------

    /// The connection came into doubt, or out of it; what it told was true at `as_of`.
    pub(super) fn doubt(&mut self, connection: Generation, as_of: Millis, tell: Tell<P>) {
        for (id, person) in self.by_id.iter_mut() {
            if person.is_followed(connection) {
                person.as_of = as_of;
                tell(News::Changed(id, &person.watchers));
            }
        }
    }

    /// All that is known is known no more.
    pub(super) fn forget(mut self, tell: Tell<P>) {
        for (id, person) in self.by_id.iter_mut().filter(|(_, person)| person.user.is_some()) {
            tell(News::Changed(id, &person.watchers));
        }
    }

    /// What is known of somebody watched; `trusted` names the connection that is alive, if any.
    pub(super) fn get(&self, id: &str, trusted: Option<Generation>) -> Presence<'_, P> {
        let unknown = Presence { user: None, online: false, freshness: Freshness::Unknown, as_of: None };
        let Some(person) = self.by_id.get(id).filter(|person| !person.watchers.is_empty()) else { return unknown };
        let known = Presence { user: person.user.as_ref(), online: person.online, ..unknown };
        if trusted.is_some_and(|connection| person.is_followed(connection)) {
            Presence { freshness: Freshness::Live, ..known }
        } else if person.is_known() {
            Presence { freshness: Freshness::Stale, as_of: Some(person.as_of), ..known }
        } else {
            Presence { online: false, ..known }
        }
    }

    /// The user as shown by something newer than the answer to `asked`.
    pub(super) fn heard_since(&self, asked: Asked, id: &str) -> Option<&P> {
        self.by_id.get(id).filter(|person| person.is_newer(asked)).and_then(|person| person.user.as_ref())
    }

    // --- Watchers -----------------------------------------------------------------------------

    /// From now on `watcher` wants to know of this user.
    pub(super) fn watch(&mut self, id: &str, watcher: Watcher) {
        self.by_id.entry(id).watchers.add(watcher);
    }

    /// And from now on no longer. Whom nobody wants to know of is forgotten, once no question
    /// about them is waiting or on its way: they may be back before its answer.
    pub(super) fn unwatch(&mut self, id: &str, watcher: Watcher) {
        if let Some(person) = self.by_id.get_mut(id) {
            person.watchers.remove(watcher);
            if !person.asked {
                self.is_still_watched(id);
            }
        }
    }

    /// Whether anybody still wants to know of this user, who is forgotten otherwise.
    pub(super) fn is_still_watched(&mut self, id: &str) -> bool {
        let watched = self.is_watched(id);
        if !watched {
            self.by_id.remove(id);
        }
        watched
    }

    /// A channel wants to know no longer; or else these are all that the answer to `asked` shows of
    /// it, and only who is not among them is lost. Of whom it alone may have told, nobody knows
    /// whether anything still does: `doubted` hears who else watches them.
    pub(super) fn release(
        &mut self,
        channel: Watcher,
        asked: Option<Asked>,
        but: &[Seen<P>],
        doubted: &mut dyn FnMut(&str, &Watchers),
    ) {
        for (id, person) in self.by_id.iter_mut() {
            if !person.watchers.as_slice().contains(&channel)
                || asked.is_some_and(|asked| person.is_newer(asked))
                || but.iter().any(|seen| seen.id == id)
            {
                continue;
            }
            person.watchers.remove(channel);
            if person.watchers.is_empty() {
                if asked.is_some() {
                    // Should the channel show them again, that is news to who saw them there.
                    person.missing = true;
                    person.watchers.add(channel);
                }
            } else if person.subscription == Subscription::Channel {
                person.subscription = Subscription::None;
                doubted(id, &person.watchers);
            }
        }
    }

    pub(super) fn forget_strangers(&mut self) {
        self.by_id.retain(&|person| person.asked || !person.watchers.is_empty());
        self.strangers = 0;
    }

    // --- Questions ----------------------------------------------------------------------------

    /// Whether there is word of this user on the connection `current`, and none on its way.
    pub(super) fn is_told(&self, id: &str, current: Generation) -> bool {
        self.by_id.get(id).is_some_and(|person| person.told == current && !person.asked)
    }

    /// Whether to ask about this user: nobody has on the connection `current`. Now they have.
    pub(super) fn ask(&mut self, id: &str, current: Generation) -> bool {
        let Some(person) = self.by_id.get_mut(id) else { return false };
        let is_settled = person.is_followed(current) && person.subscription == Subscription::Own;
        !is_settled && !std::mem::replace(&mut person.asked, true)
    }

    /// Whether a question about this user is waiting or on its way.
    pub(super) fn is_asked(&self, id: &str) -> bool {
        self.by_id.get(id).is_some_and(|person| person.asked)
    }

    /// The question came to an end, answered or not.
    pub(super) fn answered(&mut self, id: &str) {
        if let Some(person) = self.by_id.get_mut(id) {
            person.asked = false;
            self.is_still_watched(id);
        }
    }

    /// Whether anybody wants to know of this user.
    pub(super) fn is_watched(&self, id: &str) -> bool {
        self.by_id.get(id).is_some_and(|person| !person.watchers.is_empty())
    }

    /// Everybody who is to be asked about by id, on a connection where nothing has been asked yet.
    pub(super) fn ask_all(&mut self) -> Vec<String> {
        let mut ids = Vec::new();
        for (id, person) in self.by_id.iter_mut() {
            person.asked = person.watchers.is_personal();
            if person.asked {
                ids.push(id.to_owned());
            }
        }
        ids
    }
}
