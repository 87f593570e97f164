//! What this node has told its connections of others, so that nobody is told twice, nor left behind.
//!
//! Whoever begins to watch somebody is told how they stand by a look-up, later changes by the flips that
//! are heard. The two agree because a look-up is made only after Redis confirmed that flips are heard, and
//! because it changes nothing here once anything was told: a flip that is on its way still reaches those who
//! looked before it. Only [`Heard::mend`], after flips may have been missed, goes the other way, and then
//! what it found has to be told.

use std::collections::HashMap;

use crate::cluster::Seen;
use crate::presence::UserId;

/// How the users whom this node listens to stand, as its connections know it.
#[derive(Debug, Default)]
pub struct Heard {
    /// Without a state as long as nothing is known of the user.
    users: HashMap<UserId, Option<Told>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Told {
    online: bool,
    seq: i64,
}

impl Heard {
    /// The user will be listened to.
    pub fn expect(&mut self, user: &UserId) {
        self.users.entry(user.clone()).or_default();
    }

    /// The first look-up of a user who is listened to.
    pub fn begin(&mut self, user: &UserId, seen: Seen) {
        if let Some(told) = self.users.get_mut(user) {
            told.get_or_insert(Told { online: seen.online, seq: seen.seq });
        }
    }

    /// A flip is heard. Whether it is news here.
    pub fn flip(&mut self, user: &UserId, online: bool, seq: i64) -> bool {
        let Some(told) = self.users.get_mut(user) else {
            return false;
        };
        let before = *told;
        if before.is_some_and(|before| seq <= before.seq) {
            return false;
        }
        *told = Some(Told { online, seq });
        before.is_none_or(|before| before.online != online)
    }

    /// The user was looked up again after flips may have been missed. Whether what came of it is news
    /// here, and has to be told.
    pub fn mend(&mut self, user: &UserId, seen: Seen) -> bool {
        let Some(told) = self.users.get_mut(user) else {
            return false;
        };
        // Redis that forgot may count anew.
        let before = told.replace(Told { online: seen.online, seq: seen.seq });
        before.is_none_or(|before| before.online != seen.online)
    }

    /// What was told of the user last.
    pub fn online(&self, user: &str) -> Option<bool> {
        self.users.get(user).copied().flatten().map(|told| told.online)
    }

    /// The flip that was told of the user last, or that was seen first.
    pub fn seq(&self, user: &str) -> Option<i64> {
        self.users.get(user).copied().flatten().map(|told| told.seq).filter(|seq| *seq > 0)
    }

    /// The user is not listened to any more.
    pub fn forget(&mut self, user: &str) {
        self.users.remove(user);
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
        assert!(heard.mend(&ada, seen(true, 2)));
        assert!(!heard.flip(&ada, true, 2));
        assert!(heard.flip(&ada, false, 3));
    }

    #[test]
    fn what_everybody_knows_is_no_news_when_redis_counts_anew() {
        let (mut heard, ada) = listening(seen(true, 100));
        assert!(!heard.flip(&ada, true, 101));
        assert!(!heard.mend(&ada, seen(true, 7)));
        assert!(heard.flip(&ada, false, 8));
    }
}
