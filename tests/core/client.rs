//! A client under simulated time: what it would do is written down, what happens is said.

use rollcall::core::{
    Ask, ConnectError, Core, Event, Frame, Freshness, Generation, Input, Millis, Output, RequestId, Seen, Snapshot,
};

pub type Payload = &'static str;

pub struct TestClient {
    pub core: Core<Payload>,
    pub now: Millis,
    /// The socket that counts.
    pub generation: Generation,
    asks: Vec<(RequestId, Ask)>,
    outputs: Vec<Output<Payload>>,
}

impl TestClient {
    pub fn new() -> Self {
        TestClient {
            core: Core::new(1_000_000, 7, |_, _| false),
            now: 1_000_000,
            generation: Generation::default(),
            asks: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// A client on its first, healthy connection.
    pub fn connected() -> Self {
        let mut client = Self::new();
        client.connect(true);
        client.first_frame();
        client.take();
        client
    }

    pub fn connect(&mut self, renewable_token: bool) {
        self.feed(Input::Connect { renewable_token });
    }

    pub fn first_frame(&mut self) {
        self.frame(Frame::Health { connection_id: "c".into(), pages: false, payload: "hello" });
    }

    pub fn refuse(&mut self, code: i32) {
        self.frame(Frame::Error { code, payload: "refused" });
    }

    pub fn health_check(&mut self) {
        self.frame(Frame::Health { connection_id: "c".into(), pages: false, payload: "alive" });
    }

    /// An event says that somebody came or went.
    pub fn presence(&mut self, id: &str, online: bool) {
        self.frame(Frame::User { user: seen(id, online), payload: "presence" });
    }

    pub fn frame(&mut self, frame: Frame<Payload>) {
        self.feed(Input::Frame { generation: self.generation, frame });
    }

    pub fn close(&mut self, code: u16) {
        self.feed(Input::Closed { generation: self.generation, code });
    }

    pub fn feed(&mut self, input: Input<Payload>) {
        self.core.handle_input(self.now, input);
        self.drain();
    }

    /// Carries out what the core wants done.
    pub fn drain(&mut self) {
        while let Some(output) = self.core.poll_output() {
            match &output {
                Output::Dial { generation } => self.generation = *generation,
                Output::Ask { request, ask } => self.asks.push((*request, ask.clone())),
                _ => {}
            }
            self.outputs.push(output);
        }
    }

    /// Lets time pass, firing the timer whenever it is due.
    pub fn advance(&mut self, milliseconds: Millis) {
        let end = self.now + milliseconds;
        while let Some(due) = self.core.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.feed(Input::Timeout);
        }
        self.now = end;
    }

    /// Time passes without the machine running: no timer fires until it is over.
    pub fn sleep(&mut self, milliseconds: Millis) {
        self.now += milliseconds;
        self.feed(Input::Timeout);
    }

    /// The app queried these users with `presence: true`, and this was the answer.
    pub fn watch_users(&mut self, users: &[(&str, bool)]) {
        let asked = self.core.asked();
        let users = users.iter().map(|(id, online)| seen(id, *online)).collect();
        self.core.watch_users(Snapshot { asked, users });
        self.feed(Input::Timeout);
    }

    /// Loses the connection and makes the next one.
    pub fn reconnect(&mut self) {
        self.close(1006);
        self.advance(30_000);
        self.first_frame();
    }

    pub fn answer(&mut self, request: RequestId, users: &[(&str, bool)]) {
        let users = users.iter().map(|(id, online)| seen(id, *online)).collect();
        self.feed(Input::Replied { request, result: Ok(users) });
    }

    pub fn asks(&mut self) -> Vec<(RequestId, Ask)> {
        std::mem::take(&mut self.asks)
    }

    /// What came out since the last time.
    pub fn take(&mut self) -> Vec<Output<Payload>> {
        std::mem::take(&mut self.outputs)
    }

    pub fn events(&mut self) -> Vec<Event<Payload>> {
        self.take()
            .into_iter()
            .filter_map(|output| match output {
                Output::Emit(event) => Some(event),
                _ => None,
            })
            .collect()
    }

    pub fn dials(&mut self) -> usize {
        self.take().iter().filter(|output| matches!(output, Output::Dial { .. })).count()
    }

    pub fn settled(&mut self) -> Option<Result<Payload, ConnectError<Payload>>> {
        self.take().into_iter().find_map(|output| match output {
            Output::ConnectSettled(result) => Some(result),
            _ => None,
        })
    }

    /// What the app would show of somebody.
    pub fn shows(&self, id: &str) -> (Option<Payload>, Freshness) {
        let presence = self.core.presence(id);
        (presence.user.copied(), presence.freshness)
    }
}

pub fn seen(id: &str, online: bool) -> Seen<Payload> {
    Seen { id: id.to_owned(), online, subscribed: true, user: if online { "online" } else { "offline" } }
}
