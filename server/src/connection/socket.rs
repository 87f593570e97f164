//! The life of an open socket: events out, keep-alives in and out, and its end.

use std::pin::pin;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use rollcall_protocol::close;
use tokio::io::AsyncWriteExt;
use tokio::time::{Instant, sleep_until, timeout};
use tungstenite::Message;
use tungstenite::error::ProtocolError;
use tungstenite::protocol::CloseFrame;

use super::shortcut::Shortcut;
use super::upgrade::WebSocket;
use super::window::{BATCH, Window};
use super::{Opened, frame, outgoing};
use crate::error::retry_after;
use crate::hub::{Inbox, Membership};
use crate::metrics::Delays;
use crate::tcp::Writer;

/// A socket that takes nothing for this long is given up.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the other side has to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// The socket cannot be written to any more.
pub struct Gone;

/// How a socket is served.
#[derive(Clone, Copy)]
pub struct Manner {
    /// How long events wait to share a frame; none, if each has its own.
    pub batch_window: Option<Duration>,
    /// Events come with their reasons.
    pub explained: bool,
    /// A longer frame ends the connection.
    pub frame_bytes: usize,
    /// How often we say that we are alive.
    pub check_every: Duration,
    /// A client that says nothing for this long is asked for a sign of life.
    pub ping_after: Duration,
    /// A client that says nothing for this long is given up.
    pub idle_timeout: Duration,
}

/// Serves the socket until it ends. With its `writer` events may go out past this task.
///
/// Not an `async fn`: that would hold its arguments twice, for as long as the socket lives.
pub fn run(
    socket: WebSocket,
    writer: Option<Writer>,
    opened: Opened,
    manner: Manner,
    delivery: Delays,
) -> impl Future<Output = ()> {
    let Opened { membership, inbox, hello } = opened;
    let mut conversation = Conversation { socket, membership, inbox, manner, delivery };
    async move {
        let outcome = match send(&mut conversation.socket, &hello).await {
            Ok(()) => {
                drop(hello);
                conversation.open_shortcut(writer);
                conversation.serve().await
            }
            Err(Gone) => Outcome::Lost,
        };
        match outcome {
            Outcome::Closed(code) => {
                match code {
                    close::NORMAL => conversation.membership.goodbye(),
                    // The client gave up on a silent socket: it was the network that failed.
                    close::GIVEN_UP => drop(conversation.membership),
                    _ => conversation.membership.left(),
                }
                drop(conversation.inbox);
                answer_close(&mut conversation.socket).await;
            }
            Outcome::HangUp(code) => {
                drop(conversation.membership);
                drop(conversation.inbox);
                let reason = match code {
                    close::TRY_AGAIN_LATER => format!("too slow: {}", retry_after(1)),
                    _ => String::new(),
                };
                hang_up(&mut conversation.socket, code, &reason).await;
            }
            Outcome::Lost => drop(conversation.membership),
        }
    }
}

/// An open socket, and what is needed to serve it.
struct Conversation {
    socket: WebSocket,
    membership: Membership,
    inbox: Inbox,
    manner: Manner,
    delivery: Delays,
}

enum Outcome {
    /// The client closed, with this code.
    Closed(u16),
    /// We close, with this code.
    HangUp(u16),
    /// The socket broke.
    Lost,
}

impl Conversation {
    /// Batches wait for their time, of which this task alone knows.
    fn open_shortcut(&self, writer: Option<Writer>) {
        if let (Some(writer), None) = (writer, self.manner.batch_window) {
            let (explained, delivery) = (self.manner.explained, self.delivery.clone());
            self.inbox.open(Box::new(Shortcut { writer, explained, delivery }));
        }
    }

    async fn serve(&mut self) -> Outcome {
        let Manner { batch_window, frame_bytes, check_every, ping_after, idle_timeout, .. } = self.manner;
        let mut last_heard = Instant::now();
        let mut window = Window::new(batch_window.unwrap_or_default(), last_heard);
        let mut next_check = last_heard + check_every;
        let mut next_ping = last_heard + ping_after;
        // One timer for all of it, which is set again only when it has gone off, or for events that
        // wait: what is heard puts off what is due, and costs nothing.
        let mut alarm = pin!(sleep_until(next_check.min(next_ping).min(last_heard + idle_timeout)));
        loop {
            let sent = tokio::select! {
                message = self.socket.next() => {
                    last_heard = Instant::now();
                    next_ping = last_heard + ping_after;
                    let asks = match message {
                        Some(Ok(Message::Text(text))) if text.len() > frame_bytes => {
                            return Outcome::HangUp(close::TOO_BIG);
                        }
                        Some(Ok(Message::Binary(bytes))) if bytes.len() > frame_bytes => {
                            return Outcome::HangUp(close::TOO_BIG);
                        }
                        Some(Ok(Message::Text(text))) => frame::is_keep_alive(&text),
                        // The pong goes out by itself; one SDK wants to see an event as well.
                        Some(Ok(Message::Ping(_))) => true,
                        Some(Ok(Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => false,
                        Some(Ok(Message::Close(frame))) => {
                            return Outcome::Closed(frame.map_or(close::NO_CODE, |frame| frame.code.into()));
                        }
                        Some(Err(error)) => return broken(&error),
                        None => return Outcome::Lost,
                    };
                    self.membership.heard();
                    if asks { self.send_health_check().await } else { Ok(()) }
                }
                ready = self.inbox.ready(window.wanted()) => match ready {
                    Ok(()) if window.lets_out(Instant::now()) => self.send_events(&mut window).await,
                    Ok(()) => {
                        let due = window.due().map_or(alarm.deadline(), |due| due.min(alarm.deadline()));
                        alarm.as_mut().reset(due);
                        Ok(())
                    }
                    Err(code) => return Outcome::HangUp(code),
                },
                () = &mut alarm => {
                    let now = Instant::now();
                    let given_up = last_heard + idle_timeout;
                    if given_up <= now {
                        return Outcome::HangUp(close::GIVEN_UP);
                    }
                    let mut sent = Ok(());
                    if next_ping <= now {
                        next_ping += ping_after;
                        // A browser answers it by itself, even when it lets the timers of a hidden page sleep.
                        sent = in_time(self.socket.send(Message::Ping(Default::default()))).await;
                    }
                    if next_check <= now && sent.is_ok() {
                        next_check += check_every;
                        sent = self.send_health_check().await;
                    }
                    if window.due().is_some_and(|due| due <= now) && sent.is_ok() {
                        sent = self.send_events(&mut window).await;
                    }
                    let due = next_check.min(next_ping).min(given_up);
                    alarm.as_mut().reset(window.due().map_or(due, |events| events.min(due)));
                    sent
                }
            };
            if sent.is_err() {
                return Outcome::Lost;
            }
        }
    }

    async fn send_health_check(&mut self) -> Result<(), Gone> {
        send(&mut self.socket, &frame::health_check(self.membership.id())).await
    }

    /// Sends the events that wait.
    async fn send_events(&mut self, window: &mut Window) -> Result<(), Gone> {
        let mut events = Vec::new();
        self.inbox.take(&mut events, BATCH);
        let Manner { batch_window, explained, .. } = self.manner;
        let mut bytes = Vec::new();
        match batch_window {
            Some(_) => bytes = outgoing::together(&events, explained),
            None => outgoing::singly(&events, explained, &mut bytes),
        }
        write(&mut self.socket, &bytes).await?;
        window.begin(Instant::now());
        self.delivery.observe_since(events.iter().filter_map(|event| event.flipped_at));
        Ok(())
    }
}

/// What to do about a socket that cannot be read: say what was wrong with what came, if that was it.
fn broken(error: &tungstenite::Error) -> Outcome {
    use tungstenite::Error::{Capacity, Protocol, Utf8};
    match error {
        Protocol(ProtocolError::ResetWithoutClosingHandshake) => Outcome::Lost,
        Protocol(_) => Outcome::HangUp(close::PROTOCOL_ERROR),
        Utf8(_) => Outcome::HangUp(close::NOT_UTF8),
        Capacity(_) => Outcome::HangUp(close::TOO_BIG),
        _ => Outcome::Lost,
    }
}

/// Sends one text frame.
pub async fn send(socket: &mut WebSocket, text: &str) -> Result<(), Gone> {
    write(socket, &outgoing::text(text)).await
}

/// Gives the socket whole frames.
async fn write(socket: &mut WebSocket, frames: &[u8]) -> Result<(), Gone> {
    in_time(async {
        // An answer to a ping may wait to go out, in part.
        socket.flush().await?;
        let stream = socket.get_mut();
        stream.write_all(frames).await?;
        stream.flush().await?;
        Ok(())
    })
    .await
}

/// Closes with `code` and `reason`, at most 123 bytes of it, and waits a moment for the other side
/// to agree.
pub async fn hang_up(socket: &mut WebSocket, code: u16, reason: &str) {
    let frame = CloseFrame { code: code.into(), reason: reason.into() };
    if in_time(socket.send(Message::Close(Some(frame)))).await.is_ok() {
        let answered = async { while let Some(Ok(_)) = socket.next().await {} };
        let _ = timeout(CLOSE_TIMEOUT, answered).await;
    }
}

/// Lets the answer to a close go out.
async fn answer_close(socket: &mut WebSocket) {
    let _ = timeout(CLOSE_TIMEOUT, socket.next()).await;
}

async fn in_time(sending: impl Future<Output = Result<(), tungstenite::Error>>) -> Result<(), Gone> {
    match timeout(SEND_TIMEOUT, sending).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Gone),
    }
}
