//! Who is calling: API keys and JSON Web Tokens.
//!
//! Tokens are verified here rather than by a JWT library: only HS256 exists in this protocol, so
//! pinning it leaves one HMAC to compare, and each way to fail has its own code.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use hmac::digest::InvalidLength;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use rollcall_protocol::ErrorCode;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::json;
use sha2::Sha256;

use crate::error::ApiError;
use crate::presence::UserId;

/// The id under which anonymous connections are known.
pub const ANONYMOUS: &str = "!anon";

/// The official JavaScript SDK pads the tokens it makes itself.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&alphabet::URL_SAFE, NO_PAD.with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// The signature that stands for "not signed" in a development token.
const DEV_SIGNATURE: &str = "devtoken";
/// How far the issuer's clock may be ahead of ours, in seconds.
const CLOCK_SKEW: f64 = 10.0;

/// Who a request or connection comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A user, who may change only what is theirs.
    User(UserId),
    /// The application's own server, which may do everything.
    Server,
    /// Somebody who may look, but is nobody.
    Anonymous,
}

/// What a request or connection brings to say who it is, wherever its SDK puts it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Credentials<'a> {
    pub api_key: Option<&'a str>,
    /// The JWT, with or without `Bearer `.
    pub token: Option<&'a str>,
    /// `jwt` or `anonymous`.
    pub auth_type: Option<&'a str>,
    /// The user that the request says it comes from.
    pub user_id: Option<&'a str>,
}

/// A caller, and when their token was issued.
#[derive(Clone, Debug, PartialEq)]
pub struct Authenticated {
    pub caller: Caller,
    pub issued_at: Issued,
}

/// When a token was issued, which decides whether it was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issued {
    At(Timestamp),
    /// The token does not say; any revocation concerns it.
    Unknown,
    /// Nobody issued it: a development token, or none at all.
    Unsigned,
}

impl Issued {
    /// Whether it is one of the tokens of before this time, that are accepted no more.
    pub fn is_revoked(self, before: Timestamp) -> bool {
        match self {
            Self::At(issued) => issued < before,
            Self::Unknown => true,
            Self::Unsigned => false,
        }
    }
}

/// Checks credentials against the application's key and secret.
pub struct Authenticator {
    api_key: String,
    secret: Hmac<Sha256>,
    dev_tokens: bool,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    /// Extensions that whoever reads the token has to understand, or refuse it. There is none that we do.
    #[serde(default, deserialize_with = "is_given")]
    crit: bool,
}

/// Whatever it is, `null` too.
fn is_given<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

#[derive(Deserialize)]
struct Claims {
    user_id: Option<String>,
    #[serde(default)]
    server: bool,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
}

impl Authenticator {
    /// HMAC takes a secret of any length, so this only fails when that changes.
    pub fn new(api_key: &str, api_secret: &str, dev_tokens: bool) -> Result<Self, InvalidLength> {
        Ok(Self { api_key: api_key.to_owned(), secret: Hmac::new_from_slice(api_secret.as_bytes())?, dev_tokens })
    }

    /// A token that says its bearer is this user, for as long as the secret lasts.
    pub fn token_for(&self, user_id: &str) -> String {
        let header = BASE64.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
        let claims = BASE64.encode(json!({ "user_id": user_id, "iat": Timestamp::now().as_second() }).to_string());
        let mut mac = self.secret.clone();
        mac.update(format!("{header}.{claims}").as_bytes());
        format!("{header}.{claims}.{}", BASE64.encode(mac.finalize().into_bytes()))
    }

    /// Says who the caller is, or with which code to refuse them: 2, 5, or 40 to 43.
    pub fn authenticate(&self, credentials: &Credentials<'_>, now: Timestamp) -> Result<Authenticated, ApiError> {
        match credentials.api_key {
            Some(key) if key == self.api_key => {}
            Some(_) => {
                let message = "api_key not found: no application has this key";
                return Err(ApiError::new(ErrorCode::ApiKeyUnknown, message));
            }
            None => {
                let message = "api_key is missing: send it as a query parameter";
                return Err(ApiError::new(ErrorCode::ApiKeyUnknown, message));
            }
        }
        let token = credentials.token.map(|token| {
            let token = token.trim();
            token.strip_prefix("Bearer ").unwrap_or(token).trim_start()
        });
        let token = token.filter(|token| !token.is_empty());
        if credentials.auth_type == Some("anonymous") {
            return self.anonymous(token, now);
        }
        let Some(token) = token else {
            return Err(refused("no token: send a JWT in the Authorization header"));
        };
        let (claims, issued_at) = self.verify(token, now)?;
        if claims.server {
            let caller = Caller::Server;
            return Ok(Authenticated { caller, issued_at });
        }
        let Some(user) = claims.user_id.filter(|id| !id.is_empty()) else {
            return Err(refused("the token has neither user_id nor server claim"));
        };
        match credentials.user_id {
            Some(id) if id != user => Err(refused("the token is for another user_id")),
            _ => Ok(Authenticated { caller: Caller::User(user.into()), issued_at }),
        }
    }

    fn anonymous(&self, token: Option<&str>, now: Timestamp) -> Result<Authenticated, ApiError> {
        if let Some(token) = token
            && self.verify(token, now)?.0.user_id.as_deref() != Some(ANONYMOUS)
        {
            let message = "an anonymous connection takes no token, or one for user_id !anon";
            return Err(refused(message));
        }
        Ok(Authenticated { caller: Caller::Anonymous, issued_at: Issued::Unsigned })
    }

    fn verify(&self, token: &str, now: Timestamp) -> Result<(Claims, Issued), ApiError> {
        let malformed = || refused("the token is not a JWT");
        let (signed, signature) = token.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
        let decode = |part: &str| BASE64.decode(part).map_err(|_| malformed());
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| malformed())?;
        if header.crit {
            return Err(refused("the token asks for extensions (crit), of which this server knows none"));
        }
        let claims: Claims = serde_json::from_slice(&decode(payload)?).map_err(|_| malformed())?;
        if signature == DEV_SIGNATURE && !claims.server {
            if self.dev_tokens {
                return Ok((claims, Issued::Unsigned));
            }
            let message = "development tokens are off: sign the token with the secret that belongs to this \
                           API key, or start the server with --dev-tokens to try things out";
            return Err(ApiError::new(ErrorCode::TokenSignatureInvalid, message));
        }
        // The comparison takes the same time wherever the signatures differ.
        let genuine = header.alg == "HS256"
            && BASE64.decode(signature).is_ok_and(|signature| {
                let mut mac = self.secret.clone();
                mac.update(signed.as_bytes());
                mac.verify_slice(&signature).is_ok()
            });
        if !genuine {
            let message = "the token's signature is not valid: sign it (HS256) with the secret \
                           that belongs to this API key";
            return Err(ApiError::new(ErrorCode::TokenSignatureInvalid, message));
        }
        in_time(&claims, now)?;
        let issued = claims.iat.and_then(|iat| Timestamp::from_microsecond((iat * 1e6) as i64).ok());
        Ok((claims, issued.map_or(Issued::Unknown, Issued::At)))
    }
}

fn in_time(claims: &Claims, now: Timestamp) -> Result<(), ApiError> {
    let now = now.as_microsecond() as f64 / 1e6;
    let refuse = |code, message| Err(ApiError::new(code, message));
    if claims.exp.is_some_and(|exp| exp <= now) {
        return refuse(ErrorCode::TokenExpired, "the token has expired (exp)");
    }
    if claims.nbf.is_some_and(|nbf| nbf > now + CLOCK_SKEW) {
        let message = "the token is not valid yet (nbf)";
        return refuse(ErrorCode::TokenNotValidYet, message);
    }
    if claims.iat.is_some_and(|iat| iat > now + CLOCK_SKEW) {
        let message = "the token was issued in the future (iat)";
        return refuse(ErrorCode::TokenUsedBeforeIssued, message);
    }
    Ok(())
}

fn refused(message: &str) -> ApiError {
    ApiError::new(ErrorCode::AuthenticationFailed, message)
}
