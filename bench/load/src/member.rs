//! One of the crowd: connects, watches, listens, and comes back as a good client does.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow, bail};
use futures_util::{SinkExt, StreamExt};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::backend::{id, number};
use crate::crowd::Crowd;
use crate::socket::{Socket, connect_path, open};
use crate::token::{self, KEY};

/// Longer than the server takes over a connect that it does not refuse.
const PATIENCE: Duration = Duration::from_secs(30);
/// Before try n a client waits a random part of this, doubled n times, at most [`LONGEST`].
const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(25);
/// Longer than a lost connection takes to be seen, between processes of one machine.
const MOMENT: Duration = Duration::from_secs(1);

pub struct Member {
    crowd: Arc<Crowd>,
    number: usize,
    socket: Socket,
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    connection_id: Option<&'a str>,
    #[serde(borrow)]
    user: Option<User<'a>>,
}

#[derive(Deserialize)]
struct User<'a> {
    id: &'a str,
    online: Option<bool>,
}

#[derive(Deserialize)]
struct Users<'a> {
    #[serde(borrow)]
    users: Vec<User<'a>>,
}

impl Member {
    /// Comes, and tries again until it is here and watches.
    pub async fn arrives(crowd: &Arc<Crowd>, number: usize) -> Self {
        let began = Instant::now();
        let mut tries = 0;
        loop {
            let error = match Self::tries(crowd, number, began).await {
                Ok(member) => return member,
                Err(error) => error,
            };
            crowd.counts(format!("tried again: {}", error.root_cause()));
            let told = error.downcast_ref().map_or(Duration::ZERO, |RetryAfter(wait)| *wait);
            let longest = LONGEST.min(SHORTEST * 2_u32.saturating_pow(tries));
            sleep(told + longest.mul_f64(fastrand::f64())).await;
            tries += 1;
        }
    }

    /// Comes back after its connection broke.
    pub async fn returns(crowd: &Arc<Crowd>, number: usize) -> Self {
        crowd.forgets(number);
        sleep(SHORTEST.mul_f64(fastrand::f64())).await;
        Self::arrives(crowd, number).await
    }

    async fn tries(crowd: &Arc<Crowd>, number: usize, began: Instant) -> Result<Self> {
        crowd.forgets(number);
        crowd.asks_again(number);
        let (socket, connection) = timeout(PATIENCE, greeted(crowd, number)).await.context("not greeted")??;
        crowd.connects(began.elapsed());
        let mut member = Self { crowd: crowd.clone(), number, socket };
        if let Err(error) = watch(crowd, number, &connection).await {
            // When the connection was lost too, that is why.
            if timeout(MOMENT, member.listens()).await.is_err() {
                crowd.errs(format!("a watch failed: {}", error.root_cause()));
            }
            return Err(error);
        }
        Ok(member)
    }

    pub fn crowd(&self) -> Arc<Crowd> {
        self.crowd.clone()
    }

    pub fn number(&self) -> usize {
        self.number
    }

    /// Listens until the connection ends; with which code, if it ended with one.
    pub async fn listens(&mut self) -> Option<u16> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => self.hears(&text),
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code.into()),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }

    fn hears(&self, frame: &str) {
        let events = match frame.starts_with('[') {
            true => serde_json::from_str(frame),
            false => serde_json::from_str(frame).map(|event| vec![event]),
        };
        let Ok(events): Result<Vec<Event<'_>>, _> = events else {
            return self.crowd.errs("a frame that is no event");
        };
        for event in events.iter().filter(|event| event.kind == "user.presence.changed") {
            if let Some(User { id, online: Some(online) }) = event.user
                && let Some(user) = number(id)
            {
                self.crowd.hears(self.number, user, online);
            }
        }
    }

    /// Reads to the end and answers nothing: to the server an answer would be a sign of life, and once
    /// it is gone it would break off what is still to be read. With which code the server closed.
    pub async fn last_words(self) -> Option<u16> {
        let mut rest = Vec::new();
        self.socket.into_inner().read_to_end(&mut rest).await.ok()?;
        match rest.last_chunk()? {
            [0x88, 2, high, low] => Some(u16::from_be_bytes([*high, *low])),
            _ => None,
        }
    }

    /// Says goodbye, as `disconnectUser` does.
    pub async fn leaves(mut self) {
        let goodbye = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        if self.socket.send(Message::Close(Some(goodbye))).await.is_ok() {
            let _ = timeout(PATIENCE, self.listens()).await;
        }
    }
}

/// Shows a user to others, or hides them.
pub async fn set_invisible(crowd: &Crowd, user: usize, invisible: bool) -> Result<()> {
    let id = id(user);
    let body = json!({ "users": { id.as_str(): { "id": id, "invisible": invisible } } });
    let request = crowd.http.post(crowd.users_url(user)).query(&[("api_key", KEY)]);
    answer(crowd, request.header("authorization", token::user(&id)?).json(&body)).await?;
    Ok(())
}

/// The answer to a request, which is sent again when the server says that one may, and no sooner.
async fn answer(crowd: &Crowd, request: RequestBuilder) -> Result<String> {
    loop {
        let reply = {
            let _turn = crowd.requests.acquire().await?;
            let reply = request.try_clone().context("a body that is read once")?.send().await?;
            (reply.status(), until_reset(&reply), reply.text().await?)
        };
        match reply {
            (status, _, body) if status.is_success() => return Ok(body),
            (StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT, wait, _) => {
                crowd.counts(format!("told to ask again: {}", reply.0));
                sleep(wait).await;
            }
            (status, _, body) => bail!("{status}: {body}"),
        }
    }
}

/// How long until the server takes such requests again.
fn until_reset(reply: &Response) -> Duration {
    let reset = reply.headers().get("x-ratelimit-reset").and_then(|value| value.to_str().ok()?.parse().ok());
    let reset = reset.map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds));
    reset.and_then(|reset| reset.duration_since(SystemTime::now()).ok()).unwrap_or(SHORTEST)
}

/// When a server that is busy wants to be asked again.
#[derive(Debug)]
struct RetryAfter(Duration);

impl fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "told to come back after {:?}", self.0)
    }
}

impl RetryAfter {
    /// As the reason of a close says.
    fn of(reason: &str) -> Option<Self> {
        let (_, seconds) = reason.strip_suffix(" s")?.rsplit_once("retry after ")?;
        Some(Self(Duration::from_secs(seconds.parse().ok()?)))
    }
}

/// Opens a socket; returns it with the id of the connection.
async fn greeted(crowd: &Crowd, number: usize) -> Result<(Socket, String)> {
    let path = connect_path(number, !crowd.one_event_a_frame)?;
    let mut socket = open(crowd.node_of(number), number, &path).await?;
    match socket.next().await.context("closed without a word")?? {
        Message::Text(text) => {
            let event: Event<'_> = serde_json::from_str(&text).with_context(|| format!("refused: {text}"))?;
            let connection = event.connection_id.filter(|_| event.kind == "health.check");
            let connection = connection.with_context(|| format!("refused: {text}"))?.to_owned();
            Ok((socket, connection))
        }
        Message::Close(Some(CloseFrame { code, reason })) => {
            let closed = anyhow!("closed with {}", u16::from(code));
            Err(match RetryAfter::of(&reason) {
                Some(wait) => closed.context(wait),
                None => closed,
            })
        }
        _ => Err(Error::AttackAttempt.into()),
    }
}

/// Subscribes to those it watches, and reads how they are.
async fn watch(crowd: &Crowd, number: usize, connection: &str) -> Result<()> {
    let me = id(number);
    let ids: Vec<_> = crowd.watched_by(number).map(id).collect();
    let query = json!({ "filter_conditions": { "id": { "$in": ids } }, "presence": true, "limit": crowd.watches });
    let parameters = [("payload", query.to_string()), ("connection_id", connection.to_owned())];
    let request = crowd.http.get(crowd.users_url(number)).query(&[("api_key", KEY), ("user_id", &me)]);
    let request = request.query(&parameters).header("authorization", token::user(&me)?);
    let reply = answer(crowd, request).await?;
    let reply: Users<'_> = serde_json::from_str(&reply)?;
    for User { id, online } in reply.users {
        if let Some((user, online)) = self::number(id).zip(online) {
            crowd.reads(number, user, online);
        }
    }
    Ok(())
}
