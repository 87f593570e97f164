//! Watching users and channels: asking for them, learning of them, and telling who wants to know.

use super::io::{Ask, Event, Failure, Generation, Millis, Output, RequestId, Seen, Snapshot, Ticket, WatchId};
use super::presence::{Freshness, News, Presence};
use super::watchers::Watcher;
use super::watches::Watches;
use super::{Asked, Core, keep};
use std::collections::VecDeque;

impl<P: Clone> Core<P> {
    // --- Users one by one ---------------------------------------------------------------------

    /// A watch of nobody yet.
    pub fn new_watch(&mut self) -> WatchId {
        self.watches.new_watch()
    }

    /// Whether [`Output::Changed`] is wanted for this watch; not until said so.
    pub fn listen(&mut self, watch: WatchId, wanted: bool) {
        self.watches.listen(watch, wanted);
    }

    /// These users are watched too, through reconnects. [`Output::Watched`] says when there is
    /// word of all of them.
    pub fn watch(&mut self, watch: WatchId, ids: Vec<String>) -> Ticket {
        for id in &ids {
            self.people.watch(id, Watcher::Watch(watch));
        }
        self.ask_for(&ids);
        let ticket = self.watches.wait(watch, ids);
        self.settle_watches();
        ticket
    }

    /// This user is no longer watched by this watch. Whom nobody watches is forgotten.
    pub fn unwatch(&mut self, watch: WatchId, id: &str) {
        self.people.unwatch(id, Watcher::Watch(watch));
        self.watches.wait_no_more(watch, id);
        self.settle_watches();
    }

    /// The users of an answer are now watched one by one, through reconnects too.
    pub fn watch_users(&mut self, snapshot: Snapshot<P>) {
        let mut ids = Vec::new();
        for seen in &snapshot.users {
            self.people.watch(&seen.id, Watcher::Queries);
            ids.push(seen.id.clone());
        }
        let outdated = snapshot.asked.generation != self.generation;
        self.learn(snapshot, false, false);
        if outdated {
            self.ask_for(&ids);
        }
        self.settle_watches();
    }

    // --- Channels -----------------------------------------------------------------------------

    /// A channel is now watched, through reconnects too; its members' users come with it when
    /// their presence was asked for.
    pub fn watch_channel(&mut self, cid: &str, watch: bool, presence: bool, snapshot: Snapshot<P>) {
        let outdated = snapshot.asked.generation != self.generation;
        let channel = self.watches.add_channel(cid, watch, presence);
        if presence {
            self.watch_all(channel, &snapshot.users);
            self.learn(snapshot, true, false);
        }
        if outdated && self.connection.is_connected() {
            self.requests.queue(Ask::Channels { cids: vec![cid.to_owned()], watch, presence });
            self.ask_next();
        }
    }

    /// These are the members of a channel, by the answer to `asked`, and there are no others.
    /// Whether it is still watched, and they with it.
    pub fn watch_members(&mut self, cid: &str, asked: Asked, users: &[Seen<P>]) -> bool {
        let Some(channel) = self.watches.channel(cid) else { return false };
        self.watch_all(channel, users);
        self.release(channel, Some(asked), users);
        true
    }

    fn watch_all(&mut self, channel: Watcher, users: &[Seen<P>]) {
        for seen in users {
            self.people.watch(&seen.id, channel);
        }
    }

    /// The channel is no longer watched.
    pub fn stop_watching(&mut self, cid: &str) {
        if let Some(channel) = self.watches.remove_channel(cid) {
            self.release(channel, None, &[]);
            self.people.forget_strangers();
        }
    }

    /// See [`super::presence::People::release`].
    fn release(&mut self, channel: Watcher, asked: Option<Asked>, but: &[Seen<P>]) {
        let (mut users, mut channels) = (Vec::new(), Vec::new());
        let (watches, outputs) = (&self.watches, &mut self.outputs);
        self.people.release(channel, asked, but, &mut |id, watchers| {
            tell(watches, outputs, false, News::<P>::Changed(id, watchers));
            if watchers.is_personal() {
                users.push(id.to_owned());
            } else {
                channels.extend_from_slice(watchers.as_slice());
            }
        });
        if self.connection.is_connected() {
            self.watches.pages(&|channel| channels.contains(&channel), &mut |page| self.requests.queue(page));
            self.ask_for(&users);
        }
    }

    // --- What is known ------------------------------------------------------------------------

    /// What is known of a user, and how far it can be trusted.
    pub fn presence(&self, id: &str) -> Presence<'_, P> {
        self.people.get(id, self.trusted().map(|(generation, _)| generation))
    }

    /// The same, without the details.
    pub fn presence_of(&self, id: &str) -> (Option<&P>, Freshness) {
        let Presence { user, freshness, .. } = self.presence(id);
        (user, freshness)
    }

    /// The user as shown by something newer than the answer to `asked`, if anything is.
    pub fn heard_since(&self, asked: Asked, id: &str) -> Option<&P> {
        self.people.heard_since(asked, id)
    }

    // --- Telling ------------------------------------------------------------------------------

    pub(super) fn heard_of(&mut self, now: Millis, user: Seen<P>, deleted: bool, payload: P) {
        self.outputs.push_back(Output::Emit(Event::Received(payload)));
        let (watches, outputs) = (&self.watches, &mut self.outputs);
        self.people.hear(user, deleted, now, &mut |news| tell(watches, outputs, false, news));
    }

    /// What differs is told even when it was the app that asked: another part of it may have been
    /// shown something else before.
    fn learn(&mut self, snapshot: Snapshot<P>, by_channel: bool, by_itself: bool) {
        let (watches, outputs) = (&self.watches, &mut self.outputs);
        let resync = by_itself && self.requests.is_recovering();
        let tell = &mut |news: News<P>| tell(watches, outputs, resync, news);
        self.people.learn(snapshot, by_channel, self.generation, self.profiles_differ, tell);
    }

    /// Nothing more is heard of anybody: who listens is told that they are unknown.
    pub(super) fn forget_everybody(&mut self) {
        let (watches, outputs) = (&self.watches, &mut self.outputs);
        std::mem::take(&mut self.people).forget(&mut |news| tell(watches, outputs, false, news));
    }

    /// The connection that is trusted, and when something was last heard on it.
    pub(super) fn trusted(&self) -> Option<(Generation, Millis)> {
        Some((self.generation, self.connection.trusted()?))
    }

    /// Tells who wants to know that what is known has become stale, or is live again after all.
    pub(super) fn tell_of_trust(&mut self, before: Option<(Generation, Millis)>) {
        let after = self.trusted();
        let generation = |trusted: Option<(Generation, Millis)>| trusted.map(|(generation, _)| generation);
        if generation(before) == generation(after) {
            return;
        }
        let (watches, outputs) = (&self.watches, &mut self.outputs);
        let tell = &mut |news: News<P>| tell(watches, outputs, false, news);
        for (connection, last_heard) in before.into_iter().chain(after) {
            self.people.doubt(connection, last_heard, tell);
        }
    }

    // --- Asking -------------------------------------------------------------------------------

    fn ask_for(&mut self, ids: &[String]) {
        if !self.connection.is_connected() {
            // With a connection comes the asking for everybody.
            return;
        }
        for id in ids {
            if self.people.ask(id, self.generation) {
                self.requests.queue_user(id.clone());
            }
        }
        self.ask_next();
    }

    pub(super) fn renew_watches(&mut self) {
        self.requests.clear();
        self.watches.pages(&|_| true, &mut |page| self.requests.queue(page));
        self.people.forget_strangers();
        self.requests.recovering();
        self.ask_for_everybody();
    }

    pub(super) fn ask_for_everybody(&mut self) {
        for id in self.people.ask_all() {
            self.requests.queue_user(id);
        }
        self.ask_next();
    }

    pub(super) fn ask_next(&mut self) {
        let asked = self.asked();
        let mut wanted = |id: &str| self.people.is_still_watched(id) || self.watches.has_channel(id);
        while let Some((request, ask)) = self.requests.next(asked, &mut wanted) {
            self.outputs.push_back(Output::Ask { request, ask });
        }
        if self.requests.has_recovered() {
            self.outputs.push_back(Output::Emit(Event::ConnectionRecovered));
        }
    }

    pub(super) fn replied(&mut self, now: Millis, request: RequestId, result: Result<Vec<Seen<P>>, Failure<P>>) {
        let Some((asked, ask)) = self.requests.take(request) else { return };
        match result {
            Ok(users) => {
                self.answered(asked, ask, users);
                self.requests.succeeded();
                self.settle_watches();
            }
            Err(Failure { retryable: true, retry_after, .. }) => {
                let delay = self.backoff.delay_after(self.requests.failures());
                self.requests.try_again(ask, now + retry_after.unwrap_or(0).max(delay));
            }
            // Asking the same again cannot help: what is known of these stays marked stale.
            Err(Failure { retryable: false, reason, .. }) => self.refused_to_answer(ask, reason),
        }
        self.ask_next();
    }

    fn answered(&mut self, asked: Asked, ask: Ask, users: Vec<Seen<P>>) {
        let Ask::Users { mut ids } = ask else { return self.learn(Snapshot { asked, users }, true, true) };
        let mut wanted = Vec::new();
        for seen in users {
            // Somebody may have lost interest meanwhile.
            self.people.answered(&seen.id);
            if self.people.is_watched(&seen.id) {
                wanted.push(seen);
            }
        }
        // Who is not among them.
        keep(&mut ids, &mut |id| self.people.is_asked(id));
        for id in &ids {
            self.people.answered(id);
        }
        self.learn(Snapshot { asked, users: wanted }, false, true);

        let (watches, outputs) = (&self.watches, &mut self.outputs);
        let resync = self.requests.is_recovering();
        let tell = &mut |news: News<P>| tell(watches, outputs, resync, news);
        keep(&mut ids, &mut |id| !self.people.miss(id, asked, tell));
        self.ask_for(&ids);
    }

    fn refused_to_answer(&mut self, ask: Ask, reason: P) {
        let Ask::Users { ids } = ask else { return };
        for id in &ids {
            self.people.answered(id);
        }
        while let Some(ticket) = self.watches.next_refused(&ids) {
            self.outputs.push_back(Output::Watched { ticket, result: Err(reason.clone()) });
        }
    }

    /// Tells those who wait that there is word of all they wait for.
    fn settle_watches(&mut self) {
        let told = |id: &str| self.people.is_told(id, self.generation);
        while let Some(ticket) = self.watches.next_told(&told) {
            self.outputs.push_back(Output::Watched { ticket, result: Ok(()) });
        }
    }
}

fn tell<P>(watches: &Watches, outputs: &mut VecDeque<Output<P>>, resync: bool, news: News<P>) {
    match news {
        News::Learnt(event) => outputs.push_back(Output::Emit(event)),
        News::Changed(id, watchers) => {
            for watcher in watchers.as_slice() {
                if let Watcher::Watch(watch) = *watcher
                    && watches.is_listening(watch)
                {
                    outputs.push_back(Output::Changed { watch, id: id.to_owned(), resync });
                }
            }
        }
    }
}
