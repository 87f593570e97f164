//! What the app asked to watch, and who waits for the first word of it.

use super::by_id::Place;
use super::io::{Ask, Ticket, WatchId};
use super::watchers::Watcher;
use rollcall_protocol::limits;

#[derive(Debug)]
struct ChannelWatch {
    cid: String,
    number: u32,
    watch: bool,
    presence: bool,
}

/// Somebody waits until there is word of all of these, who are in their watch as long as they wait.
#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    watch: WatchId,
    users: Vec<Place>,
}

#[derive(Debug, Default)]
pub(super) struct Watches {
    channels: Vec<ChannelWatch>,
    /// Ascending, as they were made.
    listening: Vec<WatchId>,
    waiting: Vec<Waiting>,
    /// For whom nobody has been given a ticket yet.
    named: Vec<Place>,
    last_number: u32,
}

impl Watches {
    /// Nothing is watched any more. Numbers go on counting: what is told late finds nobody else.
    pub(super) fn clear(&mut self) {
        *self = Watches { last_number: self.last_number, ..Watches::default() };
    }

    fn next_number(&mut self) -> u32 {
        self.last_number = self.last_number.wrapping_add(1);
        self.last_number
    }

    // --- Channels -----------------------------------------------------------------------------

    /// Asking again adds to what was asked before, as it does on the server.
    pub(super) fn add_channel(&mut self, cid: &str, watch: bool, presence: bool) -> Watcher {
        let number = match self.channels.iter_mut().find(|channel| channel.cid == cid) {
            Some(channel) => {
                channel.watch |= watch;
                channel.presence |= presence;
                channel.number
            }
            None => {
                let number = self.next_number();
                self.channels.push(ChannelWatch { cid: cid.to_owned(), number, watch, presence });
                number
            }
        };
        Watcher::Channel(number)
    }

    /// The watcher of a channel's members, when their presence is asked for.
    pub(super) fn channel(&self, cid: &str) -> Option<Watcher> {
        let channel = self.channels.iter().find(|channel| channel.cid == cid && channel.presence)?;
        Some(Watcher::Channel(channel.number))
    }

    pub(super) fn has_channel(&self, cid: &str) -> bool {
        self.channels.iter().any(|channel| channel.cid == cid)
    }

    pub(super) fn remove_channel(&mut self, cid: &str) -> Option<Watcher> {
        let index = self.channels.iter().position(|channel| channel.cid == cid)?;
        Some(Watcher::Channel(self.channels.swap_remove(index).number))
    }

    /// Those that are `wanted`, in pages no larger than the server answers.
    pub(super) fn pages(&self, wanted: &dyn Fn(Watcher) -> bool, take: &mut dyn FnMut(Ask)) {
        for (watch, presence) in [(true, true), (true, false), (false, true)] {
            let mut cids = Vec::new();
            for channel in &self.channels {
                if (channel.watch, channel.presence) == (watch, presence) && wanted(Watcher::Channel(channel.number)) {
                    cids.push(channel.cid.clone());
                }
            }
            for page in cids.chunks(limits::CHANNELS_PER_REQUEST) {
                take(Ask::Channels { cids: page.to_vec(), watch, presence });
            }
        }
    }

    // --- Users --------------------------------------------------------------------------------

    pub(super) fn new_watch(&mut self) -> WatchId {
        WatchId(self.next_number())
    }

    pub(super) fn listen(&mut self, watch: WatchId, wanted: bool) {
        match (self.listening.binary_search(&watch), wanted) {
            (Err(index), true) => self.listening.insert(index, watch),
            (Ok(index), false) => {
                self.listening.remove(index);
            }
            _ => {}
        }
    }

    /// Whether anybody hears what is said of this watch.
    pub(super) fn is_listening(&self, watch: WatchId) -> bool {
        self.listening.binary_search(&watch).is_ok()
    }

    /// Who waits next waits for this user too.
    pub(super) fn name(&mut self, user: Place) {
        self.named.push(user);
    }

    /// Waits for those who were named since the last one.
    pub(super) fn wait(&mut self, watch: WatchId) -> Ticket {
        let ticket = Ticket(self.next_number());
        self.waiting.push(Waiting { ticket, watch, users: std::mem::take(&mut self.named) });
        ticket
    }

    /// Whoever waits for this user has lost interest.
    pub(super) fn wait_no_more(&mut self, watch: WatchId, user: Place) {
        let waiting = self.waiting.iter_mut().filter(|waiting| waiting.watch == watch);
        for users in waiting.map(|waiting| &mut waiting.users).chain([&mut self.named]) {
            while let Some(index) = users.iter().position(|other| *other == user) {
                users.swap_remove(index);
            }
        }
    }

    /// Takes out somebody of whose users all are `told`.
    pub(super) fn next_told(&mut self, told: &dyn Fn(Place) -> bool) -> Option<Ticket> {
        let done = |waiting: &mut Waiting| {
            // Only ever the last: each is then looked at once, however many answers it takes.
            while waiting.users.last().is_some_and(|user| told(*user)) {
                waiting.users.pop();
            }
            waiting.users.is_empty()
        };
        let index = self.waiting.iter_mut().position(done)?;
        Some(self.waiting.swap_remove(index).ticket)
    }

    /// Takes out somebody who waits for one of these in vain.
    pub(super) fn next_refused(&mut self, users: &[Place]) -> Option<Ticket> {
        let index = self.waiting.iter().position(|waiting| waiting.users.iter().any(|user| users.contains(user)))?;
        Some(self.waiting.swap_remove(index).ticket)
    }
}
