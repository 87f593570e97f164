//! WebSocket close codes, and what each says about the connection that ended.

use crate::error::Reaction;

/// An explicit goodbye: the user counts as gone at once. Also what follows an error frame.
pub const NORMAL: u16 = 1000;
/// The page was left, or the server is shutting down.
pub const GOING_AWAY: u16 = 1001;
/// What came is not what a WebSocket sends.
pub const PROTOCOL_ERROR: u16 = 1002;
/// What came as text is not UTF-8.
pub const NOT_UTF8: u16 = 1007;
/// The user may not stay: deleted or deactivated.
pub const POLICY: u16 = 1008;
/// The frame was larger than the peer accepts.
pub const TOO_BIG: u16 = 1009;
/// The server failed.
pub const INTERNAL_ERROR: u16 = 1011;
/// Come back: the server restarts, or tokens were revoked, and whoever comes back is told.
pub const SERVICE_RESTART: u16 = 1012;
/// The server is too busy, or this reader too slow: come back later.
pub const TRY_AGAIN_LATER: u16 = 1013;
/// The close frame held no code. Never sent on the wire.
pub const NO_CODE: u16 = 1005;
/// No close frame arrived: the connection was lost. Never sent on the wire.
pub const ABNORMAL: u16 = 1006;
/// A browser may only send 1000 or 3000 to 4999; we send this when we give up on a silent socket.
pub const GIVEN_UP: u16 = 4000;
/// The page is left, for good or for the back-forward cache. What 1001 says where a script may
/// not say that: the user stays online for the grace, so that a reload shows nobody anything.
pub const PAGE_LEFT: u16 = 4001;

/// What a client does when the server closes with `code` and sent no error frame before.
///
/// The hosted service's own client does not come back after 1000; we do, because presence
/// that silently stops is wrong. Only codes that say "you broke the protocol" end it.
pub const fn reaction(code: u16) -> Reaction {
    match code {
        PROTOCOL_ERROR | 1003 | NOT_UTF8 | POLICY => Reaction::Stop,
        _ => Reaction::Retry,
    }
}
