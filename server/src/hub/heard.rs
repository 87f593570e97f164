//! What this node has told its connections of others, so that nobody is told twice, nor left behind.
//!
//! Whoever begins to watch somebody is told how they stand by a look-up, later changes by the flips that
//! are heard. The two agree because a look-up is made only after Redis confirmed that flips are heard, and
//! because it changes nothing here once anything was told: a flip that is on its way still reaches those who
//! looked before it. Only after flips may have been missed ([`Heard::doubt_all`]) it goes the other way:
//! a look-up counts as long as no flip was heard ([`Heard::mend`]), and what it found has to be told.

use std::collections::HashMap;

use crate::cluster::Seen;
use crate::presence::UserId;
use crate::store::Timestamp;

/// How the users whom this node listens to stand, as its connections know it.
#[derive(Debug, Default)]
pub struct Heard {
    /// Without a state as long as nothing is known of the user.
    users: HashMap<UserId, Option<Standing>>,
    /// When the profiles were written that were told last of some of these users.
    profiles: HashMap<UserId, Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    online: bool,
    seq: i64,
    /// Flips may have been missed since: whatever is heard or looked up next counts, because a Redis that
    /// forgot may count anew.
    doubted: bool,
    /// The connections know the opposite, and are going to be told.
    untold: bool,
}

impl Standing {
    fn new(online: bool, seq: i64) -> Self {
        Self { online, seq, doubted: false, untold: false }
    }

    /// What the connections know.
    fn told(self) -> bool {
        self.online != self.untold
    }
}

impl Heard {
    /// The user will be listened to.
    pub fn expect(&mut self, user: &UserId) {
        self.users.entry(user.clone()).or_default();
    }

    /// The first look-up of a user who is listened to.
    pub fn begin(&mut self, user: &UserId, seen: Seen) {
        if let Some(standing) = self.users.get_mut(user) {
            standing.get_or_insert(Standing::new(seen.online, seen.seq));
        }
    }

    /// The same, while all that is known is how the user stands here.
    pub fn presume(&mut self, user: &UserId, online: bool) {
        if let Some(standing) = self.users.get_mut(user) {
            standing.get_or_insert(Standing { doubted: true, ..Standing::new(online, 0) });
        }
    }

    /// A flip is heard. Whether it is news here.
    pub fn flip(&mut self, user: &UserId, online: bool, seq: i64) -> bool {
        let Some(standing) = self.users.get_mut(user) else {
            return false;
        };
        let before = standing.filter(|before| !before.doubted);
        if before.is_some_and(|before| seq <= before.seq) {
            return false;
        }
        let before = standing.replace(Standing::new(online, seq));
        before.is_none_or(|before| before.told() != online)
    }

    /// Flips may have been missed: everybody is going to be looked up.
    pub fn doubt_all(&mut self) {
        self.users.values_mut().flatten().for_each(|standing| standing.doubted = true);
    }

    /// Whether Redis has lost what was heard of the user: this is older.
    pub fn is_ahead_of(&self, user: &str, seen: Seen) -> bool {
        self.standing(user).is_some_and(|standing| standing.doubted && standing.seq > seen.seq)
    }

    /// The user was looked up again after flips may have been missed. Whether there is something to tell.
    pub fn mend(&mut self, user: &UserId, seen: Seen) -> bool {
        let Some(standing) = self.users.get_mut(user) else {
            return false;
        };
        let before = standing.get_or_insert(Standing::new(seen.online, seen.seq));
        if before.doubted {
            let untold = before.told() != seen.online;
            *before = Standing { untold, ..Standing::new(seen.online, seen.seq) };
        }
        before.untold
    }

    /// How the user stands, if that is still to be told. It is told then.
    pub fn take_untold(&mut self, user: &str) -> Option<bool> {
        let standing = self.users.get_mut(user)?.as_mut().filter(|standing| standing.untold)?;
        standing.untold = false;
        Some(standing.online)
    }

    /// The user's profile is told as it was written then. Whether that is news here: an earlier time is,
    /// for the clocks of two nodes differ.
    pub fn profile(&mut self, user: &UserId, written: Timestamp) -> bool {
        !self.users.contains_key(user) || self.profiles.insert(user.clone(), written) != Some(written)
    }

    /// How the user stands, as was last heard.
    pub fn online(&self, user: &str) -> Option<bool> {
        self.standing(user).map(|standing| standing.online)
    }

    /// The flip that was heard of the user last, or that was seen first.
    pub fn seq(&self, user: &str) -> Option<i64> {
        self.standing(user).map(|standing| standing.seq).filter(|seq| *seq > 0)
    }

    /// The user is not listened to any more.
    pub fn forget(&mut self, user: &str) {
        self.users.remove(user);
        self.profiles.remove(user);
    }

    fn standing(&self, user: &str) -> Option<Standing> {
        self.users.get(user).copied().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(online: bool, seq: i64) -> Seen {
        Seen { online, seq, ..Seen::default() }
    }

    fn listening(first: Seen) -> (Heard, UserId) {
        let (mut heard, ada) = (Heard::default(), UserId::from("ada"));
        heard.expect(&ada);
        heard.begin(&ada, first);
        (heard, ada)
    }

    #[test]
    fn a_later_look_up_hides_no_flip_from_those_who_looked_before() {
        let (mut heard, ada) = listening(seen(false, 1));
        heard.begin(&ada, seen(true, 2));
        assert!(heard.flip(&ada, true, 2));
    }

    #[test]
    fn a_flip_is_told_once() {
        let (mut heard, ada) = listening(seen(false, 1));
        assert!(heard.flip(&ada, true, 2));
        assert!(!heard.flip(&ada, true, 2));
        assert!(!heard.flip(&ada, false, 1));
        assert_eq!(heard.online("ada"), Some(true));
    }

    #[test]
    fn a_flip_that_a_look_up_found_first_is_not_told_again() {
        let (mut heard, ada) = listening(seen(false, 1));
        heard.doubt_all();
        assert!(heard.mend(&ada, seen(true, 2)));
        assert_eq!(heard.take_untold("ada"), Some(true));
        assert!(!heard.flip(&ada, true, 2));
        assert!(heard.flip(&ada, false, 3));
    }

    #[test]
    fn a_look_up_that_a_flip_overtook_is_old() {
        let (mut heard, ada) = listening(seen(false, 1));
        heard.doubt_all();
        assert!(heard.flip(&ada, true, 3));
        assert!(!heard.mend(&ada, seen(false, 2)));
        assert_eq!((heard.online("ada"), heard.take_untold("ada")), (Some(true), None));
    }

    #[test]
    fn what_was_missed_is_not_told_once_it_is_over() {
        let (mut heard, ada) = listening(seen(true, 1));
        heard.doubt_all();
        assert!(heard.mend(&ada, seen(false, 2)));
        assert!(!heard.flip(&ada, true, 3), "they never knew that she was away");
        assert_eq!(heard.take_untold("ada"), None);
    }

    #[test]
    fn what_was_presumed_while_nobody_could_be_asked_is_mended() {
        let (mut heard, ada) = (Heard::default(), UserId::from("ada"));
        heard.expect(&ada);
        heard.doubt_all();
        heard.presume(&ada, false);
        assert!(heard.mend(&ada, seen(true, 2)));
    }

    #[test]
    fn what_everybody_knows_is_no_news_when_redis_counts_anew() {
        let (mut heard, ada) = listening(seen(true, 100));
        assert!(!heard.flip(&ada, true, 101));
        heard.doubt_all();
        assert!(heard.is_ahead_of("ada", seen(true, 7)));
        assert!(!heard.mend(&ada, seen(true, 7)));
        assert!(heard.flip(&ada, false, 8));
    }
}
