//! What the webhook has not taken, as the database keeps it: a stop or a crash loses none of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::store::{self, Flip, Store, StoreError, Timestamp, User};
use crate::wire;

/// A flip that its server has not claimed again for so long is another's to tell. Far longer than
/// the longest wait between two attempts.
pub(super) const ABANDONED: Duration = Duration::from_secs(180);

/// The event that tells of the flip. Of a user who was deleted for good there is nothing but the id.
pub fn event_of(flip: &Flip, user: Option<&User>) -> Option<String> {
    let nobody = User::new(&*flip.user, flip.at);
    let user = wire::User::public(user.unwrap_or(&nobody), flip.online);
    let event = wire::Event::presence_changed(user, flip.at).serialize();
    let event = event.inspect_err(|error| tracing::error!(%error, "an event could not be serialised")).ok()?;
    Some(event.json.to_string())
}

pub(super) struct Outbox {
    store: Arc<dyn Store>,
    /// Other servers use the same database.
    pub shared: bool,
}

impl Outbox {
    pub fn new(store: Arc<dyn Store>, shared: bool) -> Self {
        Self { store, shared }
    }

    /// Of several servers only the one that made the flip keeps it, and that is known afterwards. One
    /// that is alone has written it together with the user's presence.
    pub async fn put(&self, flips: &[Flip]) {
        if self.shared
            && !flips.is_empty()
            && let Err(error) = self.store.record_presence(&[], flips).await
        {
            tracing::warn!(%error, "flips that the webhook is told would not survive a crash");
        }
    }

    /// The flips that nobody tells, as the events that tell them.
    pub async fn claim(&self) -> Result<Vec<(Flip, String)>, StoreError> {
        let now = store::now();
        let abandoned = if self.shared { ABANDONED } else { Duration::ZERO };
        let before = now.checked_sub(abandoned).unwrap_or(Timestamp::MIN);
        let flips = self.store.claim_flips(before, now).await?;
        let ids: Vec<_> = flips.iter().map(|flip| flip.user.clone()).collect();
        let users = if ids.is_empty() { Vec::new() } else { self.store.users(&ids).await? };
        let users: HashMap<&str, &User> = users.iter().map(|user| (user.id.as_str(), user)).collect();
        let with_event = |flip: Flip| {
            let event = event_of(&flip, users.get(&*flip.user).copied())?;
            Some((flip, event))
        };
        Ok(flips.into_iter().filter_map(with_event).collect())
    }

    /// Whether the flip is still this server's to tell.
    pub async fn renew(&self, flip: &mut Flip) -> bool {
        let now = store::now();
        if !self.shared {
            return true;
        }
        match self.store.renew_flip(flip, now).await {
            Ok(true) => {
                flip.claimed_at = now;
                true
            }
            Ok(false) => false,
            // It is told rather twice than never.
            Err(_) => true,
        }
    }

    pub async fn forget(&self, flip: &Flip) {
        if let Err(error) = self.store.forget_flip(flip).await {
            tracing::warn!(%error, "a flip that the webhook was told may be told again after a restart");
        }
    }
}
