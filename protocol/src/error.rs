//! The numeric error codes, their HTTP status, and what a client should do about each.

/// What a client does after an error, decided by its code alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// Trying again cannot help until somebody changes something.
    Stop,
    /// Fetch a new token, then try again.
    RefreshToken,
    /// Try again later, with back-off.
    Retry,
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $reaction:ident;)*) => {
        /// An error code of the protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode { $($(#[$doc])* $name,)* }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: &'static [ErrorCode] = &[$(ErrorCode::$name,)*];

            /// The number on the wire.
            pub const fn number(self) -> i32 {
                match self { $(ErrorCode::$name => $code,)* }
            }

            /// The HTTP status that goes with it.
            pub const fn status(self) -> u16 {
                match self { $(ErrorCode::$name => $status,)* }
            }
        }

        impl Reaction {
            /// What a client should do about the code with this number; a code that the protocol
            /// does not name ends it.
            pub const fn to(number: i32) -> Reaction {
                match number { $($code => Reaction::$reaction,)* _ => Reaction::Stop }
            }
        }
    };
}

error_codes! {
    /// The server failed; the request may succeed later.
    Internal = -1, 500, Retry;
    /// The API key is unknown.
    ApiKeyUnknown = 2, 401, Stop;
    /// The server could not check the credentials just now.
    AuthBackendFailed = 3, 500, Retry;
    /// The request is malformed; the message says where.
    InputInvalid = 4, 400, Stop;
    /// No token, a malformed one, or one for another user.
    AuthenticationFailed = 5, 401, Stop;
    /// The username is taken.
    DuplicateUsername = 6, 400, Stop;
    /// Too many requests; `X-RateLimit-Reset` says when to come back.
    RateLimited = 9, 429, Retry;
    /// What the request names does not exist.
    NotFound = 16, 404, Stop;
    /// The caller may not do this.
    NotAllowed = 17, 403, Stop;
    /// The channel type has this event switched off.
    EventNotSupported = 18, 400, Stop;
    /// The channel type has this feature switched off.
    FeatureNotSupported = 19, 400, Stop;
    /// The message is longer than its channel type allows.
    MessageTooLong = 20, 400, Stop;
    /// The payload is larger than the server accepts.
    PayloadTooBig = 22, 413, Stop;
    /// The server gave up on the request in time.
    RequestTimeout = 23, 408, Retry;
    /// The request's headers are larger than the server accepts.
    HeadersTooBig = 24, 431, Stop;
    /// The token's `exp` has passed.
    TokenExpired = 40, 401, RefreshToken;
    /// The token's `nbf` is in the future.
    TokenNotValidYet = 41, 401, Stop;
    /// The token's `iat` is in the future.
    TokenUsedBeforeIssued = 42, 401, Stop;
    /// The token is not signed with the secret of this API key.
    TokenSignatureInvalid = 43, 401, Stop;
    /// No such connection: it ended, or was never made.
    ConnectionIdNotFound = 46, 400, Retry;
    /// The user does not belong to the channel and may not read it.
    ChannelPermission = 70, 403, Stop;
    /// The user has as many connections as one user may have.
    TooManyConnections = 71, 429, Retry;
    /// The application is suspended.
    AppSuspended = 99, 403, Stop;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_tells_what_to_do() {
        assert_eq!(Reaction::to(ErrorCode::TokenExpired.number()), Reaction::RefreshToken);
        assert_eq!(Reaction::to(ErrorCode::Internal.number()), Reaction::Retry);
        assert_eq!(Reaction::to(ErrorCode::NotAllowed.number()), Reaction::Stop);
        assert_eq!(Reaction::to(1), Reaction::Stop);
    }
}
