//! The endpoints' names, as errors, limits and metrics know them, and how often each may be called.

/// One endpoint of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// The name in `<name> failed with error: …` and in `GET /rate_limits`.
    pub name: &'static str,
    /// Requests per minute and platform.
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
    GET_OR_CREATE_CHANNEL = "GetOrCreateChannel", 10_000;
    QUERY_CHANNELS = "QueryChannels", 10_000;
    STOP_WATCHING = "StopWatching", 1_000;
    SEND_MESSAGE = "SendMessage", 1_000;
}
