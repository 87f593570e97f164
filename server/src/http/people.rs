//! The users that a reply shows, as its caller may see them.

use std::collections::{BTreeSet, HashMap};

use crate::auth::Caller;
use crate::error::ApiError;
use crate::hub::Presences;
use crate::state::App;
use crate::store;
use crate::wire;

/// Who looks at users, and what their presence is while they look.
pub struct Viewer<'a> {
    caller: &'a Caller,
    presences: Presences,
}

impl<'a> Viewer<'a> {
    /// Who looks at these users.
    pub async fn of(app: &App, caller: &'a Caller, users: &[store::User]) -> Self {
        let ids = users.iter().map(|user| user.id.as_str().into()).collect();
        Self { caller, presences: app.hub.presence_of(ids).await }
    }

    /// The user as an endpoint of users shows them: own-only fields for the user and the
    /// server-side.
    pub fn profile<'u>(&self, user: &'u store::User) -> wire::User<'u> {
        match self.caller {
            Caller::Server => wire::User::own(user, self.is_online(user)),
            _ if self.is_self(user) => wire::User::own(user, self.is_online(user)),
            _ => wire::User::public(user, self.is_online(user)),
        }
    }

    /// The user as everything else shows them.
    pub fn user<'u>(&self, user: &'u store::User) -> wire::User<'u> {
        wire::User::public(user, self.is_online(user))
    }

    fn is_self(&self, user: &store::User) -> bool {
        matches!(self.caller, Caller::User(id) if **id == *user.id)
    }

    /// A user always sees themselves, invisible or not.
    fn is_online(&self, user: &store::User) -> bool {
        let presence = self.presences.of(&user.id);
        match self.is_self(user) {
            true => presence.connected,
            false => presence.online,
        }
    }
}

/// The users a reply is about, each read once.
pub struct People<'a> {
    viewer: Viewer<'a>,
    users: HashMap<String, store::User>,
}

impl<'a> People<'a> {
    /// Reads the users with these ids; those who do not exist are missing.
    pub async fn load(app: &'a App, caller: &'a Caller, ids: impl IntoIterator<Item = &str>) -> Result<Self, ApiError> {
        let ids: BTreeSet<&str> = ids.into_iter().collect();
        let ids: Vec<String> = ids.into_iter().map(str::to_owned).collect();
        let users = app.store.users(&ids).await?;
        Ok(Self {
            viewer: Viewer::of(app, caller, &users).await,
            users: users.into_iter().map(|user| (user.id.clone(), user)).collect(),
        })
    }

    pub fn get(&self, id: &str) -> Option<wire::User<'_>> {
        self.users.get(id).map(|user| self.viewer.user(user))
    }
}
