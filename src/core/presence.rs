//! Who is online, as far as this client has been told: a snapshot, then changes.

use super::by_id::{ById, Place};
use super::io::{Asked, Differ, Event, Generation, Millis, Seen, Snapshot};
use super::person::{Person, Question, Subscription};
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

pub(super) struct People<P> {
    by_id: ById<Person<P>>,
    /// Counts events and questions.
    heard: u64,
    /// How many may be known whom nobody watches.
    strangers: usize,
    /// How many questions are.
    waiting: usize,
}

/// So many strangers are kept before all of them are forgotten: far more than can come up while
/// one question is on its way.
const STRANGERS: usize = 1_000;

impl<P> Default for People<P> {
    fn default() -> Self {
        People { by_id: ById::default(), heard: 0, strangers: 0, waiting: 0 }
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
        let place = self.by_id.insert(&id);
        let Some((id, person)) = self.by_id.get_mut(place) else { return };
        if person.heard == 0 && person.watchers.is_empty() {
            // Nobody's yet, but an answer that is on its way may be older than this.
            self.strangers += 1;
        }
        person.user = Some(user);
        person.online = online && !deleted;
        person.missing = deleted;
        person.heard = self.heard;
        person.as_of = now;
        tell(News::Changed(id, &person.watchers));
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
            let Some((id, person)) = self.find_mut(&id) else { continue };
            if person.question == Question::Answering {
                person.question = Question::None;
            }
            // Somebody may have lost interest meanwhile.
            if person.watchers.is_empty() {
                continue;
            }
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
                tell(News::Changed(id, &person.watchers));
            }
        }
    }

    /// The question about this user was answered, and what was shown is learnt. Of whom was not,
    /// there is no such user. False when an event has come since it was asked, which says otherwise.
    pub(super) fn answered(&mut self, user: Place, asked: Asked, tell: Tell<P>) -> bool {
        let is_missed = self.end_question(user);
        let Some((id, person)) = self.by_id.get_mut(user).filter(|_| is_missed) else { return true };
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
        self.by_id.each(&mut |_, id, person| {
            if person.is_followed(connection) {
                person.as_of = as_of;
                tell(News::Changed(id, &person.watchers));
            }
        });
    }

    /// All that is known is known no more.
    pub(super) fn forget(mut self, tell: Tell<P>) {
        self.by_id.each(&mut |_, id, person| {
            if person.user.is_some() {
                tell(News::Changed(id, &person.watchers));
            }
        });
    }

    /// What is known of somebody watched; `trusted` names the connection that is alive, if any.
    pub(super) fn get(&self, id: &str, trusted: Option<Generation>) -> Presence<'_, P> {
        let unknown = Presence { user: None, online: false, freshness: Freshness::Unknown, as_of: None };
        let Some(person) = self.find(id).filter(|person| !person.watchers.is_empty()) else { return unknown };
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
        self.find(id).filter(|person| person.is_newer(asked)).and_then(|person| person.user.as_ref())
    }

    fn find(&self, id: &str) -> Option<&Person<P>> {
        self.by_id.get(self.by_id.find(id)).map(|(_, person)| person)
    }

    fn find_mut(&mut self, id: &str) -> Option<(&str, &mut Person<P>)> {
        self.by_id.get_mut(self.by_id.find(id))
    }

    // --- Watchers -----------------------------------------------------------------------------

    /// From now on `watcher` wants to know of this user, who stays in this place as long as anybody
    /// does.
    pub(super) fn watch(&mut self, id: &str, watcher: Watcher) -> Place {
        let place = self.by_id.insert(id);
        if let Some((_, person)) = self.by_id.get_mut(place) {
            person.watchers.add(watcher);
        }
        place
    }

    /// And from now on no longer.
    pub(super) fn unwatch(&mut self, user: Place, watcher: Watcher) {
        if let Some((_, person)) = self.by_id.get_mut(user) {
            person.watchers.remove(watcher);
        }
        self.forget_unwanted(user);
    }

    /// Whom nobody wants to know of is forgotten, once no question about them is waiting or on its
    /// way: they may be back before its answer.
    fn forget_unwanted(&mut self, user: Place) {
        if self.by_id.get(user).is_some_and(|(_, person)| person.is_unwanted()) {
            self.by_id.remove(user);
        }
    }

    pub(super) fn place(&self, id: &str) -> Place {
        self.by_id.find(id)
    }

    /// A channel wants to know no longer; or else these are all that the answer to `asked` shows of
    /// it, and only who is not among them is lost. Of whom it alone may have told, nobody knows
    /// whether anything still does: `doubted` hears who else watches them.
    pub(super) fn release(
        &mut self,
        channel: Watcher,
        asked: Option<Asked>,
        but: &[Seen<P>],
        doubted: &mut dyn FnMut(Place, &str, &Watchers),
    ) {
        self.by_id.each(&mut |place, id, person| {
            if !person.watchers.as_slice().contains(&channel)
                || asked.is_some_and(|asked| person.is_newer(asked))
                || but.iter().any(|seen| seen.id == id)
            {
                return;
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
                doubted(place, id, &person.watchers);
            }
        });
    }

    pub(super) fn forget_strangers(&mut self) {
        self.by_id.retain(&|person| !person.is_unwanted());
        self.strangers = 0;
    }

    // --- Questions ----------------------------------------------------------------------------

    /// Whether there is word of this user on the connection `current`, and none on its way.
    pub(super) fn is_told(&self, user: Place, current: Generation) -> bool {
        self.by_id.get(user).is_some_and(|(_, person)| person.told == current && person.question == Question::None)
    }

    /// This user is to be asked about, unless somebody has on the connection `current`.
    pub(super) fn ask(&mut self, user: Place, current: Generation) {
        let Some((_, person)) = self.by_id.get_mut(user) else { return };
        let is_settled = person.is_followed(current) && person.subscription == Subscription::Own;
        if !is_settled && person.question == Question::None {
            person.question = Question::Waiting;
            self.waiting += 1;
        }
    }

    /// And so is everybody who is watched by id, on a connection where nothing has been asked yet.
    pub(super) fn ask_all(&mut self) {
        let mut waiting = 0;
        self.by_id.each(&mut |_, _, person| {
            let is_personal = person.watchers.is_personal();
            person.question = if is_personal { Question::Waiting } else { Question::None };
            waiting += usize::from(is_personal);
        });
        self.waiting = waiting;
        self.forget_strangers();
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    /// Those whose questions go on their way now, with their ids: at most so many, and about so many
    /// bytes. Whom nobody wants to know of any more is left out.
    pub(super) fn next_page(&mut self, most: usize, most_bytes: usize) -> (Vec<Place>, Vec<String>) {
        let (mut users, mut ids, mut bytes) = (Vec::new(), Vec::new(), 0);
        for place in self.by_id.places() {
            if self.waiting == 0 || users.len() >= most || bytes >= most_bytes {
                break;
            }
            let Some((id, person)) = self.by_id.get_mut(place) else { continue };
            if person.question != Question::Waiting {
                continue;
            }
            self.waiting -= 1;
            if person.watchers.is_empty() {
                self.by_id.remove(place);
                continue;
            }
            person.question = Question::OnItsWay;
            bytes += id.len();
            ids.push(id.to_owned());
            users.push(place);
        }
        (users, ids)
    }

    /// They could not be asked about, and wait again.
    pub(super) fn ask_again(&mut self, users: &[Place]) {
        self.waiting += users.len();
        self.move_questions(users, Question::Waiting);
    }

    /// An answer about these has come, and is learnt now.
    pub(super) fn answering(&mut self, users: &[Place]) {
        self.move_questions(users, Question::Answering);
    }

    fn move_questions(&mut self, users: &[Place], question: Question) {
        for user in users {
            if let Some((_, person)) = self.by_id.get_mut(*user) {
                person.question = question;
            }
        }
    }

    /// The question came to an end. Whether it has an answer, which does not show the user, and
    /// somebody wants to know.
    pub(super) fn end_question(&mut self, user: Place) -> bool {
        let Some((_, person)) = self.by_id.get_mut(user) else { return false };
        let question = std::mem::replace(&mut person.question, Question::None);
        let is_missed = question == Question::Answering && !person.watchers.is_empty();
        self.forget_unwanted(user);
        is_missed
    }
}
