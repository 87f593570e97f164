//! Rollcall's additions to the protocol. A client asks for them in the connect address
//! (`rollcall=batch,reason`); a server that knows them answers in the first frame
//! (`"rollcall":["batch"]`). The hosted service ignores the parameter.

/// The query parameter, and the field of the first frame.
pub const PARAMETER: &str = "rollcall";

/// Several events may come in one frame, as a JSON array. Asked for as `batch:100`, they wait up to
/// that many milliseconds for one another, [`limits::BATCH_WINDOW`](crate::limits::BATCH_WINDOW) at
/// the most; as `batch`, as long as the server thinks right.
pub const BATCH: &str = "batch";
/// [`limits::USERS_BY_ID`](crate::limits::USERS_BY_ID) users may be asked for at once, by
/// `POST /rollcall/users`.
pub const PAGES: &str = "pages";
/// Of several servers one may be cut off from the others: it says when what it shows of people may be
/// wrong, and when it is right again.
pub const DOUBT: &str = "doubt";
/// Presence events carry a number, `seq`, that grows from flip to flip, and say why a user went
/// offline (`reason`, one of [`reason`]) and when the user last gave a sign of life
/// (`last_heard_at`).
pub const REASON: &str = "reason";

/// Why a user went offline. Whoever hides has said goodbye, as far as others are concerned.
pub mod reason {
    /// The user said goodbye.
    pub const CLOSED: &str = "closed";
    /// The user's page was closed.
    pub const LEFT: &str = "left";
    /// The connection was lost.
    pub const LOST: &str = "lost";
}
