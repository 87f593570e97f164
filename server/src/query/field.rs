use std::fmt;

use rollcall_protocol::limits;

/// An operator of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Eq,
    Ne,
    Exists,
    Gt,
    Gte,
    Lt,
    Lte,
    In,
    Nin,
    Contains,
    Autocomplete,
    Q,
}

impl Operator {
    const ALL: [(Operator, &'static str); 12] = [
        (Operator::Eq, "$eq"),
        (Operator::Ne, "$ne"),
        (Operator::Exists, "$exists"),
        (Operator::Gt, "$gt"),
        (Operator::Gte, "$gte"),
        (Operator::Lt, "$lt"),
        (Operator::Lte, "$lte"),
        (Operator::In, "$in"),
        (Operator::Nin, "$nin"),
        (Operator::Contains, "$contains"),
        (Operator::Autocomplete, "$autocomplete"),
        (Operator::Q, "$q"),
    ];

    /// The operator written like this in a filter.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(operator, _)| *operator)
    }

    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Bool,
    Integer,
    Time,
    /// A list of texts, of which order does not matter.
    TextSet,
}

impl Kind {
    /// What a wrong value is told it should have been.
    pub const fn expected(self) -> &'static str {
        match self {
            Kind::Text => "string",
            Kind::Bool => "boolean",
            Kind::Integer => "integer",
            Kind::Time => "date",
            Kind::TextSet => "string or array of strings",
        }
    }
}

/// What may be asked of a field.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    pub kind: Kind,
    pub operators: &'static [Operator],
    pub sortable: bool,
}

/// The built-in fields of a resource.
pub trait Field: Copy + PartialEq + fmt::Debug + Send + Sync + 'static {
    /// What may be asked of custom fields.
    const CUSTOM: &'static [Operator];
    /// Entries a sort may have.
    const SORTS: usize;
    /// Names no query may use, though they look like custom fields: they would be known only to
    /// the user themselves, or only while somebody is connected.
    const HIDDEN: &'static [&'static str];

    /// The field of this name, unless it is a custom one.
    fn named(name: &str) -> Option<Self>;
    fn name(self) -> &'static str;
    fn rule(self) -> Rule;
}

/// Declares a resource's fields with the one table that says what may be asked of each.
macro_rules! fields {
    (
        $(#[$doc:meta])* $name:ident, custom: $custom:expr, sorts: $sorts:expr, hidden: $hidden:expr;
        $($field:ident = $text:literal, $kind:ident, $operators:expr, $sortable:expr;)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($field,)* }

        impl $name {
            /// Every field.
            pub const ALL: &'static [$name] = &[$($name::$field,)*];
        }

        impl Field for $name {
            const CUSTOM: &'static [Operator] = $custom;
            const SORTS: usize = $sorts;
            const HIDDEN: &'static [&'static str] = $hidden;

            fn named(name: &str) -> Option<Self> {
                match name { $($text => Some($name::$field),)* _ => None }
            }

            fn name(self) -> &'static str {
                match self { $($name::$field => $text,)* }
            }

            fn rule(self) -> Rule {
                let (kind, operators, sortable) = match self {
                    $($name::$field => (Kind::$kind, $operators, $sortable),)*
                };
                Rule { kind, operators, sortable }
            }
        }
    };
}

/// The operators of everything that has an order, and some more.
macro_rules! range {
    ($($more:ident),*) => {
        &[
            Operator::Eq, Operator::Exists, Operator::Gt, Operator::Gte, Operator::Lt,
            Operator::Lte, Operator::In, $(Operator::$more),*
        ]
    };
}

const NONE: &[Operator] = &[];
const EQ: &[Operator] = &[Operator::Eq];
const EQ_NE: &[Operator] = &[Operator::Eq, Operator::Ne];
const EQ_IN: &[Operator] = &[Operator::Eq, Operator::In];
const EQ_IN_CONTAINS: &[Operator] = &[Operator::Eq, Operator::In, Operator::Contains];
const EQ_WORDS: &[Operator] = &[Operator::Eq, Operator::Autocomplete];
const EQ_IN_TEXT: &[Operator] = &[Operator::Eq, Operator::In, Operator::Autocomplete, Operator::Q];
const RANGE: &[Operator] = range!();
const RANGE_WORDS: &[Operator] = range!(Autocomplete);
const RANGE_TEXT: &[Operator] = range!(Autocomplete, Q);
const RANGE_NE_WORDS: &[Operator] = range!(Ne, Nin, Autocomplete);
const RANGE_CONTAINS: &[Operator] = range!(Contains);
const RANGE_CONTAINS_TEXT: &[Operator] = range!(Contains, Autocomplete, Q);
const SORT: bool = true;
const NO_SORT: bool = false;

fields! {
    /// The built-in fields of a user.
    UserField,
    custom: RANGE_CONTAINS,
    sorts: limits::MAX_SORT,
    hidden: &["online", "invisible", "privacy_settings", "revoke_tokens_issued_before"];
    Id = "id", Text, RANGE_NE_WORDS, SORT;
    Name = "name", Text, RANGE_WORDS, SORT;
    Username = "username", Text, EQ_WORDS, SORT;
    Email = "email", Text, EQ_IN, SORT;
    Role = "role", Text, RANGE, SORT;
    Language = "language", Text, EQ, SORT;
    Teams = "teams", TextSet, EQ_IN_CONTAINS, NO_SORT;
    Banned = "banned", Bool, EQ_NE, SORT;
    ShadowBanned = "shadow_banned", Bool, EQ_NE, NO_SORT;
    BypassModeration = "bypass_moderation", Bool, EQ_NE, NO_SORT;
    CreatedAt = "created_at", Time, RANGE, SORT;
    UpdatedAt = "updated_at", Time, RANGE, SORT;
    LastActive = "last_active", Time, RANGE, SORT;
}

fields! {
    /// The built-in fields of a channel. Those from `Hidden` on are about the viewer.
    ChannelField,
    custom: RANGE_CONTAINS_TEXT,
    sorts: limits::MAX_SORT,
    hidden: &[];
    Cid = "cid", Text, RANGE, SORT;
    Id = "id", Text, RANGE, SORT;
    Type = "type", Text, RANGE, SORT;
    Team = "team", Text, RANGE, SORT;
    CreatedById = "created_by_id", Text, RANGE, SORT;
    CreatedAt = "created_at", Time, RANGE, SORT;
    UpdatedAt = "updated_at", Time, RANGE, SORT;
    LastMessageAt = "last_message_at", Time, RANGE, SORT;
    LastUpdated = "last_updated", Time, RANGE, SORT;
    MemberCount = "member_count", Integer, RANGE, SORT;
    MessageCount = "message_count", Integer, RANGE, SORT;
    Frozen = "frozen", Bool, RANGE, SORT;
    Disabled = "disabled", Bool, EQ, NO_SORT;
    Distinct = "distinct", Bool, EQ, NO_SORT;
    Members = "members", TextSet, EQ_IN, NO_SORT;
    FilterTags = "filter_tags", TextSet, EQ_IN, NO_SORT;
    Name = "name", Text, RANGE_TEXT, SORT;
    MemberUserName = "member.user.name", Text, EQ_WORDS, NO_SORT;
    Hidden = "hidden", Bool, EQ, NO_SORT;
    Joined = "joined", Bool, EQ, NO_SORT;
    Invite = "invite", Text, EQ, NO_SORT;
    ChannelRole = "channel_role", Text, EQ_IN, NO_SORT;
    Archived = "archived", Bool, EQ, NO_SORT;
    Pinned = "pinned", Bool, EQ, NO_SORT;
    PinnedAt = "pinned_at", Time, NONE, SORT;
    HasUnread = "has_unread", Bool, EQ, SORT;
    UnreadCount = "unread_count", Integer, NONE, SORT;
    Muted = "muted", Bool, EQ, NO_SORT;
    Blocked = "blocked", Bool, EQ, NO_SORT;
    AppBanned = "app_banned", Text, EQ, NO_SORT;
}

fields! {
    /// The built-in fields of a member.
    MemberField,
    custom: RANGE_CONTAINS,
    sorts: limits::MAX_MEMBER_SORT,
    hidden: &[];
    UserId = "user_id", Text, RANGE_NE_WORDS, SORT;
    Id = "id", Text, RANGE_NE_WORDS, SORT;
    CreatedAt = "created_at", Time, RANGE, SORT;
    UpdatedAt = "updated_at", Time, RANGE, SORT;
    Name = "name", Text, EQ_IN_TEXT, SORT;
    UserEmail = "user.email", Text, EQ_IN_TEXT, NO_SORT;
    Banned = "banned", Bool, EQ, NO_SORT;
    Invite = "invite", Text, EQ, NO_SORT;
    Joined = "joined", Bool, EQ, NO_SORT;
    Cid = "cid", Text, EQ, NO_SORT;
    IsModerator = "is_moderator", Bool, EQ, NO_SORT;
    NotificationsMuted = "notifications_muted", Bool, EQ, NO_SORT;
    ChannelRole = "channel_role", Text, EQ_IN, SORT;
}
