use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::Value;

use super::row::micros;
use super::{Change, Custom, CustomChange, Flip, Limits, Result, StoreError, Written, change};
use crate::query::UserQuery;

const DEFAULT_ROLE: &str = "user";

/// A user as stored. Whether they are online is not here: while the server runs, only live
/// connections know.
#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: String,
    pub name: Option<String>,
    pub image: Option<String>,
    pub role: String,
    pub teams: Vec<String>,
    /// Two-letter code, or empty.
    pub language: String,
    /// Own-only: nobody else may learn of it.
    pub invisible: bool,
    pub banned: bool,
    /// Own-only, in the shape the client sent.
    pub privacy_settings: Option<Value>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Absent until the user first connects; the presence layer leaves it alone while they are
    /// invisible.
    pub last_active: Option<Timestamp>,
    pub deactivated_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    /// Tokens issued before are refused.
    pub revoke_tokens_issued_before: Option<Timestamp>,
    /// `status` among them: it is an ordinary custom field.
    pub custom: Custom,
}

impl User {
    /// A user of whom nothing is known yet.
    pub fn new(id: impl Into<String>, now: Timestamp) -> Self {
        Self {
            id: id.into(),
            name: None,
            image: None,
            role: DEFAULT_ROLE.to_owned(),
            teams: Vec::new(),
            language: String::new(),
            invisible: false,
            banned: false,
            privacy_settings: None,
            created_at: now,
            updated_at: now,
            last_active: None,
            deactivated_at: None,
            deleted_at: None,
            revoke_tokens_issued_before: None,
            custom: Custom::new(),
        }
    }

    /// Whether others see no difference between the two profiles. Presence and the time of the
    /// last change aside: neither is part of what a user says of themselves.
    pub fn looks_like(&self, other: &User) -> bool {
        let public = |user: &User| User {
            invisible: false,
            privacy_settings: None,
            updated_at: self.updated_at,
            last_active: None,
            ..user.clone()
        };
        public(self) == public(other)
    }
}

/// What others were shown of a user's presence.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    pub user: String,
    pub online: bool,
    /// Absent: stays as it is.
    pub last_active: Option<Timestamp>,
}

impl Sighting {
    /// What is true of each user after all of these, with the latest `last_active` in microseconds.
    pub(super) fn last(seen: &[Self]) -> BTreeMap<&str, (bool, Option<i64>)> {
        let mut last: BTreeMap<&str, (bool, Option<i64>)> = BTreeMap::new();
        for Self { user, online, last_active } in seen {
            let entry = last.entry(user).or_default();
            *entry = (*online, entry.1.max(micros(*last_active)));
        }
        last
    }
}

/// What to change of one user. The default keeps everything.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserChange {
    pub id: String,
    pub name: Change<String>,
    pub image: Change<String>,
    /// Cleared: back to `user`.
    pub role: Change<String>,
    /// Cleared: none.
    pub teams: Change<Vec<String>>,
    /// Cleared: empty.
    pub language: Change<String>,
    /// Cleared: visible.
    pub invisible: Change<bool>,
    /// Cleared: not banned.
    pub banned: Change<bool>,
    pub privacy_settings: Change<Value>,
    /// Applied in order.
    pub custom: Vec<CustomChange>,
}

impl UserChange {
    /// A change of user `id` that keeps everything.
    pub fn of(id: impl Into<String>) -> Self {
        Self { id: id.into(), ..Self::default() }
    }

    /// The user after this change, who may be new. Nothing is written yet.
    pub(super) fn write(&self, before: Option<User>, now: Timestamp, limits: &Limits) -> Result<Written<User>> {
        if before.as_ref().is_some_and(|user| user.deleted_at.is_some()) {
            let ids = vec![self.id.clone()];
            return Err(StoreError::Deleted { ids });
        }
        let mut after = before.clone().unwrap_or_else(|| User::new(&self.id, now));
        self.apply(&mut after, limits)?;
        // Others could tell from the time that the user went invisible.
        if !before.as_ref().is_some_and(|before| before.looks_like(&after)) {
            after.updated_at = now;
        }
        Ok(Written { before, after })
    }

    /// The users, if these changes leave all of them as they are.
    pub(super) fn none_needed(changes: &[Self], users: &[User], limits: &Limits) -> Result<Option<Vec<Written<User>>>> {
        let mut unchanged = Vec::with_capacity(changes.len());
        for change in changes {
            let before = users.iter().find(|user| user.id == change.id && user.deleted_at.is_none());
            let Some(before) = before else { return Ok(None) };
            let mut after = before.clone();
            change.apply(&mut after, limits)?;
            if after != *before {
                return Ok(None);
            }
            unchanged.push(Written { before: Some(before.clone()), after });
        }
        Ok(Some(unchanged))
    }

    fn apply(&self, user: &mut User, limits: &Limits) -> Result<()> {
        self.name.apply(&mut user.name);
        self.image.apply(&mut user.image);
        self.role.apply_or(&mut user.role, || DEFAULT_ROLE.to_owned());
        self.teams.apply_or(&mut user.teams, Vec::new);
        self.language.apply_or(&mut user.language, String::new);
        self.invisible.apply_or(&mut user.invisible, || false);
        self.banned.apply_or(&mut user.banned, || false);
        self.privacy_settings.apply(&mut user.privacy_settings);
        CustomChange::apply_all(&self.custom, &mut user.custom, limits.custom_data_bytes, &self.id)?;
        let texts = [&user.id, &user.role, &user.language];
        let optional = [&user.name, &user.image];
        let texts = texts.into_iter().chain(optional.into_iter().flatten());
        change::check_texts(texts.chain(&user.teams), &self.id)
    }
}

/// Users: who there is, and what they say of themselves.
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Creates the users that are missing and changes the others. All or none.
    ///
    /// Answers in the order of `changes`. A user that was deleted is an error
    /// ([`Deleted`](super::StoreError::Deleted)).
    async fn upsert_users(&self, changes: &[UserChange], now: Timestamp) -> Result<Vec<Written<User>>>;

    /// Changes users that exist: one that is missing is an error. All or none.
    async fn update_users(&self, changes: &[UserChange], now: Timestamp) -> Result<Vec<Written<User>>>;

    /// The users with these ids, deactivated and deleted ones too; those that do not exist are
    /// left out. In no particular order.
    async fn users(&self, ids: &[String]) -> Result<Vec<User>>;

    /// The user with this id, deactivated and deleted ones too.
    async fn user(&self, id: &str) -> Result<Option<User>> {
        Ok(self.users(&[id.to_owned()]).await?.pop())
    }

    /// The same, and before when nobody's tokens may have been issued: who a token is for, and what
    /// decides whether it is accepted.
    async fn bearer(&self, id: &str) -> Result<(Option<User>, Option<Timestamp>)>;

    /// The page of users that `query` asks for.
    async fn query_users(&self, query: &UserQuery) -> Result<Vec<User>>;

    /// Writes what others were shown, in order. `last_active` moves forward, never back. Users that
    /// do not exist are passed over; the others are answered as they are then, in no particular order.
    /// With it are written the flips that the webhook has to be told.
    async fn record_presence(&self, seen: &[Sighting], untold: &[Flip]) -> Result<Vec<User>>;

    /// The users who are online by the last record of them: those whom the server's end cut off.
    async fn online_users(&self) -> Result<Vec<String>>;

    /// Marks users as deleted; their messages too with `with_messages`. Already deleted ones keep
    /// their time. Answers with the users after.
    async fn delete_users(&self, ids: &[String], with_messages: bool, now: Timestamp) -> Result<Vec<User>>;

    /// Removes users for good, with their memberships and messages. Answers with what they were.
    async fn erase_users(&self, ids: &[String]) -> Result<Vec<User>>;

    /// Undoes [`delete_users`](Self::delete_users), except for messages.
    async fn restore_users(&self, ids: &[String], now: Timestamp) -> Result<Vec<User>>;

    /// Deactivates users: they keep their data but may not connect.
    async fn deactivate_users(&self, ids: &[String], with_messages: bool, now: Timestamp) -> Result<Vec<User>>;

    /// Undoes [`deactivate_users`](Self::deactivate_users); their deleted messages come back with
    /// `with_messages`.
    async fn reactivate_users(&self, ids: &[String], with_messages: bool, now: Timestamp) -> Result<Vec<User>>;

    /// From now on refuses this user's tokens issued before `before`; `None` accepts them again.
    async fn revoke_user_tokens(&self, id: &str, before: Option<Timestamp>) -> Result<User>;
}
