//! What a node's claims hold under, for as long as it lives.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use redis::{Pipeline, RedisError, Value};
use serde::{Deserialize, Serialize};

use super::connection::{Link, names};

/// One process, from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NodeId(u32);

impl NodeId {
    pub fn random() -> Self {
        Self::from(uuid::Uuid::new_v4().as_fields().0)
    }
}

impl From<u32> for NodeId {
    fn from(id: u32) -> Self {
        Self(id)
    }
}

impl From<NodeId> for u32 {
    fn from(id: NodeId) -> Self {
        id.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{:08x}", self.0)
    }
}

/// A lease's name. A node that was cut off comes back under a new one, so that what it claims now and
/// what is taken back of what it claimed before cannot be confused.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lease(Arc<str>);

impl Lease {
    pub fn new(node: NodeId, number: u64) -> Self {
        Self(format!("{node}-{number}").into())
    }
}

impl From<&str> for Lease {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a lease could be renewed.
pub enum Renewal {
    /// It holds; and of these leases that ended this node is to take back the claims.
    Holds { to_clear: Vec<Lease> },
    /// It had ended.
    Over,
}

/// Begins the lease.
pub async fn begin(link: &Link, span: Duration) -> Result<(), RedisError> {
    call(link, "begin", &link.lease, span).await.map(drop)
}

/// Renews the link's lease, unless it has ended; and offers to clear up after others, if so.
pub async fn renew(link: &Link, span: Duration, clears: bool) -> Result<Renewal, RedisError> {
    let what = if clears { "renew and clear" } else { "renew" };
    // Where the leases are is one place of several.
    let (reply, ()) = tokio::try_join!(call(link, what, &link.lease, span), link.ping())?;
    let Value::Array(reply) = reply else {
        return Ok(Renewal::Over);
    };
    let to_clear = names(Value::Array(reply)).into_iter().map(|name: Arc<str>| Lease(name)).collect();
    Ok(Renewal::Holds { to_clear })
}

/// From now on the lease holds for so long, if it has not ended.
pub async fn set(link: &Link, lease: &Lease, span: Duration) -> Result<(), RedisError> {
    call(link, "set", lease, span).await.map(drop)
}

/// From now on the lease is over, and somebody is to take back what was claimed under it.
pub async fn end(link: &Link, lease: &Lease) -> Result<(), RedisError> {
    call(link, "over", lease, Duration::ZERO).await.map(drop)
}

/// All that was claimed under the lease is taken back.
pub async fn cleared(link: &Link, lease: &Lease) -> Result<(), RedisError> {
    call(link, "cleared", lease, Duration::ZERO).await.map(drop)
}

async fn call(link: &Link, what: &str, lease: &Lease, span: Duration) -> Result<Value, RedisError> {
    let mut commands = Pipeline::new();
    let command = commands.cmd("EVALSHA").arg(&*link.scripts.lease).arg(2);
    command.arg(link.keys.leases()).arg(link.keys.ended());
    command.arg(what).arg(lease.to_string()).arg(u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
    Ok(link.ask(&commands).await?.pop().unwrap_or(Value::Nil))
}
