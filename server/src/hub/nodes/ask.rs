//! Connections that another node has: what is to be done with them is asked of it.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::Nodes;
use crate::bus::Event;
use crate::cluster::{Header, NodeId, Question, Topic};
use crate::hub::Hub;
use crate::presence::ConnectionId;
use crate::presence::watchers::Scope;

/// How long another node has to answer: less than any SDK waits for a reply.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long it has to answer a poll: longer than a poll without events takes.
const POLL_PATIENCE: Duration = Duration::from_secs(20);

/// The node that has a connection does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node that has this connection does not answer")]
pub struct Unreachable;

/// The long-poll sessions of this node, as others ask for them.
#[async_trait]
pub trait Polls: Send + Sync {
    /// Waits for events; none came when the answer is empty, and there is no such session when it
    /// is `None`.
    async fn poll(&self, connection: ConnectionId) -> Option<Vec<Arc<Event>>>;

    /// The client said goodbye. False when there is no such session.
    fn close(&self, connection: ConnectionId) -> bool;
}

/// A question that is open. When nobody waits for the answer any more, the other node hears of it.
struct Asking {
    hub: Hub,
    node: NodeId,
    id: u64,
}

impl Drop for Asking {
    fn drop(&mut self) {
        let Some(nodes) = &self.hub.shared.nodes else { return };
        if nodes.lock_asked().remove(&self.id).is_none() {
            return;
        }
        let (hub, node, id) = (self.hub.clone(), self.node, self.id);
        tokio::spawn(async move {
            if let Some(nodes) = &hub.shared.nodes {
                let cancel = Header::Cancel { id, from: nodes.cluster.id() };
                // It ends by itself some time.
                let _ = nodes.cluster.send(&Topic::Node(node), &cancel).await;
            }
        });
    }
}

impl Nodes {
    pub fn answered(&self, id: u64, answer: Value) {
        if let Some(asked) = self.lock_asked().remove(&id) {
            // Whoever asked may have stopped waiting.
            let _ = asked.send(answer);
        }
    }

    pub fn cancel(&self, from: NodeId, id: u64) {
        if let Some(answering) = self.lock_answering().remove(&(from, id)) {
            answering.abort();
        }
    }

    fn lock_asked(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Value>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_answering(&self) -> MutexGuard<'_, HashMap<(NodeId, u64), AbortHandle>> {
        self.answering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Asks the node that has the connection, if it is another one.
    pub(in crate::hub) async fn elsewhere<T: DeserializeOwned>(
        &self,
        connection: ConnectionId,
        question: impl FnOnce(String) -> Question,
    ) -> Option<Result<Option<T>, Unreachable>> {
        let nodes = self.shared.nodes.as_ref()?;
        let node = NodeId::from(connection.node());
        if node == nodes.cluster.id() {
            return None;
        }
        Some(self.ask(nodes, node, question(connection.to_string())).await)
    }

    /// The events of a long-poll session that another node has.
    pub async fn poll_elsewhere(&self, connection: ConnectionId) -> Option<Result<Option<Vec<String>>, Unreachable>> {
        let events = self.elsewhere(connection, |connection| Question::Poll { connection }).await?;
        Some(events.map(Option::flatten))
    }

    /// Ends a long-poll session that another node has.
    pub async fn close_poll_elsewhere(&self, connection: ConnectionId) -> Option<Result<(), Unreachable>> {
        let closed = self.elsewhere(connection, |connection| Question::ClosePoll { connection }).await?;
        Some(closed.map(Option::unwrap_or_default))
    }

    /// Asks another node; `None` when there is no such node any more.
    async fn ask<T: DeserializeOwned>(
        &self,
        nodes: &Nodes,
        node: NodeId,
        question: Question,
    ) -> Result<Option<T>, Unreachable> {
        let patience = match question {
            Question::Poll { .. } => POLL_PATIENCE,
            _ => PATIENCE,
        };
        let id = nodes.last_asked.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        nodes.lock_asked().insert(id, answer);
        let _asking = Asking { hub: self.clone(), node, id };
        let header = Header::Ask { id, from: nodes.cluster.id(), question };
        let asking = async {
            match nodes.cluster.send(&Topic::Node(node), &header).await {
                Ok(0) => Ok(None),
                Ok(_) => match answered.await {
                    Ok(answer) => serde_json::from_value(answer).map(Some).map_err(|_| Unreachable),
                    Err(_) => Err(Unreachable),
                },
                Err(_) => Err(Unreachable),
            }
        };
        timeout(patience, asking).await.unwrap_or(Err(Unreachable))
    }

    pub(super) fn hear_question(&self, nodes: &Nodes, id: u64, from: NodeId, question: Question) {
        let hub = self.clone();
        // Held until it is in the list, from which it takes itself at its end.
        let mut answering = nodes.lock_answering();
        let task = tokio::spawn(async move {
            let answer = hub.answer(question).await;
            if let Some(nodes) = &hub.shared.nodes {
                nodes.lock_answering().remove(&(from, id));
                // Whoever asked does not wait for ever.
                let _ = nodes.cluster.send(&Topic::Node(from), &Header::Answer { id, answer }).await;
            }
        });
        answering.insert((from, id), task.abort_handle());
    }

    fn polls(&self) -> Option<&Arc<dyn Polls>> {
        self.shared.nodes.as_ref()?.polls.get()
    }

    async fn answer(&self, question: Question) -> Value {
        let here = |connection: &str| ConnectionId::parse(connection);
        match question {
            Question::Owner { connection } => {
                json!(here(&connection).and_then(|connection| self.owner_here(connection)))
            }
            Question::Subscribe { connection, wanted } => {
                let Some(connection) = here(&connection) else { return Value::Null };
                let scope = |cid: Option<_>| cid.map_or(Scope::Users, Scope::Channel);
                let wanted = wanted.into_iter().map(|(cid, users)| (scope(cid), users)).collect();
                json!(self.subscribe_here(connection, wanted).await)
            }
            Question::Watch { connection, cids } => {
                let Some(connection) = here(&connection) else { return Value::Null };
                json!(self.watch_here(connection, &cids).await)
            }
            Question::StopWatching { connection, cid } => {
                if let Some(connection) = here(&connection) {
                    self.update(|state, _| state.unwatch(connection, &cid));
                }
                self.shared().await;
                Value::Null
            }
            Question::Poll { connection } => {
                let (Some(connection), Some(polls)) = (here(&connection), self.polls()) else { return Value::Null };
                let events = polls.poll(connection).await;
                json!(events.map(|events| events.iter().map(|event| event.json.to_string()).collect::<Vec<_>>()))
            }
            Question::ClosePoll { connection } => {
                if let (Some(connection), Some(polls)) = (here(&connection), self.polls()) {
                    polls.close(connection);
                }
                Value::Null
            }
        }
    }
}
