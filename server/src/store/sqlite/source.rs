//! Where each field of a query is in the tables of SQLite.

use sqlx::Sqlite;

use crate::query::{ChannelField, MemberField, UserField};
use crate::store::source::{Operand, Source, SqlField, text, unread};

// A bare `EXISTS` SQLite turns into a join, and an `OFFSET` then counts every match of a row in place
// of the row: hence `1 = EXISTS`.

fn value(value: &'static str) -> Source {
    text(value, "NULL")
}

/// A custom field in the one role in which only texts count; or what of it is searched.
macro_rules! text_in {
    ($json:literal, $path:literal) => {
        concat!(
            "CASE json_type(",
            $json,
            ", '",
            $path,
            "') WHEN 'text' THEN json_extract(",
            $json,
            ", '",
            $path,
            "') END"
        )
    };
}

/// The texts in the channel's list of tags, if it has one.
macro_rules! tags {
    () => {
        "json_each(channels.custom, '$.filter_tags') AS tag
            WHERE tag.type = 'text' AND json_type(channels.custom, '$.filter_tags') = 'array'"
    };
}

impl SqlField<Sqlite> for UserField {
    const CUSTOM_COLUMN: &'static str = "users.custom";
    const WORDS_COLUMN: &'static str = "users.words";

    fn source(self) -> Source {
        match self {
            UserField::Id => text("users.id", text_in!("users.words", "$.id")),
            UserField::Name => text("users.name", text_in!("users.words", "$.name")),
            UserField::Username => text(text_in!("users.custom", "$.username"), text_in!("users.words", "$.username")),
            UserField::Email => value(text_in!("users.custom", "$.email")),
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

impl SqlField<Sqlite> for ChannelField {
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
                one: Operand { value: "users.name", words: text_in!("users.words", "$.name") },
                all: "SELECT name FROM members JOIN users ON users.id = members.user_id
                    WHERE members.cid = channels.cid",
            },
            ChannelField::FilterTags => Source::Many {
                any: concat!("1 = EXISTS (SELECT 1 FROM ", tags!(), " AND "),
                one: Operand { value: "tag.value", words: "NULL" },
                all: concat!("SELECT tag.value FROM ", tags!()),
            },
            ChannelField::Name => text(text_in!("channels.custom", "$.name"), text_in!("channels.words", "$.name")),
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

impl SqlField<Sqlite> for MemberField {
    const CUSTOM_COLUMN: &'static str = "members.custom";
    const WORDS_COLUMN: &'static str = "NULL";

    fn source(self) -> Source {
        match self {
            MemberField::UserId | MemberField::Id => text("users.id", text_in!("users.words", "$.id")),
            MemberField::CreatedAt => value("members.created_at"),
            MemberField::UpdatedAt => value("members.updated_at"),
            MemberField::Name => text("users.name", text_in!("users.words", "$.name")),
            MemberField::UserEmail => text(text_in!("users.custom", "$.email"), text_in!("users.words", "$.email")),
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
