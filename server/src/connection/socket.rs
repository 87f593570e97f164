//! The life of an open socket: events out, keep-alives in and out, and its end.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::SinkExt;
use rollcall_protocol::close;
use tokio::time::{Instant, sleep_until, timeout};

use super::{FRAME_BYTES, Opened, batch, frame};
use crate::bus::Event;
use crate::hub::{Inbox, Membership};

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
    /// Several events may go out in one frame.
    pub batch: bool,
    /// How often we say that we are alive, and ask the same.
    pub check_every: Duration,
    /// A client that says nothing for this long is given up.
    pub idle_timeout: Duration,
}

/// Serves the socket until it ends.
pub async fn run(mut socket: WebSocket, opened: Opened, manner: Manner) {
    let Opened { membership, inbox, hello } = opened;
    let outcome = match send(&mut socket, hello.into()).await {
        Ok(()) => serve(&mut socket, &membership, inbox, manner).await,
        Err(Gone) => Outcome::Lost,
    };
    match outcome {
        Outcome::Goodbye => {
            membership.goodbye();
            answer_close(&mut socket).await;
        }
        Outcome::Left => {
            drop(membership);
            answer_close(&mut socket).await;
        }
        Outcome::HangUp(code) => {
            drop(membership);
            hang_up(&mut socket, code).await;
        }
        Outcome::Lost => drop(membership),
    }
}

enum Outcome {
    /// The client closed with 1000.
    Goodbye,
    /// The client closed with another code: the page is left, or the client knows no better than
    /// that something is wrong.
    Left,
    /// We close, with this code.
    HangUp(u16),
    /// The socket broke.
    Lost,
}

async fn serve(socket: &mut WebSocket, membership: &Membership, mut inbox: Inbox, manner: Manner) -> Outcome {
    let mut last_heard = Instant::now();
    let mut next_check = last_heard + manner.check_every;
    loop {
        let sent = tokio::select! {
            message = socket.recv() => {
                last_heard = Instant::now();
                let asks = match message {
                    Some(Ok(Message::Text(text))) if text.len() > FRAME_BYTES => {
                        return Outcome::HangUp(close::TOO_BIG);
                    }
                    Some(Ok(Message::Binary(bytes))) if bytes.len() > FRAME_BYTES => {
                        return Outcome::HangUp(close::TOO_BIG);
                    }
                    Some(Ok(Message::Text(text))) => frame::is_keep_alive(&text),
                    // The pong goes out by itself; one SDK wants to see an event as well.
                    Some(Ok(Message::Ping(_))) => true,
                    Some(Ok(Message::Pong(_) | Message::Binary(_))) => false,
                    Some(Ok(Message::Close(Some(CloseFrame { code: close::NORMAL, .. })))) => return Outcome::Goodbye,
                    Some(Ok(Message::Close(_))) => return Outcome::Left,
                    Some(Err(_)) | None => return Outcome::Lost,
                };
                if asks {
                    send(socket, frame::health_check(membership.id()).into()).await
                } else {
                    Ok(())
                }
            }
            event = inbox.next() => match event {
                Ok(event) => send_events(socket, &mut inbox, event, manner.batch).await,
                Err(code) => return Outcome::HangUp(code),
            },
            () = sleep_until(next_check.min(last_heard + manner.idle_timeout)) => {
                if last_heard.elapsed() >= manner.idle_timeout {
                    return Outcome::HangUp(close::GIVEN_UP);
                }
                next_check += manner.check_every;
                check(socket, membership).await
            }
        };
        if sent.is_err() {
            return Outcome::Lost;
        }
    }
}

/// Says that we are alive, and asks the same with a ping: a browser answers it by itself, even
/// when it lets the timers of a hidden page sleep.
async fn check(socket: &mut WebSocket, membership: &Membership) -> Result<(), Gone> {
    send(socket, frame::health_check(membership.id()).into()).await?;
    in_time(socket.send(Message::Ping(Default::default()))).await
}

async fn send_events(socket: &mut WebSocket, inbox: &mut Inbox, first: Event, joined: bool) -> Result<(), Gone> {
    let mut events = vec![first];
    while events.len() < BATCH
        && let Some(event) = inbox.try_next()
    {
        events.push(event);
    }
    if joined {
        return match batch::join(events) {
            Some(frame) => send(socket, frame).await,
            None => Ok(()),
        };
    }
    let frames = async {
        for event in events {
            socket.feed(Message::Text(event.json)).await?;
        }
        socket.flush().await
    };
    in_time(frames).await
}

/// Sends one text frame.
pub async fn send(socket: &mut WebSocket, text: Utf8Bytes) -> Result<(), Gone> {
    in_time(socket.send(Message::Text(text))).await
}

/// Closes with `code` and waits a moment for the other side to agree.
pub async fn hang_up(socket: &mut WebSocket, code: u16) {
    let frame = CloseFrame { code, reason: Utf8Bytes::default() };
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
