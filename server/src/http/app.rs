//! `/app`, `/channeltypes` and `/rate_limits`: how the application is set up.

use axum::extract::State;
use rollcall_protocol::ErrorCode;
use serde_json::{Map, Value, json};

use super::call::Call;
use super::path::Path;
use super::reply::Reply;
use crate::channel_type::{ChannelType, Config};
use crate::endpoint;
use crate::error::ApiError;
use crate::rate_limit::Platform;
use crate::state::AppState;
use crate::store::{self, Timestamp};

/// `GET /app`.
pub async fn get(State(app): State<AppState>) -> Result<Reply, ApiError> {
    Ok(Reply::ok(&json!({ "app": {
        "name": "Rollcall",
        "disable_auth_checks": app.config.dev_tokens,
        "disable_permissions_checks": false,
        "suspended": false,
        "call_types": {},
        "reminders_interval": 0,
        "revoke_tokens_issued_before": app.store.tokens_revoked_before().await?,
        "channel_configs": configs(),
    } })))
}

/// `PATCH /app`: the one setting that is data rather than a flag of the server.
pub async fn update(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    call.require_server()?;
    let settings = call.fields();
    if let Some(other) = settings.keys().find(|key| *key != "revoke_tokens_issued_before") {
        let message = format!("{other:?} is not a setting of this server, or is one of its flags");
        return Err(ApiError::new(ErrorCode::FeatureNotSupported, message));
    }
    if let Some(before) = settings.get("revoke_tokens_issued_before") {
        app.revoke_tokens(time("revoke_tokens_issued_before", before)?).await?;
    }
    Ok(Reply::ok(&json!({})))
}

/// A time, or `null` or `""` for none.
pub fn time(field: &str, value: &Value) -> Result<Option<Timestamp>, ApiError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => match text.parse() {
            Ok(time) => Ok(Some(time)),
            Err(_) => Err(ApiError::input(format!("field {field:?} expects type date"))),
        },
        _ => Err(ApiError::input(format!("field {field:?} expects type date"))),
    }
}

/// `GET /channeltypes`.
pub async fn channel_types(_: Call) -> Reply {
    let types: Map<String, Value> =
        ChannelType::all().iter().map(|kind| (kind.config.name.to_owned(), described(&kind.config))).collect();
    Reply::ok(&json!({ "channel_types": types }))
}

/// `GET /channeltypes/{type}`.
pub async fn channel_type(Path(name): Path<String>, _: Call) -> Result<Reply, ApiError> {
    let kind = ChannelType::named(&name);
    let kind = kind.ok_or_else(|| ApiError::not_found(format!("channel type {name:?} does not exist")))?;
    Ok(Reply::ok(&described(&kind.config)))
}

/// A configuration, with the permissions that SDKs expect beside it. Ours are fixed: `own_capabilities`
/// of a channel says what one may do.
fn described(config: &Config) -> Value {
    let mut config = json!(config);
    config["grants"] = json!({});
    config["permissions"] = json!([]);
    config
}

fn configs() -> Map<String, Value> {
    let configs = ChannelType::all().iter().map(|kind| &kind.config);
    configs.map(|config: &Config| (config.name.to_owned(), json!(config))).collect()
}

/// `GET /rate_limits`: what is left of each endpoint's window, for the platforms asked about.
pub async fn rate_limits(State(app): State<AppState>, call: Call) -> Result<Reply, ApiError> {
    call.require_server()?;
    let now = store::now().as_second();
    let wanted: Option<Vec<&str>> = call.parameter("endpoints").map(|names| names.split(',').collect());
    let mut platforms = Vec::new();
    for platform in Platform::ALL {
        if call.flag(platform.name())? {
            platforms.push(*platform);
        }
    }
    if platforms.is_empty() {
        platforms = Platform::ALL.to_vec();
    }
    let limits = |platform: Platform| -> Map<String, Value> {
        let endpoints = endpoint::ALL.iter();
        let endpoints = endpoints.filter(|e| wanted.as_ref().is_none_or(|wanted| wanted.contains(&e.name)));
        endpoints.map(|e| (e.name.to_owned(), json!(app.limiter.peek(*e, platform, now)))).collect()
    };
    let body: Map<String, Value> =
        platforms.into_iter().map(|platform| (platform.name().to_owned(), limits(platform).into())).collect();
    Ok(Reply::ok(&body))
}
