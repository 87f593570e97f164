//! The rule of presence: a user is online while a connection lives, or for a short grace after
//! one ended. Only flips are told.
//!
//! To others, who hides says goodbye with every connection, and who shows themselves again comes
//! back with every one: what a hidden connection does changes nothing.

mod claim;
mod entry;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::rules::{Damping, Ending, Grace};
use super::{ConnectionId, UserId};
pub use claim::Claim;
use entry::Entry;
pub use entry::Standing;

/// Why a user went offline, as far as it concerns others: whoever hides has `Closed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The user said goodbye.
    Closed,
    /// The user's page was closed, and nobody came back within the grace.
    Left,
    /// The last connection was lost, and nobody came back within the grace.
    Lost,
}

/// What the registry wants done, in the order it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Others see the user as online from now on. `last_active` is due as well.
    Online { user: UserId },
    /// Others see the user as offline from now on. `last_heard` is when the user last gave a sign
    /// of life, and so `last_active`; `None` for one who was last heard before the server started.
    Offline { user: UserId, reason: Reason, last_heard: Option<Instant> },
    /// The user is still there: `last_active` is due.
    Active { user: UserId },
    /// Others see from now on what the user's connections watch, or no longer do.
    InSight { user: UserId, in_sight: bool },
}

/// What an operator decides.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub grace: Grace,
    pub damping: Damping,
    /// How often `last_active` is due while a user stays connected.
    pub refresh: Duration,
}

/// Connections per user, and the clockwork around them.
///
/// After each call drain [`Registry::poll_output`] to `None`, then call
/// [`Registry::handle_timeout`] no later than [`Registry::poll_timeout`].
#[derive(Debug)]
pub struct Registry {
    rules: Rules,
    users: HashMap<UserId, Entry>,
    owners: HashMap<ConnectionId, UserId>,
    timers: BTreeSet<(Instant, UserId)>,
    online: usize,
    held_back: u64,
    outputs: VecDeque<Output>,
    moved: Vec<UserId>,
}

impl Registry {
    /// Nobody is there yet.
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            users: HashMap::new(),
            owners: HashMap::new(),
            timers: BTreeSet::new(),
            online: 0,
            held_back: 0,
            outputs: VecDeque::new(),
            moved: Vec::new(),
        }
    }

    /// The user was online when the server stopped: they count as lost from now on. Nobody is
    /// told, because nobody saw them go.
    pub fn presume(&mut self, now: Instant, user: &UserId) {
        let grace = (now + self.rules.grace.lost, Reason::Lost);
        let told = self.outputs.len();
        self.update(now, user, Reason::Lost, |entry| entry.grace = Some(grace));
        self.outputs.truncate(told);
    }

    /// A connection opened. `invisible` is what the user's profile says now.
    pub fn connect(&mut self, now: Instant, user: &UserId, connection: ConnectionId, invisible: bool) {
        self.owners.insert(connection, user.clone());
        let grace = self.rules.grace;
        let was_online = self.is_online(user);
        self.update(now, user, Reason::Closed, |entry| {
            entry.set_invisible(now, invisible, &grace);
            entry.connections.push(connection);
            if !invisible {
                // A page that came back takes the place of the one that was lost.
                entry.grace = None;
            }
        });
        if was_online && !invisible {
            self.outputs.push_back(Output::Active { user: user.clone() });
        }
    }

    /// A connection ended. An unknown one changes nothing.
    pub fn disconnect(&mut self, now: Instant, connection: ConnectionId, ending: Ending) {
        let Some(user) = self.owners.remove(&connection) else {
            return;
        };
        let (grace, reason) = self.rules.grace.after(ending);
        let last_heard = match ending {
            Ending::Goodbye | Ending::Left => now,
            Ending::Lost { last_heard } => last_heard,
        };
        self.update(now, &user, reason, |entry| {
            entry.connections.retain(|c| *c != connection);
            if !entry.invisible {
                entry.end(now, last_heard, (grace, reason));
            }
        });
    }

    /// Nobody waits for the user to come back: whoever has no connection is offline at once.
    pub fn end_grace(&mut self, now: Instant, user: &UserId) {
        if self.users.contains_key(user) {
            self.update(now, user, Reason::Closed, |entry| entry.grace = None);
        }
    }

    /// The user's profile now says `invisible`. It changes nothing for a user who is away:
    /// the next [`Registry::connect`] brings the flag along.
    pub fn set_invisible(&mut self, now: Instant, user: &UserId, invisible: bool) {
        let Some(entry) = self.users.get(user) else {
            return;
        };
        let returns = entry.online() && !entry.shows_connections();
        let grace = self.rules.grace;
        self.update(now, user, Reason::Closed, |entry| entry.set_invisible(now, invisible, &grace));
        if returns && self.is_in_sight(user) {
            self.outputs.push_back(Output::Active { user: user.clone() });
        }
    }

    /// Ends what is over at `now`, and asks for the refreshes that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((due, user)) = self.timers.first().cloned() {
            if due > now {
                break;
            }
            let Some(entry) = self.users.get(&user) else {
                self.timers.pop_first();
                continue;
            };
            let reason = entry.grace.map_or(Reason::Lost, |(_, reason)| reason);
            let refresh = entry.refresh_at.is_some_and(|at| at <= now) && entry.online();
            self.update(now, &user, reason, |entry| entry.expire(now));
            if refresh && self.is_online(&user) {
                self.outputs.push_back(Output::Active { user });
            }
        }
    }

    /// When [`Registry::handle_timeout`] is next due; `None` when nothing waits.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// The next thing to do.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The users whose claim changed without a flip since this was last asked.
    pub fn take_moved(&mut self) -> Vec<UserId> {
        std::mem::take(&mut self.moved)
    }

    /// How the user stands here.
    pub fn claim(&self, user: &str) -> Claim {
        self.users.get(user).map_or(Claim::Gone, Entry::claim)
    }

    /// Everybody who is not gone.
    pub fn claims(&self) -> impl Iterator<Item = (&UserId, Claim)> {
        let claims = self.users.iter().map(|(user, entry)| (user, entry.claim()));
        claims.filter(|(_, claim)| *claim != Claim::Gone)
    }

    /// Whether others see the user as online.
    pub fn is_online(&self, user: &str) -> bool {
        self.users.get(user).is_some_and(Entry::online)
    }

    /// Whether others see what the user's connections watch: they are there, and do not hide.
    pub fn is_in_sight(&self, user: &str) -> bool {
        self.users.get(user).is_some_and(Entry::in_sight)
    }

    /// Whether the user is connected, invisible or not. For the user's own eyes only.
    pub fn is_connected(&self, user: &str) -> bool {
        self.users.get(user).is_some_and(|entry| !entry.connections.is_empty())
    }

    /// Whose connection it is; `None` when it ended or never was.
    pub fn owner(&self, connection: ConnectionId) -> Option<&UserId> {
        self.owners.get(&connection)
    }

    /// The user's live connections.
    pub fn connections(&self, user: &str) -> &[ConnectionId] {
        self.users.get(user).map_or(&[], |entry| entry.connections.as_slice())
    }

    /// How the user stands: the facts that [`Registry::is_online`] follows from.
    pub fn standing(&self, user: &str) -> Standing {
        self.users.get(user).map_or_else(Standing::default, Entry::standing)
    }

    /// The users who are connected, invisible or not.
    pub fn connected_users(&self) -> impl Iterator<Item = &UserId> {
        self.users.iter().filter(|(_, entry)| !entry.connections.is_empty()).map(|(user, _)| user)
    }

    /// The users whom others see as online.
    pub fn online_users(&self) -> impl Iterator<Item = &UserId> {
        self.users.iter().filter(|(_, entry)| entry.online()).map(|(user, _)| user)
    }

    /// How many users others see as online.
    pub fn online_count(&self) -> usize {
        self.online
    }

    /// How many times a user's return was not shown at once.
    pub fn held_back(&self) -> u64 {
        self.held_back
    }

    /// How many connections live.
    pub fn connection_count(&self) -> usize {
        self.owners.len()
    }

    /// Every change of an entry goes through here, so that a flip cannot be missed, told twice,
    /// or leave a timer behind. `reason` is what is said if the user is offline after it.
    fn update(&mut self, now: Instant, user: &UserId, reason: Reason, change: impl FnOnce(&mut Entry)) {
        let Rules { damping, refresh, .. } = self.rules;
        let entry = self.users.entry(user.clone()).or_default();
        let (was_visible, was_online, old_timer) = (entry.visible(), entry.online(), entry.timer());
        let was_in_sight = entry.in_sight();
        let claimed = entry.claim();
        change(entry);
        self.held_back += u64::from(entry.damp(now, was_visible, damping));
        entry.keep_fresh(now, refresh);
        let (online, timer, last_heard) = (entry.online(), entry.timer(), entry.last_heard);
        let in_sight = entry.in_sight();
        if online == was_online && entry.claim() != claimed {
            self.moved.push(user.clone());
        }
        if entry.is_over() {
            self.users.remove(user);
        }
        if old_timer != timer {
            if let Some(old) = old_timer {
                self.timers.remove(&(old, user.clone()));
            }
            if let Some(new) = timer {
                self.timers.insert((new, user.clone()));
            }
        }
        match (was_online, online) {
            (false, true) => {
                self.online += 1;
                self.outputs.push_back(Output::Online { user: user.clone() });
            }
            (true, false) => {
                self.online -= 1;
                self.outputs.push_back(Output::Offline { user: user.clone(), reason, last_heard });
            }
            _ => {}
        }
        if was_in_sight != in_sight {
            self.outputs.push_back(Output::InSight { user: user.clone(), in_sight });
        }
    }
}
