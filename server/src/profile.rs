//! How a user's profile changes: write, then presence, then events, one writer a user.
//!
//! Two writes of one user never overlap, and neither does a write and the user's arrival. So what
//! the registry holds as `invisible` is always what was written last, events leave in the order of
//! the writes, and nobody comes in past a write that shuts them out.

pub mod fields;

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use rollcall_protocol::{ErrorCode, close};
use tokio::sync::{Mutex, MutexGuard};

use crate::auth::Issued;
use crate::bus::Audience;
use crate::error::ApiError;
use crate::hub::{Inbox, Membership, Origin};
use crate::presence::UserId;
use crate::state::App;
use crate::store::{self, StoreError, Timestamp, User, UserChange, Written};
use crate::wire;

const STRIPES: usize = 64;

/// Locks for users, shared by those whose hashes agree.
pub struct ProfileLocks {
    hasher: RandomState,
    stripes: Vec<Mutex<()>>,
}

impl Default for ProfileLocks {
    fn default() -> Self {
        Self { hasher: RandomState::new(), stripes: (0..STRIPES).map(|_| Mutex::default()).collect() }
    }
}

impl ProfileLocks {
    /// Waits until nobody else writes one of these users.
    pub async fn lock(&self, ids: impl IntoIterator<Item = &str>) -> Vec<MutexGuard<'_, ()>> {
        let stripe = |id| self.hasher.hash_one::<&str>(id) as usize % STRIPES;
        self.lock_stripes(ids.into_iter().map(stripe).collect()).await
    }

    /// Waits until nobody else writes any user.
    pub async fn lock_all(&self) -> Vec<MutexGuard<'_, ()>> {
        self.lock_stripes((0..STRIPES).collect()).await
    }

    /// In order, so that two batches cannot wait for each other.
    async fn lock_stripes(&self, wanted: BTreeSet<usize>) -> Vec<MutexGuard<'_, ()>> {
        let mut guards = Vec::with_capacity(wanted.len());
        for stripe in wanted {
            guards.push(self.stripes[stripe].lock().await);
        }
        guards
    }
}

/// Refuses users who were deleted or deactivated.
pub fn admit(user: &User) -> Result<(), ApiError> {
    if user.deleted_at.is_some() {
        return Err(ApiError::deleted(&user.id));
    }
    if user.deactivated_at.is_some() {
        return Err(ApiError::new(ErrorCode::AuthenticationFailed, format!("user {:?} is deactivated", user.id)));
    }
    Ok(())
}

impl App {
    /// Creates or changes users, and tells who has to know.
    pub async fn upsert_users(&self, changes: &[UserChange]) -> Result<Vec<Written<User>>, StoreError> {
        let _guards = self.profiles.lock(changes.iter().map(|c| &*c.id)).await;
        let written = self.store.upsert_users(changes, store::now()).await?;
        self.tell(&written).await;
        Ok(written)
    }

    /// Creates a user, or answers `None` when there is one of this id already.
    pub async fn create_user(&self, change: &UserChange) -> Result<Option<User>, StoreError> {
        let _guards = self.profiles.lock([&*change.id]).await;
        if self.store.user(&change.id).await?.is_some() {
            return Ok(None);
        }
        let written = self.store.upsert_users(std::slice::from_ref(change), store::now()).await?;
        self.tell(&written).await;
        Ok(written.into_iter().next().map(|written| written.after))
    }

    /// Changes users that exist, and tells who has to know.
    pub async fn update_users(&self, changes: &[UserChange]) -> Result<Vec<Written<User>>, StoreError> {
        let _guards = self.profiles.lock(changes.iter().map(|c| &*c.id)).await;
        let written = self.store.update_users(changes, store::now()).await?;
        self.tell(&written).await;
        Ok(written)
    }

    /// Declares the user's tokens void that were issued before then, and ends the user's connections;
    /// `None` accepts all tokens again.
    pub async fn revoke_user_tokens(&self, id: &str, before: Option<Timestamp>) -> Result<User, StoreError> {
        let _guards = self.profiles.lock([id]).await;
        let user = self.store.revoke_user_tokens(id, before).await?;
        if before.is_some() {
            self.hub.expel(&id.into(), close::SERVICE_RESTART);
        }
        Ok(user)
    }

    /// The same for everybody.
    pub async fn revoke_tokens(&self, before: Option<Timestamp>) -> Result<(), StoreError> {
        let _guards = self.profiles.lock_all().await;
        self.store.revoke_tokens(before).await?;
        if before.is_some() {
            self.hub.expel_all(close::SERVICE_RESTART);
        }
        Ok(())
    }

    /// A connection of a user opens, with a token issued when: if they may come, merges what it says
    /// of them and makes them present.
    pub async fn arrive(
        &self,
        change: UserChange,
        issued_at: Issued,
        origin: Origin,
    ) -> Result<(Membership, Inbox), ApiError> {
        let id: UserId = change.id.as_str().into();
        // Before the profile is read: what another node changes in it from now on is heard.
        let _arrival = self.hub.expect(&id).await;
        let expulsions = self.hub.expulsions();
        let _guards = self.profiles.lock([&*id]).await;
        let user = self.admit(&id, issued_at).await?;
        let written = match user {
            // A reconnect says nothing new: it costs no write.
            Some(user) if change == UserChange::of(&*id) => Written { before: Some(user.clone()), after: user },
            _ => {
                let change = std::slice::from_ref(&change);
                let written = self.store.upsert_users(change, store::now()).await?.pop();
                written.ok_or_else(|| StoreError::database("an upsert answered nothing"))?
            }
        };
        self.hub.set_invisible(&id, written.after.invisible);
        let (membership, inbox) = self.hub.connect(&id, written.after.invisible, origin, issued_at)?;
        self.tell(std::slice::from_ref(&written)).await;
        // Another node may have ordered an expulsion in between, which found nobody here.
        if self.hub.expulsions() != expulsions
            && let Err(error) = self.admit(&id, issued_at).await
        {
            membership.goodbye();
            return Err(error);
        }
        Ok((membership, inbox))
    }

    /// Presence first, so that what is told of the profile agrees with it.
    async fn tell(&self, written: &[Written<User>]) {
        for Written { before, after } in written {
            let id: UserId = after.id.as_str().into();
            self.hub.set_invisible(&id, after.invisible);
            let Some(before) = before.as_ref().filter(|before| *before != after) else { continue };
            let visibly = !before.looks_like(after);
            match visibly {
                true => self.hub.user_updated(&id),
                false => self.tell_themselves(&id, after).await,
            }
            self.hub.share_change(&id, visibly);
        }
        if !written.is_empty() {
            self.hub.shared().await;
        }
    }

    /// Only the user may see that a field changed which only they may see.
    async fn tell_themselves(&self, id: &UserId, user: &User) {
        let online = self.hub.presence_of(vec![id.clone()]).await.of(id).online;
        let shape = wire::User::public(user, online);
        match wire::Event::user_updated(shape, store::now()).serialize() {
            Ok(event) => self.hub.publish(Audience::Users(vec![id.clone()]), event),
            Err(error) => tracing::error!(%error, "an event could not be serialised"),
        }
    }
}
