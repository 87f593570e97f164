//! Where each field of a query is in the tables.

use crate::query::{ChannelField, Field, MemberField, UserField};

/// How to get at a field's value. All of it is our own text: nothing of a caller's is in it.
pub(super) enum Source {
    /// One value.
    One(Operand),
    /// Several.
    Many {
        /// Opens a condition that holds when what follows holds for one of them; `)` closes it.
        /// Not a bare `EXISTS`: SQLite turns that into a join, and an `OFFSET` then counts every
        /// match of a row in place of the row.
        any: &'static str,
        /// The one at hand in `any`.
        one: Operand,
        /// Selects all of them.
        all: &'static str,
    },
}

/// Expressions for a value.
pub(super) struct Operand {
    /// NULL when there is no value.
    pub(super) value: &'static str,
    /// The form a text is searched in; NULL when it is not searched.
    pub(super) words: &'static str,
}

/// A field that can be asked for in SQL.
pub(super) trait SqlField: Field {
    /// The column that holds the custom fields.
    const CUSTOM_COLUMN: &'static str;
    /// The column that holds their texts in the form they are searched in.
    const WORDS_COLUMN: &'static str;

    fn source(self) -> Source;
}

fn value(value: &'static str) -> Source {
    text(value, "NULL")
}

fn text(value: &'static str, words: &'static str) -> Source {
    Source::One(Operand { value, words })
}

/// A custom field in the one role in which only texts count.
macro_rules! custom_text {
    ($table:literal, $path:literal) => {
        concat!(
            "CASE json_type(",
            $table,
            ".custom, '",
            $path,
            "') WHEN 'text' THEN json_extract(",
            $table,
            ".custom, '",
            $path,
            "') END"
        )
    };
}

/// What of the text at this path is searched.
macro_rules! words {
    ($table:literal, $path:literal) => {
        concat!(
            "CASE json_type(",
            $table,
            ".words, '",
            $path,
            "') WHEN 'text' THEN json_extract(",
            $table,
            ".words, '",
            $path,
            "') END"
        )
    };
}

/// The messages the viewer has not read: of others, since they last read.
macro_rules! unread {
    () => {
        "FROM messages WHERE messages.cid = me.cid AND messages.created_at > me.last_read
            AND messages.parent_id IS NULL AND messages.deleted_at IS NULL
            AND messages.user_id <> me.user_id"
    };
}

/// The texts in the channel's list of tags, if it has one.
macro_rules! tags {
    () => {
        "json_each(channels.custom, '$.filter_tags') AS tag
            WHERE tag.type = 'text' AND json_type(channels.custom, '$.filter_tags') = 'array'"
    };
}

impl SqlField for UserField {
    const CUSTOM_COLUMN: &'static str = "users.custom";
    const WORDS_COLUMN: &'static str = "users.words";

    fn source(self) -> Source {
        match self {
            UserField::Id => text("users.id", words!("users", "$.id")),
            UserField::Name => text("users.name", words!("users", "$.name")),
            UserField::Username => text(custom_text!("users", "$.username"), words!("users", "$.username")),
            UserField::Email => value(custom_text!("users", "$.email")),
            UserField::Role => value("users.role"),
            UserField::Language => value("users.language"),
            UserField::Teams => Source::Many {
                any: "1 = EXISTS (SELECT 1 FROM json_each(users.teams) AS team WHERE ",
                one: Operand { value: "team.value", words: "NULL" },
                all: "SELECT value FROM json_each(users.teams)",
            },
            UserField::Banned => value("users.banned"),
            // Nobody is: there is no such thing here.
            UserField::ShadowBanned | UserField::BypassModeration => value("0"),
            UserField::CreatedAt => value("users.created_at"),
            UserField::UpdatedAt => value("users.updated_at"),
            UserField::LastActive => value("users.last_active"),
        }
    }
}

impl SqlField for ChannelField {
    const CUSTOM_COLUMN: &'static str = "channels.custom";
    const WORDS_COLUMN: &'static str = "channels.words";

    fn source(self) -> Source {
        match self {
            ChannelField::Cid => value("channels.cid"),
            ChannelField::Id => value("channels.id"),
            ChannelField::Type => value("channels.type"),
            ChannelField::Team => value("nullif(channels.team, '')"),
            ChannelField::CreatedById => value("channels.created_by_id"),
            ChannelField::CreatedAt => value("channels.created_at"),
            ChannelField::UpdatedAt => value("channels.updated_at"),
            ChannelField::LastMessageAt => value("channels.last_message_at"),
            ChannelField::LastUpdated => value("channels.last_updated"),
            ChannelField::MemberCount => value("channels.member_count"),
            ChannelField::MessageCount => value("channels.message_count"),
            ChannelField::Frozen => value("channels.frozen"),
            ChannelField::Disabled => value("channels.disabled"),
            ChannelField::Distinct => value("(substr(channels.id, 1, 9) = '!members-')"),
            ChannelField::Members => Source::Many {
                // From the members to the channel: a user's channels are few among all.
                any: "channels.cid IN (SELECT cid FROM members WHERE ",
                one: Operand { value: "members.user_id", words: "NULL" },
                all: "SELECT user_id FROM members WHERE members.cid = channels.cid",
            },
            ChannelField::MemberUserName => Source::Many {
                any: "channels.cid IN (SELECT cid FROM members
                    JOIN users ON users.id = members.user_id WHERE ",
                one: Operand { value: "users.name", words: words!("users", "$.name") },
                all: "SELECT name FROM members JOIN users ON users.id = members.user_id
                    WHERE members.cid = channels.cid",
            },
            ChannelField::FilterTags => Source::Many {
                any: concat!("1 = EXISTS (SELECT 1 FROM ", tags!(), " AND "),
                one: Operand { value: "tag.value", words: "NULL" },
                all: concat!("SELECT tag.value FROM ", tags!()),
            },
            ChannelField::Name => text(custom_text!("channels", "$.name"), words!("channels", "$.name")),
            ChannelField::Hidden => value("coalesce(me.hidden, 0)"),
            ChannelField::Joined => value("(me.user_id IS NOT NULL AND coalesce(me.invite, 'accepted') = 'accepted')"),
            ChannelField::Invite => value("me.invite"),
            ChannelField::ChannelRole => value("me.channel_role"),
            ChannelField::Archived => value("(me.archived_at IS NOT NULL)"),
            ChannelField::Pinned => value("(me.pinned_at IS NOT NULL)"),
            ChannelField::PinnedAt => value("me.pinned_at"),
            ChannelField::HasUnread => value(concat!("EXISTS (SELECT 1 ", unread!(), ")")),
            ChannelField::UnreadCount => value(concat!("(SELECT count(*) ", unread!(), ")")),
            // Nothing of the kind exists here, so it is true of no channel.
            ChannelField::Muted | ChannelField::Blocked => value("0"),
            // `only` or `excluded`: nobody is banned from the whole application here.
            ChannelField::AppBanned => value("'excluded'"),
        }
    }
}

impl SqlField for MemberField {
    const CUSTOM_COLUMN: &'static str = "members.custom";
    const WORDS_COLUMN: &'static str = "NULL";

    fn source(self) -> Source {
        match self {
            MemberField::UserId | MemberField::Id => text("users.id", words!("users", "$.id")),
            MemberField::CreatedAt => value("members.created_at"),
            MemberField::UpdatedAt => value("members.updated_at"),
            MemberField::Name => text("users.name", words!("users", "$.name")),
            MemberField::UserEmail => text(custom_text!("users", "$.email"), words!("users", "$.email")),
            MemberField::Banned => value("members.banned"),
            MemberField::Invite => value("members.invite"),
            MemberField::Joined => value("(coalesce(members.invite, 'accepted') = 'accepted')"),
            MemberField::Cid => value("members.cid"),
            MemberField::IsModerator => value("(members.channel_role = 'channel_moderator')"),
            MemberField::NotificationsMuted => value("members.notifications_muted"),
            MemberField::ChannelRole => value("members.channel_role"),
        }
    }
}
