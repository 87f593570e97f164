//! Rollcall's additions to the protocol. A client asks for them in the connect address
//! (`rollcall=batch,reason`); a server that knows them answers in the first frame
//! (`"rollcall":["batch"]`). The hosted service ignores the parameter.

/// The query parameter, and the field of the first frame.
pub const PARAMETER: &str = "rollcall";

/// Several events may come in one frame, as a JSON array.
pub const BATCH: &str = "batch";
/// Presence events say why a user went offline, and carry a sequence number.
pub const REASON: &str = "reason";

/// The field of a page of users, and of a channel's state, that says of how many of them the
/// presence is not subscribed to because a limit was reached.
pub const PRESENCE_OMITTED: &str = "presence_omitted";
