//! Why somebody is online, or is not.

use super::Hub;
use super::clocks::Clocks;
use super::state::word;
use super::visit::{Transport, Visit};
use crate::presence::journal::Happening;
use crate::presence::{ConnectionId, registry::Standing};
use crate::store::Timestamp;
use crate::wire::inspection::{Connection, Grace, Inspection, Step, Why};

impl Hub {
    /// All that this node knows of the user's presence, whether they hide or not: for the
    /// application's own server, and for the user's own eyes.
    pub fn inspect(&self, user: &str) -> Inspection {
        let state = self.lock();
        let clocks = Clocks::read();
        let standing = state.registry.standing(user);
        let connections = state.registry.connections(user).iter();
        let connections: Vec<_> =
            connections.filter_map(|id| state.visits.get(id).map(|visit| connection(*id, visit, &clocks))).collect();
        Inspection {
            online: standing.online,
            why: why(&standing, !connections.is_empty()),
            connections,
            grace: standing.grace.map(|(until, reason)| Grace { until: clocks.at(until), after: word(reason) }),
            held_until: standing.held_until.map(|until| clocks.at(until)),
            history: state.journal.of(user).map(|(when, happening)| step(clocks.at(when), happening)).collect(),
        }
    }
}

fn why(standing: &Standing, connected: bool) -> Why {
    match (connected && !standing.invisible, standing.grace.is_some()) {
        (false, false) if connected => Why::Invisible,
        (false, false) => Why::Away,
        _ if standing.held_until.is_some() => Why::HeldBack,
        (true, _) => Why::Connected,
        (false, true) => Why::Grace,
    }
}

fn connection(id: ConnectionId, visit: &Visit, clocks: &Clocks) -> Connection {
    Connection {
        id: id.to_string(),
        transport: match visit.origin.transport {
            Transport::WebSocket => "websocket",
            Transport::LongPoll => "longpoll",
        },
        client: visit.origin.client.clone(),
        user_agent: visit.origin.user_agent.clone(),
        opened_at: clocks.at(visit.opened),
        last_heard_at: clocks.at(visit.last_heard()),
    }
}

fn step(at: Timestamp, happening: Happening) -> Step {
    let (kind, connection, reason) = match happening {
        Happening::Connected(id) => ("connected", Some(id), None),
        Happening::Disconnected(id, reason) => ("disconnected", Some(id), Some(word(reason))),
        Happening::Online => ("online", None, None),
        Happening::Offline(reason) => ("offline", None, Some(word(reason))),
        Happening::Hidden => ("offline", None, Some("invisible")),
    };
    Step { at, kind, connection_id: connection.map(|id| id.to_string()), reason }
}
