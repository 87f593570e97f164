//! Sizes and counts the protocol states.

/// Users in one `POST /users`, `PATCH /users`, or page of `GET /users`.
pub const USERS_PER_REQUEST: usize = 100;
/// Milliseconds for which a client may let events wait for one another.
pub const BATCH_WINDOW: u64 = 1_000;
/// Users in one `POST /rollcall/users`.
pub const USERS_BY_ID: usize = 1_000;
/// Page of `GET /users` when the request names none.
pub const USERS_DEFAULT: usize = 30;
/// Channels in a page of `/channels`; more is clamped to it.
pub const CHANNELS_PER_REQUEST: usize = 30;
/// Page of `/channels` when the request names none.
pub const CHANNELS_DEFAULT: usize = 10;
/// Members in a channel's state.
pub const MEMBERS_PER_CHANNEL_QUERY: usize = 100;
/// Members in a page of `GET /members`.
pub const MEMBERS_PER_QUERY: usize = 300;
/// Messages in a channel's state when the request names no limit.
pub const MESSAGES_DEFAULT: usize = 25;
/// Messages in a channel's state at the most.
pub const MESSAGES_PER_REQUEST: usize = 300;
/// Rows that `offset` may skip.
pub const MAX_OFFSET: usize = 1000;
/// Entries of a sort of users or channels.
pub const MAX_SORT: usize = 5;
/// Entries of a sort of members.
pub const MAX_MEMBER_SORT: usize = 1;
/// Bytes of a user's or channel's custom data, as JSON.
pub const CUSTOM_DATA_BYTES: usize = 5 * 1024;
/// Characters of a user's id.
pub const USER_ID_LENGTH: usize = 255;
/// Characters of a channel's id.
pub const CHANNEL_ID_LENGTH: usize = 64;
/// Members of a channel whose presence one `watch` subscribes to, unless configured otherwise.
pub const CHANNEL_PRESENCE: usize = 10;
/// Characters of a message's text.
pub const MESSAGE_LENGTH: usize = 5000;

/// Whether `id` may be a user's id: letters, digits, `@`, `_` and `-`.
pub fn is_user_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= USER_ID_LENGTH
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'_' | b'-'))
}

/// Whether `id` may be a channel's id: letters, digits, `!`, `_` and `-`.
pub fn is_channel_id(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= CHANNEL_ID_LENGTH
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'!' | b'_' | b'-'))
}
