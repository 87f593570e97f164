//! Connections that another node has: what is to be done with them is asked of it.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Nodes;
use crate::cluster::{Header, NodeId, Question, Topic};
use crate::hub::Hub;
use crate::presence::ConnectionId;
use crate::presence::watchers::Scope;

/// How long another node has to answer: less than any SDK waits for a reply.
const PATIENCE: Duration = Duration::from_secs(2);

/// The node that has a connection does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the node that has this connection does not answer")]
pub struct Unreachable;

impl Nodes {
    /// Asks the node that has the connection; `None` when there is no such node any more.
    async fn ask<T: DeserializeOwned>(&self, node: NodeId, question: Question) -> Result<Option<T>, Unreachable> {
        let id = self.last_asked.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        self.lock_asked().insert(id, answer);
        let header = Header::Ask { id, from: self.cluster.id(), question };
        let asking = async {
            match self.cluster.send(&Topic::Node(node), &header).await {
                Ok(0) => Ok(None),
                Ok(_) => match answered.await {
                    Ok(answer) => serde_json::from_value(answer).map(Some).map_err(|_| Unreachable),
                    Err(_) => Err(Unreachable),
                },
                Err(_) => Err(Unreachable),
            }
        };
        let outcome = timeout(PATIENCE, asking).await.unwrap_or(Err(Unreachable));
        self.lock_asked().remove(&id);
        outcome
    }

    pub fn answered(&self, id: u64, answer: Value) {
        if let Some(asked) = self.lock_asked().remove(&id) {
            // Whoever asked may have stopped waiting.
            let _ = asked.send(answer);
        }
    }

    fn lock_asked(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<u64, oneshot::Sender<Value>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
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
        Some(nodes.ask(node, question(connection.to_string())).await)
    }

    pub(super) fn hear_question(&self, id: u64, from: NodeId, question: Question) {
        let hub = self.clone();
        tokio::spawn(async move {
            let answer = hub.answer(question).await;
            if let Some(nodes) = &hub.shared.nodes {
                // Whoever asked does not wait for ever.
                let _ = nodes.cluster.send(&Topic::Node(from), &Header::Answer { id, answer }).await;
            }
        });
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
                if let Some(connection) = here(&connection) {
                    self.watch_here(connection, &cids).await;
                }
                Value::Null
            }
            Question::StopWatching { connection, cid } => {
                if let Some(connection) = here(&connection) {
                    self.update(|state, _| state.unwatch(connection, &cid));
                }
                self.shared().await;
                Value::Null
            }
        }
    }
}
