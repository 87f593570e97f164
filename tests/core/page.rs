//! The app on the page: what it asked for, what it was promised, and what it shows by what it
//! was told.

use std::collections::{BTreeMap, BTreeSet};

use rollcall::core::{Core, Event, Freshness, Millis, Ticket, WatchId};

use super::server::{Profile, Said, name};

/// Watches that parts of the page may hold.
pub const WATCHES: usize = 2;

/// What a watch shows of somebody.
type Shown = (Option<Said>, bool, Freshness);

pub struct Watch {
    pub id: WatchId,
    pub people: BTreeSet<usize>,
    /// As looked up when there was first word, and whenever told that it changed.
    shown: BTreeMap<usize, Shown>,
}

#[derive(Default)]
pub struct Page {
    /// Since when `connectUser` is unsettled.
    pub connecting: Option<Millis>,
    pub watches: [Option<Watch>; WATCHES],
    tickets: Vec<(Ticket, usize, Vec<usize>)>,
    pub queried: BTreeSet<usize>,
    /// Watched channels: whether their own events and their members' presence are wanted.
    pub channels: BTreeMap<usize, (bool, bool)>,
    /// Those of which the last thing that was asked for is to hear no more.
    pub left: BTreeSet<usize>,
    /// A listener that began with the first answer about somebody and has believed events since.
    listener: BTreeMap<usize, Option<Profile>>,
    /// A part of the page that also believes every answer it gets.
    asker: BTreeMap<usize, Option<Profile>>,
}

pub fn looked_up(core: &Core<Said>, person: usize) -> Shown {
    let presence = core.presence(&name(person));
    (presence.user.copied(), presence.online, presence.freshness)
}

impl Page {
    /// Whether somebody is watched one by one.
    pub fn wants(&self, person: usize) -> bool {
        self.queried.contains(&person) || self.watches.iter().flatten().any(|watch| watch.people.contains(&person))
    }

    pub fn wanted(&self) -> BTreeSet<usize> {
        let watched = self.watches.iter().flatten().flat_map(|watch| watch.people.iter().copied());
        watched.chain(self.queried.iter().copied()).collect()
    }

    // --- Promises -----------------------------------------------------------------------------

    pub fn promised(&mut self, ticket: Ticket, watch: usize, people: Vec<usize>) {
        self.tickets.push((ticket, watch, people));
    }

    pub fn is_promised_anything(&self) -> bool {
        self.connecting.is_some() || !self.tickets.is_empty()
    }

    /// A call of `watchPresence` or `add` is settled; false when it already was.
    pub fn watched(&mut self, core: &Core<Said>, ticket: Ticket, ok: bool) -> bool {
        let Some(index) = self.tickets.iter().position(|(other, ..)| *other == ticket) else { return false };
        let (_, slot, people) = self.tickets.swap_remove(index);
        if let (true, Some(watch)) = (ok, &mut self.watches[slot]) {
            let people: Vec<usize> = people.into_iter().filter(|person| watch.people.contains(person)).collect();
            let shown: Vec<Shown> = people.iter().map(|person| looked_up(core, *person)).collect();
            watch.shown.extend(people.into_iter().zip(shown.iter().copied()));
            self.answered(&shown.iter().filter_map(|(user, ..)| *user).collect::<Vec<_>>());
        }
        true
    }

    /// Nobody on the page asks for this person any more.
    pub fn forget(&mut self, person: usize) {
        self.listener.remove(&person);
        self.asker.remove(&person);
    }

    // --- What it is told ----------------------------------------------------------------------

    pub fn answered(&mut self, users: &[Said]) {
        for said in users {
            if let Said::Shown { person, profile } = *said {
                self.listener.entry(person).or_insert(Some(profile));
                self.asker.insert(person, Some(profile));
            }
        }
    }

    /// A channel's state was brought up to date after a reconnect.
    pub fn hydrated(&mut self, users: &[Said]) {
        for said in users {
            if let Said::Shown { person, profile } = *said {
                self.asker.insert(person, Some(profile));
            }
        }
    }

    pub fn told(&mut self, event: &Event<Said>) {
        let (person, profile) = match event {
            Event::Received(Said::Shown { person, profile })
            | Event::PresenceLearnt { user: Said::Shown { person, profile } }
            | Event::ProfileLearnt { user: Said::Shown { person, profile } } => (*person, Some(*profile)),
            Event::Received(Said::Gone { person }) | Event::OfflineLearnt { user: Said::Shown { person, .. } } => {
                (*person, None)
            }
            _ => return,
        };
        for view in [&mut self.listener, &mut self.asker] {
            if let Some(shown) = view.get_mut(&person) {
                *shown = profile;
            }
        }
    }

    pub fn changed(&mut self, core: &Core<Said>, watch: WatchId, id: usize) {
        if let Some(watch) = self.watches.iter_mut().flatten().find(|other| other.id == watch)
            && let Some(shown) = watch.shown.get_mut(&id)
        {
            *shown = looked_up(core, id);
        }
    }

    // --- Watches ------------------------------------------------------------------------------

    pub fn watch(&mut self, slot: usize, new: impl FnOnce() -> WatchId) -> &mut Watch {
        self.watches[slot].get_or_insert_with(|| Watch { id: new(), people: BTreeSet::new(), shown: BTreeMap::new() })
    }

    pub fn unwatch(&mut self, slot: usize, person: usize) -> Option<WatchId> {
        let watch = self.watches[slot].as_mut()?;
        watch.shown.remove(&person);
        watch.people.remove(&person).then_some(watch.id)
    }

    // --- Whether that is right ----------------------------------------------------------------

    /// What a watch shows that the core does not.
    pub fn watch_left_behind(&self, core: &Core<Said>) -> Option<String> {
        let shown = self.watches.iter().flatten().flat_map(|watch| &watch.shown);
        let wrong = shown.map(|(person, shown)| (*person, *shown, looked_up(core, *person)));
        let (person, shown, now) = wrong.into_iter().find(|(_, shown, now)| shown != now)?;
        Some(format!("a watch was not told that {} changed: it shows {shown:?}, the core {now:?}", name(person)))
    }

    /// What a view shows of somebody that is not so.
    pub fn view_at_odds(&self, person: usize, truth: Option<Profile>) -> Option<String> {
        for (view, who) in [(&self.listener, "a listener"), (&self.asker, "who asked last")] {
            let online = |profile: Option<Profile>| profile.is_some_and(|profile| profile.online);
            if let Some(shown) = view.get(&person)
                && (online(*shown) != online(truth) || (shown.is_some() && truth.is_some() && *shown != truth))
            {
                return Some(format!("{who} shows {} as {shown:?}, and the truth is {truth:?}", name(person)));
            }
        }
        None
    }
}
