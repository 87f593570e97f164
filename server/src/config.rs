//! How the server is run: flags, each also an environment variable and a line of a file.

mod file;
mod limits;

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::uri::{Authority, Scheme};
use axum::http::{HeaderValue, Uri};
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory, FromArgMatches, Parser, ValueEnum};
use reqwest::Url;

pub use limits::Limits;

use crate::cluster;
use crate::presence::rules::{Damping, Grace};

const DEMO_KEY: &str = "rollcall-demo";
/// A shorter secret may be found by trying: any token tells when it was. RFC 7518 asks this much of HS256.
const SECRET_BYTES: usize = 32;
/// A secret of fewer different characters was not made at random.
const SECRET_VARIETY: usize = 8;

const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// A shorter lease would end while it is renewed.
const SHORTEST_LEASE: Duration = Duration::from_millis(300);

/// User presence as one binary.
#[derive(Clone, Parser)]
#[command(name = "rollcall-server", version)]
pub struct Config {
    /// A TOML file whose keys are these flags; flags and the environment count before it
    #[arg(long, env = "ROLLCALL_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Address to listen on; port 0 picks a free one
    #[arg(long, env = "ROLLCALL_LISTEN", default_value = "127.0.0.1:8800")]
    pub listen: SocketAddr,

    /// The application's API key; with --dev-tokens it defaults to rollcall-demo
    #[arg(long, env = "ROLLCALL_API_KEY", default_value = "")]
    pub api_key: String,

    /// The secret that tokens are signed with; with --dev-tokens it defaults to a random one
    #[arg(long, env = "ROLLCALL_API_SECRET", default_value = "", hide_env_values = true)]
    pub api_secret: String,

    /// A file with the certificate and its chain, as PEM: TLS is spoken, and nothing else
    #[arg(long, env = "ROLLCALL_TLS_CERT", value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// A file with the certificate's private key, as PEM
    #[arg(long, env = "ROLLCALL_TLS_KEY", value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// How often the files of the certificate are looked at; when they have changed they are read again
    #[arg(long, env = "ROLLCALL_TLS_CHECK_INTERVAL", default_value = "1m", value_parser = duration)]
    pub tls_check_interval: Duration,

    /// Where data is kept
    #[arg(long, env = "ROLLCALL_DATABASE", default_value = "sqlite://rollcall.db", hide_env_values = true)]
    pub database: String,

    /// Redis or Valkey, 7 or newer, that several servers share, as in `redis://host:6379`; all of them
    /// share the database as well. Of a Redis Cluster any member, or several with commas between them.
    /// One server alone, if absent
    #[arg(long, env = "ROLLCALL_REDIS", value_name = "URL", hide_env_values = true)]
    pub redis: Option<String>,

    /// How long other servers believe what this one said of its users before it died
    #[arg(long, env = "ROLLCALL_NODE_LEASE", default_value = "10s", value_parser = duration)]
    pub node_lease: Duration,

    /// Directory of static files to serve
    #[arg(long, env = "ROLLCALL_WWW", value_name = "DIR")]
    pub www: Option<PathBuf>,

    /// Copy the database to this new file and exit; a server may be running on it meanwhile
    #[arg(long, env = "ROLLCALL_BACKUP", value_name = "FILE")]
    pub backup: Option<PathBuf>,

    /// Origin of the pages that may call, as in `https://app.example.com`; may be repeated; any, if absent
    #[arg(long, env = "ROLLCALL_ALLOWED_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub allowed_origin: Vec<HeaderValue>,

    /// Address that is told who comes online and goes offline, by signed POST requests
    #[arg(long, env = "ROLLCALL_WEBHOOK_URL", value_name = "URL", hide_env_values = true, value_parser = SecretUrl)]
    pub webhook_url: Option<Url>,

    /// Accept development tokens, with which anybody can be any user
    #[arg(long, env = "ROLLCALL_DEV_TOKENS")]
    pub dev_tokens: bool,

    /// Accept development tokens, the demo's key and a weak secret even on an address that others can reach
    #[arg(long, env = "ROLLCALL_DEMO_ON_PUBLIC_ADDRESS")]
    pub demo_on_public_address: bool,

    /// How long a user stays online after saying goodbye, or hiding, which looks the same to others
    #[arg(long, env = "ROLLCALL_GOODBYE_GRACE", default_value = "0s", value_parser = duration)]
    pub goodbye_grace: Duration,

    /// How long a user stays online after closing or reloading a page
    #[arg(long, env = "ROLLCALL_PAGE_GRACE", default_value = "2s", value_parser = duration)]
    pub page_grace: Duration,

    /// How long a user stays online after a connection was lost, or the server was restarted
    #[arg(long, env = "ROLLCALL_OFFLINE_GRACE", default_value = "5s", value_parser = duration)]
    pub offline_grace: Duration,

    /// Departures of a user within a minute that are told as they happen; 0 for any number
    #[arg(long, env = "ROLLCALL_FLAPS_PER_MINUTE", default_value_t = 10)]
    pub flaps_per_minute: u32,

    /// How long a user who went away more often has to stay before others see them online again
    #[arg(long, env = "ROLLCALL_FLAP_HOLD", default_value = "10s", value_parser = duration)]
    pub flap_hold: Duration,

    /// How often a connection is told that the server is alive
    #[arg(long, env = "ROLLCALL_HEALTH_CHECK_INTERVAL", default_value = "25s", value_parser = duration)]
    pub health_check_interval: Duration,

    /// How long events wait for others, to share a frame, after a frame went out to a client that
    /// takes several in one and does not say for itself; 0 to join only what has to wait anyhow, off
    /// for one event a frame whoever asks
    #[arg(long, env = "ROLLCALL_BATCH_WINDOW", default_value = "5ms", value_parser = batch_window)]
    pub batch_window: BatchWindow,

    /// Over how long a shutdown spreads the ends of many connections, so that they do not all come back at once
    #[arg(long, env = "ROLLCALL_DRAIN_WINDOW", default_value = "5s", value_parser = duration)]
    pub drain_window: Duration,

    /// How long a shutdown then waits for connections to end
    #[arg(long, env = "ROLLCALL_SHUTDOWN_TIMEOUT", default_value = "5s", value_parser = duration)]
    pub shutdown_timeout: Duration,

    /// What to log: error, warn, info, debug or trace, also by module, as in info,rollcall_server::hub=debug
    #[arg(long, env = "ROLLCALL_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,

    /// How to log, to stderr
    #[arg(long, env = "ROLLCALL_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,

    #[command(flatten)]
    pub limits: Limits,
}

/// How long events wait to share a frame; none when they never share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchWindow(pub Option<Duration>);

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line
    Json,
}

/// Why the server refuses to start with these flags. One line, for whoever starts it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("--api-key and --api-secret are required (or --dev-tokens to try things out)")]
    NoCredentials,
    #[error(
        "--dev-tokens lets anybody be any user, and {0} may be reached by others: listen on 127.0.0.1, or add --demo-on-public-address"
    )]
    DevTokensInPublic(SocketAddr),
    #[error(
        "--api-key is the demo's, and {0} may be reached by others: choose another, listen on 127.0.0.1, or add --demo-on-public-address"
    )]
    DemoKeyInPublic(SocketAddr),
    #[error(
        "--api-secret can be guessed, and {0} may be reached by others: choose a random one of {SECRET_BYTES} characters or more, listen on 127.0.0.1, or add --demo-on-public-address"
    )]
    WeakSecretInPublic(SocketAddr),
    #[error("--tls-check-interval must be more than 0")]
    NoCertificateChecks,
    #[error("--redis takes a database that servers can share: --database postgres://…")]
    OwnDatabase,
    #[error("--node-lease must be at least 300ms")]
    ShortLease,
    #[error("--health-check-interval must be more than 0")]
    NoHealthChecks,
    #[error("--ping-after must be more than 0 and less than --idle-timeout")]
    NoTimeToAnswer,
    #[error("--www names {0}, which is not a directory")]
    NoWww(PathBuf),
    #[error("--webhook-url must begin with http:// or https://")]
    Webhook,
    #[error("--log is not a filter: {0}")]
    Log(String),
}

impl Config {
    /// Reads flags, then the environment, then the file of `--config`: what is said first counts.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut arguments: Vec<OsString> = arguments.into_iter().collect();
        let mut command = Self::command();
        let mut said = command.try_get_matches_from_mut(&arguments)?;
        if let Some(path) = said.get_one::<PathBuf>("config") {
            let more = file::arguments(path, &command, &said)?;
            arguments.extend(more);
            said = command.try_get_matches_from_mut(arguments)?;
        }
        Self::from_arg_matches(&said)
    }

    /// Whether a socket may be opened by who names this origin. Browsers do not ask before they open
    /// a socket, as they do before a request; they only say from where. Other programs say nothing.
    pub fn admits(&self, origin: Option<&HeaderValue>) -> bool {
        self.allowed_origin.is_empty() || origin.is_none_or(|origin| self.allowed_origin.contains(origin))
    }

    /// Fills in what --dev-tokens makes optional, and refuses what is not safe.
    pub fn complete(mut self) -> Result<Self, ConfigError> {
        if self.dev_tokens {
            if self.api_key.is_empty() {
                self.api_key = DEMO_KEY.to_owned();
            }
            if self.api_secret.is_empty() {
                self.api_secret = uuid::Uuid::new_v4().to_string();
            }
        }
        if self.api_key.is_empty() || self.api_secret.is_empty() {
            return Err(ConfigError::NoCredentials);
        }
        if !self.listen.ip().is_loopback() && !self.demo_on_public_address {
            self.refuse_demo()?;
        }
        if self.tls_check_interval.is_zero() {
            return Err(ConfigError::NoCertificateChecks);
        }
        if self.redis.is_some() && self.database.starts_with("sqlite:") {
            return Err(ConfigError::OwnDatabase);
        }
        if self.node_lease < SHORTEST_LEASE {
            return Err(ConfigError::ShortLease);
        }
        if self.health_check_interval.is_zero() {
            return Err(ConfigError::NoHealthChecks);
        }
        if self.limits.ping_after.is_zero() || self.limits.ping_after >= self.limits.idle_timeout {
            return Err(ConfigError::NoTimeToAnswer);
        }
        if let Some(www) = self.www.as_ref().filter(|www| !www.is_dir()) {
            return Err(ConfigError::NoWww(www.clone()));
        }
        if self.webhook_url.as_ref().is_some_and(|url| !matches!(url.scheme(), "http" | "https")) {
            return Err(ConfigError::Webhook);
        }
        Ok(self)
    }

    /// What everybody knows or can guess lets in whoever reaches the server.
    fn refuse_demo(&self) -> Result<(), ConfigError> {
        if self.dev_tokens {
            return Err(ConfigError::DevTokensInPublic(self.listen));
        }
        if self.api_key == DEMO_KEY {
            return Err(ConfigError::DemoKeyInPublic(self.listen));
        }
        let secret = self.api_secret.as_bytes();
        let variety = secret.iter().collect::<HashSet<_>>().len();
        if secret.len() < SECRET_BYTES || variety < SECRET_VARIETY || self.api_secret == self.api_key {
            return Err(ConfigError::WeakSecretInPublic(self.listen));
        }
        Ok(())
    }

    /// How long users still count as online, by how their connection ended.
    pub fn grace(&self) -> Grace {
        Grace { goodbye: self.goodbye_grace, left: self.page_grace, lost: self.offline_grace }
    }

    /// How long what this server says of its users holds for others.
    pub fn cluster(&self) -> cluster::Options {
        cluster::Options { lease: self.node_lease, grace: self.offline_grace }
    }

    /// What is done about users who come and go all the time.
    pub fn damping(&self) -> Damping {
        Damping { departures: self.flaps_per_minute, hold: self.flap_hold }
    }
}

/// Reads an address that may hold a password. What is none is not repeated, as it would be otherwise.
#[derive(Clone)]
struct SecretUrl;

impl TypedValueParser for SecretUrl {
    type Value = Url;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<Url, clap::Error> {
        value.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
            let flag = argument.and_then(Arg::get_long).unwrap_or_default();
            command.clone().error(ErrorKind::ValueValidation, format!("--{flag} is not a URL"))
        })
    }
}

fn batch_window(text: &str) -> Result<BatchWindow, String> {
    match text {
        "off" => Ok(BatchWindow(None)),
        text => duration(text).map(|window| BatchWindow(Some(window))),
    }
}

/// A time that can be waited for: the clock has no place for the longest ones that can be written.
fn duration(text: &str) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if duration > LONGEST {
        return Err("a time is at most a year".to_owned());
    }
    Ok(duration)
}

/// An origin, as browsers write it whatever was given: a scheme, a host in small letters, a port that is not
/// the scheme's own, and no more.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let written = text.parse::<Uri>().ok().and_then(|uri| {
        let parts = uri.into_parts();
        let bare = parts.path_and_query.is_none_or(|path| path == "/") && !text.ends_with('/');
        bare.then_some(parts.scheme?).zip(parts.authority)
    });
    let browsers = |(scheme, authority): (Scheme, Authority)| {
        let host = authority.host().to_ascii_lowercase();
        let own = if scheme == Scheme::HTTPS { 443 } else { 80 };
        let origin = match authority.port_u16().filter(|port| *port != own) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        HeaderValue::try_from(origin).ok()
    };
    written
        .filter(|(_, authority)| !authority.as_str().contains('@'))
        .and_then(browsers)
        .ok_or_else(|| "an origin is a scheme and a host, as in https://app.example.com".to_owned())
}

/// Leaves out the secret, and the database's address, which may hold a password.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("api_key", &self.api_key)
            .field("www", &self.www)
            .field("dev_tokens", &self.dev_tokens)
            .field("offline_grace", &self.offline_grace)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}
