//! The channel types every application starts with, and what each has switched on.

use jiff::Timestamp;
use serde::Serialize;

use rollcall_protocol::limits;

/// A channel type and its configuration.
#[derive(Clone, Debug)]
pub struct ChannelType {
    /// Anybody may read its channels and write there; otherwise only members and the creator.
    pub open: bool,
    pub config: Config,
}

/// What somebody is to a channel.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// May say something there.
    pub writes: bool,
    /// Is a member.
    pub belongs: bool,
    /// May change the channel and who belongs to it.
    pub manages: bool,
}

/// What the channels of one type can do, in the shape of the protocol.
#[derive(Clone, Debug, Serialize)]
pub struct Config {
    pub name: &'static str,
    pub typing_events: bool,
    pub read_events: bool,
    /// Whether watchers are told who starts and stops watching.
    pub connect_events: bool,
    delivery_events: bool,
    search: bool,
    reactions: bool,
    replies: bool,
    quotes: bool,
    mutes: bool,
    uploads: bool,
    url_enrichment: bool,
    pub custom_events: bool,
    push_notifications: bool,
    reminders: bool,
    user_message_reminders: bool,
    polls: bool,
    shared_locations: bool,
    mark_messages_pending: bool,
    skip_last_msg_update_for_system_msgs: bool,
    count_messages: bool,
    pub max_message_length: usize,
    message_retention: &'static str,
    automod: &'static str,
    automod_behavior: &'static str,
    commands: [&'static str; 0],
    created_at: Timestamp,
    updated_at: Timestamp,
}

/// What this server does not do is switched off for every type.
const PLAIN: Config = Config {
    name: "",
    typing_events: true,
    read_events: true,
    connect_events: true,
    delivery_events: false,
    search: false,
    reactions: false,
    replies: true,
    quotes: false,
    mutes: false,
    uploads: false,
    url_enrichment: false,
    custom_events: true,
    push_notifications: false,
    reminders: false,
    user_message_reminders: false,
    polls: false,
    shared_locations: false,
    mark_messages_pending: false,
    skip_last_msg_update_for_system_msgs: false,
    count_messages: false,
    max_message_length: limits::MESSAGE_LENGTH,
    message_retention: "infinite",
    automod: "disabled",
    automod_behavior: "flag",
    commands: [],
    created_at: Timestamp::UNIX_EPOCH,
    updated_at: Timestamp::UNIX_EPOCH,
};

/// Two people or a few: everybody sees who is there and who has read.
const fn conversation(name: &'static str) -> ChannelType {
    ChannelType { open: false, config: Config { name, ..PLAIN } }
}

/// A crowd: nobody is told of everyone's typing and reading, and of their coming and going only
/// where `connect_events`.
const fn crowd(name: &'static str, connect_events: bool) -> ChannelType {
    ChannelType {
        open: true,
        config: Config { name, typing_events: false, read_events: false, connect_events, ..PLAIN },
    }
}

static TYPES: [ChannelType; 5] = [
    conversation("messaging"),
    conversation("team"),
    conversation("commerce"),
    // An audience sees itself grow, as on the hosted service; the demo page lives by it.
    crowd("livestream", true),
    crowd("gaming", false),
];

impl ChannelType {
    /// Every type there is.
    pub fn all() -> &'static [Self] {
        &TYPES
    }

    /// The type with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        TYPES.iter().find(|kind| kind.config.name == name)
    }
}

impl Config {
    /// What somebody may do in a channel with this configuration.
    pub fn capabilities(&self, Standing { writes, belongs, manages }: Standing) -> Vec<&'static str> {
        let all = [
            (self.typing_events, "typing-events"),
            (self.read_events, "read-events"),
            (self.connect_events, "connect-events"),
            (writes, "send-message"),
            (writes && self.replies, "send-reply"),
            (writes && self.typing_events, "send-typing-events"),
            (writes && self.custom_events, "send-custom-events"),
            (writes && !belongs, "join-channel"),
            (belongs, "leave-channel"),
            (manages, "update-channel"),
            (manages, "update-channel-members"),
            (manages, "delete-channel"),
        ];
        all.iter().filter(|(may, _)| *may).map(|(_, name)| *name).collect()
    }
}
