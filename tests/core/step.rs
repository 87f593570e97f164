//! One step of a history: something the app, the server, the network or the page does.

use proptest::prelude::*;
use rollcall::core::{Input, Millis, Status};
use rollcall_protocol::close;

use super::network::{FAIR, Parcel, SLOWEST, Weather};
use super::page::{WATCHES, looked_up};
use super::server::{self, CHANNELS, Call, NAMES, PEOPLE};
use super::world::World;

type People = Vec<usize>;

#[derive(Clone, Debug)]
pub enum Step {
    Pass(Millis),
    // The server's people.
    Flip(usize),
    FlipInTheCrowd(usize),
    Edit(usize),
    DeleteOrCreate(usize),
    // The app.
    Connect { renewable_token: bool },
    Disconnect,
    Query(People),
    Watch(usize, People),
    WatchTheCrowd(usize),
    Unwatch(usize, usize),
    EndWatch(usize),
    WatchChannels { channels: Vec<usize>, watch: bool, presence: bool },
    WatchAllChannels,
    StopWatching(usize),
    // The server and what answers in its place.
    Crash { told: bool },
    ServerIsBack,
    Close(u16),
    Refuse { code: i32, times: usize },
    ExpireToken,
    ProviderFails(u32),
    FailRequests { times: usize, retry_after: Option<Millis> },
    Captive(bool),
    // The network.
    Weather(Weather),
    Block { to_server: bool, to_client: bool, lossy: bool },
    Unblock,
    Reset { server_knows: bool },
    Vanish,
    // The page.
    Sleep,
    Wake(Waking),
    Hide(bool),
    Leave,
    Woken,
    Network(bool),
}

/// What a page that wakes up hears first.
#[derive(Clone, Copy, Debug)]
pub enum Waking {
    Timer,
    Event,
    Frames,
}

pub fn steps() -> impl Strategy<Value = (Weather, Vec<Step>)> {
    (prop_oneof![1 => Just(FAIR), 2 => weather()], prop::collection::vec(step(), 0..70))
}

fn weather() -> impl Strategy<Value = Weather> {
    let jitter = || 0u64..(SLOWEST - 1_000);
    (1u64..1_000, jitter(), jitter()).prop_map(|(delay, socket_jitter, request_jitter)| Weather {
        delay,
        socket_jitter,
        request_jitter,
    })
}

fn step() -> impl Strategy<Value = Step> {
    let somebody = || 0..NAMES.len();
    let some = || prop::collection::vec(0..NAMES.len(), 1..4);
    let app = prop_oneof![
        6 => some().prop_map(Step::Query),
        6 => (0..WATCHES, some()).prop_map(|(watch, people)| Step::Watch(watch, people)),
        1 => (0..WATCHES).prop_map(Step::WatchTheCrowd),
        4 => (0..WATCHES, somebody()).prop_map(|(watch, person)| Step::Unwatch(watch, person)),
        2 => (0..WATCHES).prop_map(Step::EndWatch),
        6 => (prop::collection::vec(0usize..3, 1..3), any::<bool>(), prop::bool::weighted(0.8))
            .prop_map(|(channels, watch, presence)| Step::WatchChannels { channels, watch: watch || !presence, presence }),
        1 => Just(Step::WatchAllChannels),
        5 => (0usize..3).prop_map(Step::StopWatching),
        2 => any::<bool>().prop_map(|renewable_token| Step::Connect { renewable_token }),
        1 => Just(Step::Disconnect),
    ];
    let server = prop_oneof![
        1 => any::<bool>().prop_map(|told| Step::Crash { told }),
        1 => Just(Step::ServerIsBack),
        1 => prop::sample::select(vec![close::NORMAL, close::GOING_AWAY, close::SERVICE_RESTART, close::TRY_AGAIN_LATER, close::INTERNAL_ERROR, close::POLICY])
            .prop_map(Step::Close),
        2 => (prop::sample::select(vec![40, 40, 71, 9, -1, 3, 5, 43, 99, 12_345]), 1usize..4)
            .prop_map(|(code, times)| Step::Refuse { code, times }),
        1 => Just(Step::ExpireToken),
        1 => (1u32..3).prop_map(Step::ProviderFails),
        3 => (1usize..4, prop::option::of(1u64..20_000)).prop_map(|(times, retry_after)| Step::FailRequests { times, retry_after }),
        1 => any::<bool>().prop_map(Step::Captive),
    ];
    let network = prop_oneof![
        3 => weather().prop_map(Step::Weather),
        3 => (any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(to_server, to_client, lossy)| Step::Block { to_server, to_client, lossy }),
        3 => Just(Step::Unblock),
        4 => any::<bool>().prop_map(|server_knows| Step::Reset { server_knows }),
        2 => Just(Step::Vanish),
    ];
    let page = prop_oneof![
        2 => Just(Step::Sleep),
        4 => prop::sample::select(vec![Waking::Timer, Waking::Event, Waking::Frames]).prop_map(Step::Wake),
        1 => any::<bool>().prop_map(Step::Hide),
        1 => Just(Step::Leave),
        2 => Just(Step::Woken),
        2 => any::<bool>().prop_map(Step::Network),
    ];
    prop_oneof![
        10 => prop_oneof![4 => 0u64..200, 4 => 200u64..8_000, 2 => 8_000u64..80_000].prop_map(Step::Pass),
        8 => somebody().prop_map(Step::Flip),
        1 => somebody().prop_map(Step::Edit),
        2 => somebody().prop_map(Step::DeleteOrCreate),
        1 => (NAMES.len()..PEOPLE).prop_map(Step::FlipInTheCrowd),
        9 => app,
        3 => server,
        4 => network,
        2 => page,
    ]
}

impl World {
    pub fn take(&mut self, step: &Step) {
        let connected = self.core.status() != Status::Disconnected && self.page.connecting.is_none();
        match step {
            Step::Pass(milliseconds) => self.pass(*milliseconds),

            Step::Flip(person) | Step::FlipInTheCrowd(person) => self.tell(*person, |server| server.flip(*person)),
            Step::Edit(person) => self.tell(*person, |server| server.edit(*person)),
            Step::DeleteOrCreate(person) => self.tell(*person, |server| server.delete_or_create(*person)),

            Step::Sleep => self.fall_asleep(),
            Step::Wake(Waking::Timer) => self.wake(Some(Input::Timeout)),
            Step::Wake(Waking::Event) => self.wake(Some(Input::Woken)),
            Step::Wake(Waking::Frames) => self.wake(None),

            Step::Crash { told } => self.crash(*told),
            Step::ServerIsBack => self.server_down = false,
            Step::Close(code) => self.close_all(*code),
            Step::Refuse { code, times } => self.server.refusals = vec![*code; *times],
            Step::ExpireToken => self.server.token_expired = true,
            Step::ProviderFails(times) => self.provider_failures = *times,
            Step::FailRequests { times, retry_after } => self.server.failures = vec![*retry_after; *times],
            Step::Captive(captive) => self.captive = *captive,

            Step::Weather(weather) => self.network.weather = *weather,
            Step::Block { to_server, to_client, lossy } => {
                (self.network.to_server_blocked, self.network.to_client_blocked) = (*to_server, *to_client);
                self.network.lossy = *lossy;
                self.network.release(self.now);
                self.pass(0);
            }
            Step::Unblock => self.take(&Step::Block { to_server: false, to_client: false, lossy: false }),
            Step::Vanish => self.network.vanish(self.socket),

            // The rest needs a page that runs.
            _ if !self.is_awake() => {}
            Step::Hide(hidden) => self.hidden = *hidden,
            Step::Leave => self.nudge(Input::Left),
            Step::Woken => self.nudge(Input::Woken),
            Step::Network(online) => self.nudge(Input::NetworkChanged { online: *online }),
            Step::Reset { server_knows } => {
                if *server_knows {
                    self.server.connections.remove(&self.socket);
                }
                self.open = None;
                self.feed(Input::Closed { generation: self.socket, code: close::ABNORMAL });
            }
            Step::Connect { renewable_token } if self.core.status() == Status::Disconnected => {
                self.connect(*renewable_token);
            }
            Step::Disconnect if self.core.status() != Status::Disconnected => {
                self.disconnect();
            }
            _ if !connected => {}
            Step::Query(people) => self.ask(Call::Users(distinct(people))),
            Step::Watch(watch, people) => self.watch(*watch, distinct(people)),
            Step::WatchTheCrowd(watch) => self.watch(*watch, (NAMES.len()..PEOPLE).collect()),
            Step::Unwatch(watch, person) => self.unwatch(*watch, *person),
            Step::EndWatch(watch) => {
                let people = self.page.watches[*watch].as_ref().map(|watch| watch.people.clone());
                people.into_iter().flatten().for_each(|person| self.unwatch(*watch, person));
            }
            Step::WatchChannels { channels, watch, presence } => {
                let channels = distinct(channels);
                // A query for several waits for no other call, so the app does.
                let alone = channels.len() == 1;
                let busy = |channel: &usize| {
                    if alone { self.is_querying(*channel) } else { self.is_asking_about(*channel) }
                };
                if !channels.iter().any(busy) {
                    self.page.left.retain(|channel| !channels.contains(channel));
                    self.ask(Call::Channels { channels, watch: *watch, presence: *presence });
                }
            }
            Step::WatchAllChannels if !(0..CHANNELS).any(|channel| self.is_asking_about(channel)) => {
                self.page.left.clear();
                self.ask(Call::Channels { channels: (0..CHANNELS / 2).collect(), watch: true, presence: true });
                self.ask(Call::Channels { channels: (CHANNELS / 2..CHANNELS).collect(), watch: true, presence: true });
            }
            Step::StopWatching(channel) => self.stop_watching(*channel),
            Step::WatchAllChannels | Step::Connect { .. } | Step::Disconnect => {}
        }
    }

    fn watch(&mut self, slot: usize, people: Vec<usize>) {
        let watch = self.page.watch(slot, || self.core.new_watch());
        watch.people.extend(people.iter().copied());
        let id = watch.id;
        self.core.listen(id, true);
        people.iter().for_each(|person| self.core.watch(id, &server::name(*person)));
        let ticket = self.core.ticket(id);
        self.page.promised(ticket, slot, people);
        self.drain();
        self.check();
    }

    fn unwatch(&mut self, slot: usize, person: usize) {
        if let Some(id) = self.page.unwatch(slot, person) {
            self.core.unwatch(id, &server::name(person));
            if !self.page.wants(person) {
                self.knowledge.unwanted(person);
            }
            self.drain();
            self.forget_unwanted(&[person]);
            self.check();
        }
    }

    fn stop_watching(&mut self, channel: usize) {
        let watched = self.page.channels.contains_key(&channel) || self.is_asking_about(channel);
        if watched && !self.is_querying(channel) {
            self.leave_channel(channel);
            self.page.left.insert(channel);
            self.ask(Call::StopWatching(channel));
        }
    }

    /// The app wants no more of a channel, whatever was answered meanwhile.
    pub fn leave_channel(&mut self, channel: usize) {
        self.page.channels.remove(&channel);
        self.knowledge.left(channel);
        self.core.stop_watching(&server::cid(channel));
        self.drain();
        self.forget_unwanted(&server::members(channel));
        self.check();
    }

    fn forget_unwanted(&mut self, people: &[usize]) {
        for person in people {
            // A channel may be watched without having shown this member.
            let known = looked_up(&self.core, *person).0.is_some();
            if !known || (!self.page.wants(*person) && !self.is_member(*person)) {
                self.page.forget(*person);
            }
        }
    }

    fn crash(&mut self, told: bool) {
        self.server_down = true;
        let connections = std::mem::take(&mut self.server.connections);
        for socket in connections.into_keys().filter(|_| told) {
            self.network.send(self.now, Parcel::Closed { socket, code: close::ABNORMAL });
        }
    }

    fn close_all(&mut self, code: u16) {
        for socket in std::mem::take(&mut self.server.connections).into_keys() {
            self.network.send(self.now, Parcel::Closed { socket, code });
        }
    }

    /// Everything is whole again, and stays so for long enough.
    pub fn heal(&mut self) {
        self.take(&Step::Wake(Waking::Timer));
        self.network.weather = FAIR;
        (self.hidden, self.captive, self.server_down) = (false, false, false);
        self.provider_failures = 0;
        self.server.refusals.clear();
        self.server.failures.clear();
        self.take(&Step::Unblock);
        self.pass(180_000);
    }
}

fn distinct(list: &[usize]) -> Vec<usize> {
    let mut list = list.to_vec();
    list.sort_unstable();
    list.dedup();
    list
}
