//! The rule of presence: a user is online while a connection lives, or for a short grace after
//! one was lost, and never while invisible. Only flips are told.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use super::{ConnectionId, UserId};

/// Why a user's presence flipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A connection opened.
    Connected,
    /// The last connection said goodbye.
    Closed,
    /// The last connection was lost, and nobody came back within the grace.
    Lost,
    /// The user went invisible.
    Invisible,
    /// The user became visible again.
    Visible,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The client said goodbye: it counts at once.
    Goodbye,
    /// Anything else, such as a reload or a lost network: the grace begins.
    Lost,
}

/// What the registry wants done, in the order it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// What others see of the user changed. `last_active` is due as well.
    Flip { user: UserId, online: bool, reason: Reason },
    /// The user is still there: `last_active` is due.
    Active { user: UserId },
}

/// Connections per user, and the clockwork around them.
///
/// After each call drain [`Registry::poll_output`] to `None`, then call
/// [`Registry::handle_timeout`] no later than [`Registry::poll_timeout`].
#[derive(Debug)]
pub struct Registry {
    grace: Duration,
    refresh: Duration,
    users: HashMap<UserId, Entry>,
    owners: HashMap<ConnectionId, UserId>,
    timers: BTreeSet<(Instant, UserId)>,
    online: usize,
    outputs: VecDeque<Output>,
}

#[derive(Debug, Default)]
struct Entry {
    connections: Vec<ConnectionId>,
    grace_until: Option<Instant>,
    refresh_at: Option<Instant>,
    invisible: bool,
}

impl Entry {
    fn present(&self) -> bool {
        !self.connections.is_empty() || self.grace_until.is_some()
    }

    fn online(&self) -> bool {
        self.present() && !self.invisible
    }

    fn timer(&self) -> Option<Instant> {
        [self.grace_until, self.refresh_at].into_iter().flatten().min()
    }
}

impl Registry {
    /// `grace` is how long a lost connection still counts; `refresh` is how often
    /// `last_active` is due while a user stays connected.
    pub fn new(grace: Duration, refresh: Duration) -> Self {
        Self {
            grace,
            refresh,
            users: HashMap::new(),
            owners: HashMap::new(),
            timers: BTreeSet::new(),
            online: 0,
            outputs: VecDeque::new(),
        }
    }

    /// A connection opened. `invisible` is what the user's profile says now.
    pub fn connect(&mut self, now: Instant, user: &UserId, connection: ConnectionId, invisible: bool) {
        self.owners.insert(connection, user.clone());
        let was_online = self.is_online(user);
        self.update(now, user, Reason::Connected, |entry| {
            entry.connections.push(connection);
            entry.invisible = invisible;
            // A page that came back takes the place of the one that was lost.
            entry.grace_until = None;
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
        let grace = self.grace;
        let reason = match ending {
            Ending::Goodbye => Reason::Closed,
            Ending::Lost => Reason::Lost,
        };
        self.update(now, &user, reason, |entry| {
            entry.connections.retain(|c| *c != connection);
            if ending == Ending::Lost && !grace.is_zero() {
                entry.grace_until = Some(now + grace);
            }
        });
    }

    /// The user's profile now says `invisible`. It changes nothing for a user who is away:
    /// the next [`Registry::connect`] brings the flag along.
    pub fn set_invisible(&mut self, now: Instant, user: &UserId, invisible: bool) {
        if self.users.contains_key(user) {
            let reason = if invisible { Reason::Invisible } else { Reason::Visible };
            self.update(now, user, reason, |entry| entry.invisible = invisible);
        }
    }

    /// Ends the graces and asks for the refreshes that are due at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((due, user)) = self.timers.first().cloned() {
            if due > now {
                break;
            }
            let refresh = self.users.get(&user).is_some_and(|e| e.refresh_at.is_some_and(|at| at <= now));
            self.update(now, &user, Reason::Lost, |entry| {
                entry.grace_until = entry.grace_until.filter(|until| *until > now);
                if refresh {
                    entry.refresh_at = None;
                }
            });
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

    /// Whether others see the user as online.
    pub fn is_online(&self, user: &str) -> bool {
        self.users.get(user).is_some_and(Entry::online)
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

    /// The users whom others see as online.
    pub fn online_users(&self) -> impl Iterator<Item = &UserId> {
        self.users.iter().filter(|(_, entry)| entry.online()).map(|(user, _)| user)
    }

    /// How many users others see as online.
    pub fn online_count(&self) -> usize {
        self.online
    }

    /// How many connections live.
    pub fn connection_count(&self) -> usize {
        self.owners.len()
    }

    /// Every change of an entry goes through here, so that a flip cannot be missed, told twice,
    /// or leave a timer behind.
    fn update(&mut self, now: Instant, user: &UserId, reason: Reason, change: impl FnOnce(&mut Entry)) {
        let entry = self.users.entry(user.clone()).or_default();
        let (was_online, old_timer) = (entry.online(), entry.timer());
        change(entry);
        if entry.connections.is_empty() || entry.invisible {
            entry.refresh_at = None;
        } else if entry.refresh_at.is_none() {
            entry.refresh_at = Some(now + self.refresh);
        }
        let (online, timer, present) = (entry.online(), entry.timer(), entry.present());
        if old_timer != timer {
            if let Some(old) = old_timer {
                self.timers.remove(&(old, user.clone()));
            }
            if let Some(new) = timer {
                self.timers.insert((new, user.clone()));
            }
        }
        if !present {
            self.users.remove(user);
        }
        if was_online != online {
            if online {
                self.online += 1;
            } else {
                self.online -= 1;
            }
            self.outputs.push_back(Output::Flip { user: user.clone(), online, reason });
        }
    }
}
