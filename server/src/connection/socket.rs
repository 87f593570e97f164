//! The life of an open socket: events out, keep-alives in and out, and its end.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use rollcall_protocol::close;
use tokio::time::{Instant, sleep_until, timeout};
use tungstenite::error::ProtocolError;

use super::handshake::Extensions;
use super::{Opened, batch, frame};
use crate::bus::Event;
use crate::error::retry_after;
use crate::hub::{Inbox, Membership};
use crate::metrics::Delays;

/// A socket that takes nothing for this long is given up.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the other side has to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// Events written in one go.
const BATCH: usize = 256;

/// The socket cannot be written to any more.
pub struct Gone;

/// How a socket is served.
#[derive(Clone, Copy)]
pub struct Manner {
    pub extensions: Extensions,
    /// A longer frame ends the connection.
    pub frame_bytes: usize,
    /// How often we say that we are alive.
    pub check_every: Duration,
    /// A client that says nothing for this long is asked for a sign of life.
    pub ping_after: Duration,
    /// A client that says nothing for this long is given up.
    pub idle_timeout: Duration,
}

/// Serves the socket until it ends.
pub async fn run(mut socket: WebSocket, opened: Opened, manner: Manner, delivery: Delays) {
    let Opened { mut membership, inbox, hello } = opened;
    let outcome = match send(&mut socket, hello.into()).await {
        Ok(()) => serve(&mut socket, &mut membership, inbox, manner, &delivery).await,
        Err(Gone) => Outcome::Lost,
    };
    match outcome {
        Outcome::Closed(code) => {
            match code {
                close::NORMAL => membership.goodbye(),
                // The client gave up on a silent socket: it was the network that failed.
                close::GIVEN_UP => drop(membership),
                _ => membership.left(),
            }
            answer_close(&mut socket).await;
        }
        Outcome::HangUp(code) => {
            drop(membership);
            let reason = match code {
                close::TRY_AGAIN_LATER => format!("too slow: {}", retry_after(1)),
                _ => String::new(),
            };
            hang_up(&mut socket, code, &reason).await;
        }
        Outcome::Lost => drop(membership),
    }
}

enum Outcome {
    /// The client closed, with this code.
    Closed(u16),
    /// We close, with this code.
    HangUp(u16),
    /// The socket broke.
    Lost,
}

async fn serve(
    socket: &mut WebSocket,
    membership: &mut Membership,
    mut inbox: Inbox,
    manner: Manner,
    delivery: &Delays,
) -> Outcome {
    let mut last_heard = Instant::now();
    let mut next_check = last_heard + manner.check_every;
    let mut next_ping = last_heard + manner.ping_after;
    // One timer for all of it, which is set again only when it has gone off: what is heard puts
    // off what is due, and costs nothing.
    let mut alarm = pin!(sleep_until(next_check.min(next_ping).min(last_heard + manner.idle_timeout)));
    loop {
        let sent = tokio::select! {
            message = socket.recv() => {
                last_heard = Instant::now();
                next_ping = last_heard + manner.ping_after;
                let asks = match message {
                    Some(Ok(Message::Text(text))) if text.len() > manner.frame_bytes => {
                        return Outcome::HangUp(close::TOO_BIG);
                    }
                    Some(Ok(Message::Binary(bytes))) if bytes.len() > manner.frame_bytes => {
                        return Outcome::HangUp(close::TOO_BIG);
                    }
                    Some(Ok(Message::Text(text))) => frame::is_keep_alive(&text),
                    // The pong goes out by itself; one SDK wants to see an event as well.
                    Some(Ok(Message::Ping(_))) => true,
                    Some(Ok(Message::Pong(_) | Message::Binary(_))) => false,
                    Some(Ok(Message::Close(frame))) => {
                        return Outcome::Closed(frame.map_or(close::NO_CODE, |frame| frame.code));
                    }
                    Some(Err(error)) => return broken(error),
                    None => return Outcome::Lost,
                };
                membership.heard();
                if asks {
                    send(socket, frame::health_check(membership.id()).into()).await
                } else {
                    Ok(())
                }
            }
            event = inbox.next() => match event {
                Ok(event) => send_events(socket, &mut inbox, event, manner.extensions, delivery).await,
                Err(code) => return Outcome::HangUp(code),
            },
            () = &mut alarm => {
                let now = Instant::now();
                let given_up = last_heard + manner.idle_timeout;
                if given_up <= now {
                    return Outcome::HangUp(close::GIVEN_UP);
                }
                let mut sent = Ok(());
                if next_ping <= now {
                    next_ping += manner.ping_after;
                    // A browser answers it by itself, even when it lets the timers of a hidden page sleep.
                    sent = in_time(socket.send(Message::Ping(Default::default()))).await;
                }
                if next_check <= now && sent.is_ok() {
                    next_check += manner.check_every;
                    sent = send(socket, frame::health_check(membership.id()).into()).await;
                }
                alarm.as_mut().reset(next_check.min(next_ping).min(given_up));
                sent
            }
        };
        if sent.is_err() {
            return Outcome::Lost;
        }
    }
}

/// What to do about a socket that cannot be read: say what was wrong with what came, if that was it.
fn broken(error: axum::Error) -> Outcome {
    use tungstenite::Error::{Capacity, Protocol, Utf8};
    match error.into_inner().downcast_ref() {
        Some(Protocol(ProtocolError::ResetWithoutClosingHandshake)) => Outcome::Lost,
        Some(Protocol(_)) => Outcome::HangUp(close::PROTOCOL_ERROR),
        Some(Utf8(_)) => Outcome::HangUp(close::NOT_UTF8),
        Some(Capacity(_)) => Outcome::HangUp(close::TOO_BIG),
        _ => Outcome::Lost,
    }
}

async fn send_events(
    socket: &mut WebSocket,
    inbox: &mut Inbox,
    first: Arc<Event>,
    extensions: Extensions,
    delivery: &Delays,
) -> Result<(), Gone> {
    let mut events = vec![first];
    while events.len() < BATCH
        && let Some(event) = inbox.try_next()
    {
        events.push(event);
    }
    if extensions.batch {
        if let Some(frame) = batch::join(&mut events, extensions.reason) {
            send(socket, frame).await?;
        }
    } else {
        let frames = async {
            for event in &events {
                socket.feed(Message::Text(event.text(extensions.reason).clone())).await?;
            }
            socket.flush().await
        };
        in_time(frames).await?;
    }
    delivery.observe_since(events.iter().filter_map(|event| event.flipped_at));
    Ok(())
}

/// Sends one text frame.
pub async fn send(socket: &mut WebSocket, text: Utf8Bytes) -> Result<(), Gone> {
    in_time(socket.send(Message::Text(text))).await
}

/// Closes with `code` and `reason`, at most 123 bytes of it, and waits a moment for the other side
/// to agree.
pub async fn hang_up(socket: &mut WebSocket, code: u16, reason: &str) {
    let frame = CloseFrame { code, reason: reason.into() };
    if in_time(socket.send(Message::Close(Some(frame)))).await.is_ok() {
        let answered = async { while let Some(Ok(_)) = socket.recv().await {} };
        let _ = timeout(CLOSE_TIMEOUT, answered).await;
    }
}

/// Lets the answer to a close go out.
async fn answer_close(socket: &mut WebSocket) {
    let _ = timeout(CLOSE_TIMEOUT, socket.recv()).await;
}

async fn in_time(sending: impl Future<Output = Result<(), axum::Error>>) -> Result<(), Gone> {
    match timeout(SEND_TIMEOUT, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}
