use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;

/// That a user came online or went offline, as long as the webhook has not taken it.
#[derive(Clone, Debug, PartialEq)]
pub struct Flip {
    /// Of this flip alone, and for good.
    pub id: String,
    pub user: String,
    pub online: bool,
    pub at: Timestamp,
    /// When a server last said that it is going to tell it.
    pub claimed_at: Timestamp,
}

impl Flip {
    /// The last of each user.
    pub(super) fn newest(flips: &[Self]) -> Vec<&Self> {
        let newest: BTreeMap<&str, &Self> = flips.iter().map(|flip| (flip.user.as_str(), flip)).collect();
        newest.into_values().collect()
    }
}

/// The flips that the webhook has not taken: one a user, because presence is a state. They are
/// written with [`record_presence`](super::UserStore::record_presence).
#[async_trait]
pub trait FlipStore: Send + Sync {
    /// Takes over the flips that nobody has claimed since `before`: they are the caller's from `now` on.
    async fn claim_flips(&self, before: Timestamp, now: Timestamp) -> Result<Vec<Flip>>;

    /// Claims a flip again. False when it is not the caller's any more: it was told, or a newer one of
    /// the user has taken its place, or another server has taken it over.
    async fn renew_flip(&self, flip: &Flip, now: Timestamp) -> Result<bool>;

    /// Nobody has to be told of this flip any more.
    async fn forget_flip(&self, flip: &Flip) -> Result<()>;
}
