//! The endpoints' names, as errors, limits and metrics know them, and how often each may be called.

/// One endpoint of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The name in `<name> failed with error: …` and in `GET /rate_limits`.
    pub name: &'static str,
    /// Requests per minute and platform on the hosted service.
    pub per_minute: u32,
}

macro_rules! endpoints {
    ($($constant:ident = $name:literal, $per_minute:literal;)*) => {
        $(pub const $constant: Endpoint = Endpoint { name: $name, per_minute: $per_minute };)*

        /// Every endpoint.
        pub const ALL: &[Endpoint] = &[$($constant,)*];
    };
}

endpoints! {
    CONNECT = "Connect", 10_000;
    LONG_POLL = "LongPoll", 10_000;

    UPDATE_USERS = "UpdateUsers", 300;
    UPDATE_USERS_PARTIAL = "UpdateUsersPartial", 300;
    QUERY_USERS = "QueryUsers", 1_000;
    DELETE_USER = "DeleteUser", 60;
    DELETE_USERS = "DeleteUsers", 60;
    RESTORE_USERS = "RestoreUsers", 60;
    DEACTIVATE_USER = "DeactivateUser", 60;
    DEACTIVATE_USERS = "DeactivateUsers", 60;
    REACTIVATE_USER = "ReactivateUser", 60;
    REACTIVATE_USERS = "ReactivateUsers", 60;
    SEND_USER_EVENT = "SendUserCustomEvent", 1_000;
    CREATE_GUEST = "CreateGuest", 1_000;
    USERS_BY_ID = "UsersById", 1_000;
    INSPECT_PRESENCE = "InspectPresence", 1_000;

    QUERY_CHANNELS = "QueryChannels", 10_000;
    GET_OR_CREATE_CHANNEL = "GetOrCreateChannel", 10_000;
    UPDATE_CHANNEL = "UpdateChannel", 300;
    UPDATE_CHANNEL_PARTIAL = "UpdateChannelPartial", 300;
    DELETE_CHANNEL = "DeleteChannel", 60;
    DELETE_CHANNELS = "DeleteChannels", 60;
    STOP_WATCHING = "StopWatchingChannel", 1_000;
    HIDE_CHANNEL = "HideChannel", 300;
    SHOW_CHANNEL = "ShowChannel", 300;
    QUERY_MEMBERS = "QueryMembers", 300;
    UPDATE_MEMBER_PARTIAL = "UpdateMemberPartial", 300;

    SEND_MESSAGE = "SendMessage", 1_000;
    SEND_EVENT = "SendEvent", 10_000;
    MARK_READ = "MarkRead", 10_000;
    MARK_CHANNELS_READ = "MarkChannelsRead", 10_000;
    UNREAD_COUNTS = "UnreadCounts", 1_000;
    SYNC = "Sync", 10_000;

    GET_APP = "GetApp", 1_000;
    UPDATE_APP = "UpdateApp", 60;
    LIST_CHANNEL_TYPES = "ListChannelTypes", 1_000;
    GET_CHANNEL_TYPE = "GetChannelType", 1_000;
    GET_RATE_LIMITS = "GetRateLimits", 1_000;
    GET_TASK = "GetTask", 1_000;
}
