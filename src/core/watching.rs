//! Watching users and channels: asking for them, learning of them, and telling who wants to know.

use super::by_id::Place;
use super::io::{Ask, Event, Failure, Generation, Millis, Output, RequestId, Seen, Snapshot, Ticket, WatchId};
use super::presence::{News, Presence};
use super::requests::Subject;
use super::watchers::Watcher;
use super::watches::Watches;
use super::{Asked, Core};
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

    /// This user is watched too, through reconnects. The next [`Core::ticket`] is for them as well.
    pub fn watch(&mut self, watch: WatchId, id: &str) {
        let user = self.people.watch(id, Watcher::Watch(watch));
        self.watches.name(user);
        self.ask(user);
    }

    /// [`Output::Watched`] says when there is word of all of them.
    pub fn ticket(&mut self, watch: WatchId) -> Ticket {
        let ticket = self.watches.wait(watch);
        self.ask_next();
        self.settle_watches();
        ticket
    }

    /// This user is no longer watched by this watch. Whom nobody watches is forgotten.
    pub fn unwatch(&mut self, watch: WatchId, id: &str) {
        let user = self.people.place(id);
        self.watches.wait_no_more(watch, user);
        self.people.unwatch(user, Watcher::Watch(watch));
        self.settle_watches();
    }

    /// The users of an answer are now watched one by one, through reconnects too.
    pub fn watch_users(&mut self, snapshot: Snapshot<P>) {
        let mut users = Vec::new();
        for seen in &snapshot.users {
            users.push(self.people.watch(&seen.id, Watcher::Queries));
        }
        let outdated = snapshot.asked.generation != self.generation;
        self.learn(snapshot, false, false);
        if outdated {
            self.ask_for(&users);
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
        self.people.release(channel, asked, but, &mut |user, id, watchers| {
            tell(watches, outputs, false, News::<P>::Changed(id, watchers));
            if watchers.is_personal() {
                users.push(user);
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

    fn ask_for(&mut self, users: &[Place]) {
        for user in users {
            self.ask(*user);
        }
        self.ask_next();
    }

    fn ask(&mut self, user: Place) {
        // With a connection comes the asking for everybody.
        if self.connection.is_connected() {
            self.people.ask(user, self.generation);
        }
    }

    pub(super) fn renew_watches(&mut self) {
        self.requests.clear();
        self.watches.pages(&|_| true, &mut |page| self.requests.queue(page));
        self.requests.recovering();
        self.ask_for_everybody();
    }

    pub(super) fn ask_for_everybody(&mut self) {
        self.people.ask_all();
        self.ask_next();
    }

    pub(super) fn ask_next(&mut self) {
        if !self.connection.is_connected() {
            return;
        }
        let asked = self.asked();
        let mut wanted = |cid: &str| self.watches.has_channel(cid);
        let mut page = |most, most_bytes| self.people.next_page(most, most_bytes);
        while let Some((request, ask)) = self.requests.next(asked, &mut wanted, &mut page) {
            self.outputs.push_back(Output::Ask { request, ask });
        }
        if !self.people.is_waiting() && self.requests.has_recovered() {
            self.outputs.push_back(Output::Emit(Event::ConnectionRecovered));
        }
    }

    pub(super) fn replied(&mut self, now: Millis, request: RequestId, result: Result<Vec<Seen<P>>, Failure<P>>) {
        let Some((asked, subject)) = self.requests.take(request) else { return };
        match result {
            Ok(seen) => {
                self.answered(asked, subject, seen);
                self.requests.succeeded();
                self.settle_watches();
            }
            Err(Failure { retryable: true, retry_after, .. }) => {
                let delay = self.backoff.delay_after(self.requests.failures());
                self.requests.failed(now + retry_after.unwrap_or(0).max(delay));
                match subject {
                    Subject::Channels(ask) => self.requests.put_back(ask),
                    Subject::Users(users) => self.people.ask_again(&users),
                }
            }
            // Asking the same again cannot help: what is known of these stays marked stale.
            Err(Failure { retryable: false, reason, .. }) => self.refused_to_answer(subject, reason),
        }
        self.ask_next();
    }

    fn answered(&mut self, asked: Asked, subject: Subject, seen: Vec<Seen<P>>) {
        let by_channel = matches!(subject, Subject::Channels(_));
        let users = if let Subject::Users(users) = subject { users } else { Vec::new() };
        self.people.answering(&users);
        self.learn(Snapshot { asked, users: seen }, by_channel, true);

        let (watches, outputs) = (&self.watches, &mut self.outputs);
        let resync = self.requests.is_recovering();
        let tell = &mut |news: News<P>| tell(watches, outputs, resync, news);
        let mut again = Vec::new();
        for user in users {
            if !self.people.answered(user, asked, tell) {
                again.push(user);
            }
        }
        self.ask_for(&again);
    }

    fn refused_to_answer(&mut self, subject: Subject, reason: P) {
        let Subject::Users(users) = subject else { return };
        for user in &users {
            self.people.end_question(*user);
        }
        while let Some(ticket) = self.watches.next_refused(&users) {
            self.outputs.push_back(Output::Watched { ticket, result: Err(reason.clone()) });
        }
    }

    /// Tells those who wait that there is word of all they wait for.
    fn settle_watches(&mut self) {
        let told = |user| self.people.is_told(user, self.generation);
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
