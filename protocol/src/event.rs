//! The `type` of every event the protocol names.

pub const HEALTH_CHECK: &str = "health.check";
pub const CONNECTION_ERROR: &str = "connection.error";
pub const CONNECTION_DOUBT: &str = "connection.doubt";

pub const USER_PRESENCE_CHANGED: &str = "user.presence.changed";
pub const USER_UPDATED: &str = "user.updated";
pub const USER_DELETED: &str = "user.deleted";
pub const USER_WATCHING_START: &str = "user.watching.start";
pub const USER_WATCHING_STOP: &str = "user.watching.stop";

pub const TYPING_START: &str = "typing.start";
pub const TYPING_STOP: &str = "typing.stop";

pub const MEMBER_ADDED: &str = "member.added";
pub const MEMBER_REMOVED: &str = "member.removed";
pub const MEMBER_UPDATED: &str = "member.updated";

pub const CHANNEL_UPDATED: &str = "channel.updated";
pub const CHANNEL_DELETED: &str = "channel.deleted";
pub const CHANNEL_HIDDEN: &str = "channel.hidden";
pub const CHANNEL_VISIBLE: &str = "channel.visible";

pub const MESSAGE_NEW: &str = "message.new";
pub const MESSAGE_READ: &str = "message.read";

pub const NOTIFICATION_ADDED_TO_CHANNEL: &str = "notification.added_to_channel";
pub const NOTIFICATION_REMOVED_FROM_CHANNEL: &str = "notification.removed_from_channel";
pub const NOTIFICATION_MESSAGE_NEW: &str = "notification.message_new";
pub const NOTIFICATION_CHANNEL_DELETED: &str = "notification.channel_deleted";
pub const NOTIFICATION_MARK_READ: &str = "notification.mark_read";
pub const NOTIFICATION_INVITED: &str = "notification.invited";
pub const NOTIFICATION_INVITE_ACCEPTED: &str = "notification.invite_accepted";
pub const NOTIFICATION_INVITE_REJECTED: &str = "notification.invite_rejected";

/// Events a client makes itself, about its own connection; they never cross the wire.
pub mod local {
    pub const CONNECTION_CHANGED: &str = "connection.changed";
    pub const CONNECTION_STATE: &str = "connection.state";
    pub const CONNECTION_RECOVERED: &str = "connection.recovered";
}
