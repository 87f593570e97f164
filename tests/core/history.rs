//! Random histories against a model of a server: whatever happens, once the network is whole and
//! quiet the client knows the truth, and it never calls live what it could know to be in doubt.

use proptest::prelude::*;
use rollcall::core::{Ask, Core, Failure, Frame, Freshness, Generation, Input, Output, RequestId, Seen, Snapshot};

const PEOPLE: usize = 5;

/// One step of a history.
#[derive(Clone, Debug)]
enum Step {
    Flip(usize),
    Watch(usize),
    Lose,
    Partition(bool),
    Sleep,
    /// The oldest thing on its way to the client arrives.
    DeliverFrame,
    /// The oldest question reaches the server, or its answer the client.
    DeliverQuestion,
    DeliverAnswer,
    FailAnswer,
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..PEOPLE).prop_map(Step::Flip),
        2 => (0..PEOPLE).prop_map(Step::Watch),
        1 => Just(Step::Lose),
        1 => any::<bool>().prop_map(Step::Partition),
        1 => Just(Step::Sleep),
        4 => Just(Step::DeliverFrame),
        4 => Just(Step::DeliverQuestion),
        4 => Just(Step::DeliverAnswer),
        1 => Just(Step::FailAnswer),
        3 => (1u64..40_000).prop_map(Step::Pass),
    ]
}

enum Question {
    Own(usize, rollcall::core::Asked),
    Renewal(RequestId, Vec<usize>),
}

struct World {
    core: Core<bool>,
    now: u64,
    generation: Generation,
    /// Whether the server has an open socket to us.
    open: bool,
    partitioned: bool,
    truth: [bool; PEOPLE],
    subscribed: [bool; PEOPLE],
    wanted: [bool; PEOPLE],
    frames: Vec<Frame<bool>>,
    questions: Vec<Question>,
    answers: Vec<(Question, Vec<(usize, bool)>)>,
}

fn name(person: usize) -> String {
    format!("p{person}")
}

fn seen(person: usize, online: bool) -> Seen<bool> {
    Seen { id: name(person), online, revision: 0, subscribed: true, user: online }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut world = World {
            core: Core::new(0, seed),
            now: 0,
            generation: Generation::default(),
            open: false,
            partitioned: false,
            truth: [false; PEOPLE],
            subscribed: [false; PEOPLE],
            wanted: [false; PEOPLE],
            frames: Vec::new(),
            questions: Vec::new(),
            answers: Vec::new(),
        };
        world.feed(Input::Connect { renewable_token: false });
        world.deliver_frame();
        world
    }

    fn feed(&mut self, input: Input<bool>) {
        self.core.handle_input(self.now, input);
        while let Some(output) = self.core.poll_output() {
            match output {
                Output::Dial { generation, .. } => {
                    self.generation = generation;
                    self.close_on_the_server();
                    if !self.partitioned {
                        self.open = true;
                        self.frames.push(Frame::Health { connection_id: "c".into(), payload: true });
                    }
                }
                Output::HangUp { .. } => self.close_on_the_server(),
                Output::SendHealthCheck if self.open && !self.partitioned => {
                    self.frames.push(Frame::Health { connection_id: "c".into(), payload: true });
                }
                Output::Ask { request, ask: Ask::Users { ids } } => {
                    let people = ids.iter().map(|id| id[1..].parse().unwrap()).collect();
                    self.questions.push(Question::Renewal(request, people));
                }
                _ => {}
            }
        }
    }

    fn close_on_the_server(&mut self) {
        self.open = false;
        self.subscribed = [false; PEOPLE];
        self.frames.clear();
    }

    fn deliver_frame(&mut self) {
        if !self.frames.is_empty() && !self.partitioned {
            let frame = self.frames.remove(0);
            self.feed(Input::Frame { generation: self.generation, frame });
        }
    }

    fn deliver_question(&mut self) {
        if self.questions.is_empty() || self.partitioned {
            return;
        }
        let question = self.questions.remove(0);
        let people = match &question {
            Question::Own(person, _) => vec![*person],
            Question::Renewal(_, people) => people.clone(),
        };
        // The server subscribes before it reads.
        if self.open {
            people.iter().for_each(|person| self.subscribed[*person] = true);
        }
        let answer = people.iter().map(|person| (*person, self.truth[*person])).collect();
        self.answers.push((question, answer));
    }

    fn deliver_answer(&mut self) {
        if self.answers.is_empty() || self.partitioned {
            return;
        }
        let (question, people) = self.answers.remove(0);
        let users: Vec<Seen<bool>> = people.iter().map(|(person, online)| seen(*person, *online)).collect();
        match question {
            Question::Own(person, asked) => {
                self.wanted[person] = true;
                self.core.watch_users(Snapshot { asked, users });
                self.feed(Input::Timeout);
            }
            Question::Renewal(request, _) => self.feed(Input::Replied { request, result: Ok(users) }),
        }
    }

    fn fail_answer(&mut self) {
        let found = self.answers.iter().position(|(question, _)| matches!(question, Question::Renewal(..)));
        if let Some(index) = found
            && let (Question::Renewal(request, _), _) = self.answers.remove(index)
        {
            let result = Err(Failure { retryable: true, retry_after: None, reason: false });
            self.feed(Input::Replied { request, result });
        }
    }

    fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while let Some(due) = self.core.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.feed(Input::Timeout);
        }
        self.now = end;
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Flip(person) => {
                self.truth[*person] = !self.truth[*person];
                if self.subscribed[*person] && self.open {
                    let user = seen(*person, self.truth[*person]);
                    self.frames.push(Frame::User { user, payload: true });
                }
            }
            Step::Watch(person) if self.core.status() == rollcall::core::Status::Connected => {
                self.questions.push(Question::Own(*person, self.core.asked()));
            }
            Step::Watch(_) => {}
            Step::Lose => {
                self.close_on_the_server();
                self.feed(Input::Closed { generation: self.generation, code: 1006 });
            }
            Step::Partition(on) => self.partitioned = *on,
            Step::Sleep => {
                self.now += 600_000;
                self.feed(Input::Timeout);
            }
            Step::DeliverFrame => self.deliver_frame(),
            Step::DeliverQuestion => self.deliver_question(),
            Step::DeliverAnswer => self.deliver_answer(),
            Step::FailAnswer => self.fail_answer(),
            Step::Pass(milliseconds) => self.pass(*milliseconds),
        }
    }

    /// The network is whole; everything on its way arrives; a minute passes.
    fn settle(&mut self) {
        self.partitioned = false;
        for _ in 0..600 {
            while !(self.frames.is_empty() && self.questions.is_empty() && self.answers.is_empty()) {
                self.deliver_frame();
                self.deliver_question();
                self.deliver_answer();
            }
            self.pass(1_000);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("ROLLCALL_HISTORIES").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn once_the_network_is_whole_and_quiet_the_client_knows_the_truth(
        seed in any::<u64>(),
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let mut world = World::new(seed);
        for step in &steps {
            world.take(step);
            if world.core.status() != rollcall::core::Status::Connected {
                for person in 0..PEOPLE {
                    let (_, freshness) = world.core.presence_of(&name(person));
                    prop_assert_ne!(freshness, Freshness::Live, "{} while not connected", name(person));
                }
            }
        }
        world.settle();
        prop_assert_eq!(world.core.status(), rollcall::core::Status::Connected);
        for person in (0..PEOPLE).filter(|person| world.wanted[*person]) {
            let (online, freshness) = world.core.presence_of(&name(person));
            prop_assert_eq!((online.copied(), freshness), (Some(world.truth[person]), Freshness::Live), "{}", name(person));
        }
    }
}
