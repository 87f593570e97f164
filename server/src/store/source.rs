//! Where each field of a query is in the tables of a database.

use crate::query::Field;

/// How to get at a field's value. All of it is our own text: nothing of a caller's is in it.
pub(super) enum Source {
    /// One value.
    One(Operand),
    /// Several.
    Many {
        /// Opens a condition that holds when what follows holds for one of them; `)` closes it.
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

/// A field that can be asked for in the SQL of the database `D`.
pub(super) trait SqlField<D>: Field {
    /// The column that holds the custom fields.
    const CUSTOM_COLUMN: &'static str;
    /// The column that holds their texts in the form they are searched in.
    const WORDS_COLUMN: &'static str;

    fn source(self) -> Source;
}

/// A value that is searched in the form `words`.
pub(super) fn text(value: &'static str, words: &'static str) -> Source {
    Source::One(Operand { value, words })
}

/// The messages the viewer has not read: of others, since they last read.
macro_rules! unread {
    () => {
        "FROM messages WHERE messages.cid = me.cid AND messages.created_at > me.last_read
            AND messages.parent_id IS NULL AND messages.deleted_at IS NULL
            AND messages.user_id <> me.user_id"
    };
}
pub(super) use unread;
