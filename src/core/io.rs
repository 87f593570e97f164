//! What goes into the core and what comes out of it.

/// Milliseconds since any fixed moment.
pub type Millis = u64;

/// Counts dials. What arrives with an older number is from a socket that no longer matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub(crate) u32);

impl Generation {
    pub(super) fn next(self) -> Self {
        Generation(self.0.wrapping_add(1))
    }
}

/// Names one [`Ask`], so that its answer finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestId(pub(crate) u32);

/// Names a set of users that one part of an app watches, from [`super::Core::new_watch`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WatchId(pub(crate) u32);

/// Names one call of [`super::Core::watch`], until [`Output::Watched`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket(pub(crate) u32);

/// The moment at which a snapshot was asked for, in the core's own terms: an event that came
/// after it is newer than the snapshot, whenever that arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub(super) generation: Generation,
    pub(super) heard: u64,
    pub(super) at: Millis,
}

/// A user as a frame or an answer showed them.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen<P> {
    pub id: String,
    pub online: bool,
    /// In an answer: whether changes of this user are told from now on. Where a server's limit
    /// is reached, they are not.
    pub subscribed: bool,
    pub user: P,
}

/// Whether two users have different profiles, whatever their presence.
pub type Differ<P> = fn(&P, &P) -> bool;

/// Users as an answer showed them, and when it was asked for.
#[derive(Clone, Debug)]
pub struct Snapshot<P> {
    pub asked: Asked,
    pub users: Vec<Seen<P>>,
}

/// One event of a frame, read as far as the core needs it.
#[derive(Clone, Debug)]
pub enum Frame<P> {
    /// `health.check`: the first one opens the connection, each later one answers ours. `pages`
    /// when the first one grants that extension.
    Health { connection_id: String, pages: bool, payload: P },
    /// `connection.doubt`: the server may be wrong about others from now on, or is no more.
    Doubt { in_doubt: bool },
    /// The server refuses, and says why.
    Error { code: i32, payload: P },
    /// `user.presence.changed` or `user.updated`.
    User { user: Seen<P>, payload: P },
    /// `user.deleted`.
    Deleted { user: Seen<P>, payload: P },
    /// Anything else.
    Other { payload: P },
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Input<P> {
    /// The app wants to be connected; `renewable_token` when a provider can fetch another one.
    Connect { renewable_token: bool },
    /// The app says goodbye, and is told nothing more of the connection but that it has ended.
    Disconnect,
    /// No socket could be made: the token provider failed, or the address is malformed.
    DialFailed { generation: Generation, reason: P },
    /// An event arrived.
    Frame { generation: Generation, frame: Frame<P> },
    /// The socket closed.
    Closed { generation: Generation, code: u16 },
    /// An [`Output::Ask`] was answered.
    Replied { request: RequestId, result: Result<Vec<Seen<P>>, Failure<P>> },
    /// The browser believes that the network came or went.
    NetworkChanged { online: bool },
    /// The page is left. It may come back from the back-forward cache, as it was.
    Left,
    /// The page was shown, resumed, or came back from the cache.
    Woken,
    /// The timer armed for [`super::Core::poll_timeout`] fired.
    Timeout,
}

/// Why an [`Output::Ask`] was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure<P> {
    pub retryable: bool,
    /// The least time to wait, when the server named one.
    pub retry_after: Option<Millis>,
    pub reason: P,
}

/// What the shell should do.
#[derive(Clone, Debug, PartialEq)]
pub enum Output<P> {
    /// Get a token and open a socket.
    Dial { generation: Generation },
    /// The token of the last dial has expired: no other one is to be made with it.
    TokenRefused,
    /// Send a health check.
    SendHealthCheck,
    /// Close the socket.
    HangUp { code: u16 },
    /// `connectUser` is settled, with the first frame or the reason why not.
    ConnectSettled(Result<P, ConnectError<P>>),
    /// The connection ended for good after it had been up.
    Ended(ConnectError<P>),
    /// Ask the server again for what is watched, and hand in [`Input::Replied`].
    Ask { request: RequestId, ask: Ask },
    /// There is word of all the users of one call of [`super::Core::watch`], or the reason why not.
    Watched { ticket: Ticket, result: Result<(), P> },
    /// Tell the listeners of a watch that [`super::Core::presence`] of this user has changed;
    /// `resync` when that was learnt by asking again after a reconnect.
    Changed { watch: WatchId, id: String, resync: bool },
    /// Tell the listeners.
    Emit(Event<P>),
}

/// A page of what is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    Channels { cids: Vec<String>, watch: bool, presence: bool },
    Users { ids: Vec<String> },
}

/// An event for the app's listeners.
#[derive(Clone, Debug, PartialEq)]
pub enum Event<P> {
    /// As it came from the server.
    Received(P),
    /// An answer shows a watched user's presence otherwise than it was known.
    PresenceLearnt {
        user: P,
    },
    /// By an answer a watched user who was online is nowhere to be found any more; `user` as last
    /// shown.
    OfflineLearnt {
        user: P,
    },
    /// An answer shows a watched user's profile otherwise than it was known.
    ProfileLearnt {
        user: P,
    },
    ConnectionChanged {
        online: bool,
    },
    /// [`super::Core::connection`] does something else now, or is in doubt, or no longer.
    ConnectionState,
    ConnectionRecovered,
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq)]
pub enum ConnectError<P> {
    /// The server or the token provider gave this reason.
    Failed(P),
    /// The server closed the socket, or could not be reached (1006).
    Closed(u16),
    /// Nobody answered in time.
    TimedOut,
}
