//! Getting a connection, and what to do when there is none: dialling, being refused, giving up,
//! waiting, trying again.

use super::connection::{Connection, Opening, Pulse};
use super::io::{ConnectError, Event, Frame, Millis, Output};
use super::{ABSENCE, ATTEMPT_DEADLINE, Core, MIN_UPTIME};
use rollcall_protocol::{Reaction, close, timing};

impl<P: Clone> Core<P> {
    pub(super) fn dial(&mut self, now: Millis, opening: Opening) {
        self.generation = self.generation.next();
        self.connection = Connection::Connecting { deadline: now + ATTEMPT_DEADLINE, opening };
        self.outputs.push_back(Output::Dial { generation: self.generation });
    }

    pub(super) fn disconnect(&mut self) {
        // Whoever connects next, maybe before the rest is carried out, is not told how it went.
        // `retain` would be three times as much to download.
        for _ in 0..self.outputs.len() {
            if let Some(
                output @ (Output::HangUp { .. } | Output::Changed { .. } | Output::Emit(Event::ConnectionState)),
            ) = self.outputs.pop_front()
            {
                self.outputs.push_back(output);
            }
        }
        self.hang_up(close::NORMAL);
        self.end();
    }

    /// Back to the beginning: nothing is watched, nothing is known, nothing will be tried.
    pub(super) fn end(&mut self) {
        self.generation = self.generation.next();
        self.connection = Connection::Disconnected;
        self.offline_notice = None;
        self.last_heard = None;
        self.backoff.reset();
        self.forget_everybody();
        self.watches.clear();
        self.requests.clear();
    }

    pub(super) fn hang_up(&mut self, code: u16) {
        if self.connection.has_socket() {
            self.outputs.push_back(Output::HangUp { code });
        }
    }

    /// An attempt to connect, or the connection itself, came to nothing; `terminal` when trying
    /// again cannot help.
    pub(super) fn attempt_failed(&mut self, now: Millis, error: ConnectError<P>, terminal: bool) {
        let Some(opening) = self.connection.opening() else { return };
        let until = now + self.backoff.next_delay();
        match opening {
            // There will be no further attempt, so this one's reason is the one to tell.
            Opening::First { give_up_at } if terminal || until >= give_up_at => {
                self.hang_up(close::GIVEN_UP);
                self.end();
                self.outputs.push_back(Output::ConnectSettled(Err(error)));
            }
            // A token provider that fails once, while reconnecting, may work the next time.
            Opening::Again if terminal && !matches!(error, ConnectError::Failed(_)) => self.ended_by(error),
            _ => self.wait(close::GIVEN_UP, until, opening),
        }
    }

    /// The server said, on a reconnect, that this user can no longer connect.
    pub(super) fn ended_by(&mut self, error: ConnectError<P>) {
        self.hang_up(close::NORMAL);
        self.end();
        self.outputs.push_back(Output::Emit(Event::ConnectionChanged { online: false }));
        self.outputs.push_back(Output::Ended(error));
    }

    /// The page is left. Should it come back, or not be gone after all, it connects again.
    pub(super) fn leave(&mut self, now: Millis) {
        let Some(opening) = self.connection.opening().filter(|_| self.connection.has_socket()) else { return };
        if let Connection::Connected { last_heard, .. } = self.connection {
            self.went_down(now, last_heard);
        }
        self.wait(close::PAGE_LEFT, now + ABSENCE, opening);
    }

    fn wait(&mut self, code: u16, until: Millis, opening: Opening) {
        self.hang_up(code);
        // What the old socket still says is of no interest to anybody.
        self.generation = self.generation.next();
        let until = opening.give_up_at().map_or(until, |at| until.min(at));
        self.connection = Connection::WaitingToReconnect { until, opening };
    }

    pub(super) fn frame(&mut self, now: Millis, frame: Frame<P>) {
        match (&mut self.connection, frame) {
            (Connection::Connecting { opening, .. }, Frame::Health { connection_id, pages, payload }) => {
                let opening = *opening;
                self.requests.take_pages(pages);
                self.connected(now, opening, connection_id, payload);
            }
            (Connection::Connecting { .. }, Frame::Error { code, payload }) => self.refused(now, code, payload),
            (Connection::Connected { last_heard, pulse, .. }, frame) => {
                // What waited while nobody could listen says nothing of how things are now.
                let proves = match pulse {
                    Pulse::InDoubt { probed, .. } => !*probed || matches!(frame, Frame::Health { .. }),
                    Pulse::Sure { .. } => true,
                };
                if proves {
                    *last_heard = now;
                    if let Pulse::InDoubt { .. } = pulse {
                        *pulse = Pulse::Sure { next_check: now + timing::HEALTH_CHECK_EVERY };
                    }
                }
                self.heard(now, frame);
            }
            // Events that overtake the first frame have no subscription behind them.
            _ => {}
        }
    }

    pub(super) fn connected(&mut self, now: Millis, opening: Opening, id: String, payload: P) {
        self.connection = Connection::Connected {
            id,
            last_heard: now,
            pulse: Pulse::Sure { next_check: now + timing::HEALTH_CHECK_EVERY },
            unsure: false,
        };
        self.offline_notice = None;
        self.outputs.push_back(Output::Emit(Event::Received(payload.clone())));
        self.outputs.push_back(Output::Emit(Event::ConnectionChanged { online: true }));
        match opening {
            Opening::First { .. } => {
                self.outputs.push_back(Output::ConnectSettled(Ok(payload)));
                // Nobody has to wait with watching until they are connected.
                self.ask_for_everybody();
            }
            Opening::Again => self.renew_watches(),
        }
    }

    pub(super) fn refused(&mut self, now: Millis, code: i32, payload: P) {
        let reaction = Reaction::to(code);
        let error = ConnectError::Failed(payload);
        match (reaction, self.connection.opening()) {
            (Reaction::RefreshToken, Some(opening)) if self.renewable_token => {
                self.outputs.push_back(Output::TokenRefused);
                if self.backoff.is_fresh() {
                    // One refresh at once; if that token is no better, the next ones are spaced out.
                    self.backoff.next_delay();
                    self.hang_up(close::NORMAL);
                    self.dial(now, opening);
                } else {
                    let until = now + self.backoff.next_delay();
                    self.wait(close::GIVEN_UP, until, opening);
                }
            }
            (Reaction::Retry, _) => self.attempt_failed(now, error, false),
            (_, Some(Opening::Again)) => self.ended_by(error),
            _ => self.attempt_failed(now, error, true),
        }
    }

    pub(super) fn closed(&mut self, now: Millis, code: u16) {
        match self.connection {
            Connection::Connecting { .. } => self.attempt_failed(now, ConnectError::Closed(code), false),
            Connection::Connected { .. } if close::reaction(code) == Reaction::Stop => {
                self.ended_by(ConnectError::Closed(code));
            }
            Connection::Connected { .. } => self.lost(now),
            Connection::Disconnected | Connection::WaitingToReconnect { .. } => {}
        }
    }

    /// The connection is gone, or taken for dead.
    pub(super) fn lost(&mut self, now: Millis) {
        let Connection::Connected { last_heard, .. } = self.connection else { return };
        self.went_down(now, last_heard);
        let until = now + self.backoff.next_delay();
        self.wait(close::GIVEN_UP, until, Opening::Again);
    }

    /// What a connection that was up leaves behind.
    fn went_down(&mut self, now: Millis, last_heard: Millis) {
        if now >= self.since + MIN_UPTIME {
            self.backoff.reset();
        }
        self.last_heard = Some(last_heard);
        self.requests.clear();
        self.offline_notice.get_or_insert(now + timing::OFFLINE_NOTICE_AFTER);
    }
}
