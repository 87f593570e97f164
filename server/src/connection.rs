//! One client's live connection: how it is opened, refused, kept alive and ended.

pub mod admission;
pub mod frame;
pub mod handshake;
mod outgoing;
pub mod places;
pub mod poll;
mod shortcut;
mod socket;
mod upgrade;
mod window;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use axum::routing::get;
use futures_util::FutureExt;
use rollcall_protocol::{ErrorCode, close};

use crate::auth::{ANONYMOUS, Authenticated, Caller};
use crate::endpoint;
use crate::error::{ApiError, retry_after};
use crate::hub::{Inbox, Membership};
use crate::rate_limit::Platform;
use crate::state::{App, AppState};
use crate::store::{self, Unread, User};
use crate::tcp::Writer;
use handshake::{Extensions, Handshake};
use places::Place;
use upgrade::WebSocket;

/// The address a client connects to.
pub fn router() -> Router<AppState> {
    Router::new().route("/connect", get(connect))
}

/// `GET /connect`: opens the socket first and judges the caller after, because a browser never
/// shows a page why an upgrade was refused.
async fn connect(State(app): State<AppState>, mut request: Request) -> Result<Response, ApiError> {
    let (response, opening) = upgrade::agree(&mut request).map_err(|error| error.within("Connect"))?;
    let place = request.extensions_mut().remove::<Place>();
    let writer = request.extensions_mut().remove::<Writer>();
    let mut handshake = Handshake::read(&request);
    if app.config.batch_window.0.is_none() {
        handshake.extensions.batch = None;
    }
    let admitted = app.config.admits(request.headers().get(header::ORIGIN));
    // A frame that is not much too long is read to its end, so that a close can say what was wrong
    // with it; a longer one breaks the connection.
    let frame_bytes_read = (app.config.limits.frame_bytes as usize).saturating_mul(4);
    tokio::spawn(async move {
        let Some(socket) = opening.socket(frame_bytes_read).await else { return };
        let opened = match admitted {
            true => Box::pin(admit(&app, &handshake)).await,
            false => Err(ApiError::not_allowed("pages of this origin may not connect: see --allowed-origin")),
        };
        serve(&app, &handshake, opened, socket, place, writer).await;
    });
    Ok(response)
}

async fn serve(
    app: &App,
    handshake: &Handshake,
    opened: Result<Opened, ApiError>,
    mut socket: WebSocket,
    place: Option<Place>,
    writer: Option<Writer>,
) {
    match opened {
        Ok(opened) => {
            place.iter().for_each(Place::settle);
            let Extensions { batch, reason, .. } = handshake.extensions;
            let manner = socket::Manner {
                batch_window: batch.and_then(|batch| batch.window.or(app.config.batch_window.0)),
                explained: reason,
                frame_bytes: app.config.limits.frame_bytes as usize,
                check_every: app.config.health_check_interval,
                ping_after: app.config.limits.ping_after,
                idle_timeout: app.config.limits.idle_timeout,
            };
            // As a task of its own, so that what opening took is not kept as long as the socket lives.
            let serving = socket::run(socket, writer, opened, manner, app.metrics.delivery.clone());
            tokio::spawn(serving.map(|()| drop(place)));
        }
        // A code that makes an SDK come back by itself; after an error frame it would give up.
        Err(error) if error.retry_after().is_some() => {
            socket::hang_up(&mut socket, close::TRY_AGAIN_LATER, error.message()).await;
        }
        Err(error) => {
            let error = error.within("Connect");
            tracing::debug!(%error, "connection refused");
            let frame = error.to_frame(&store::now().to_string(), handshake.typed_errors);
            if socket::send(&mut socket, &frame.to_string()).await.is_ok() {
                socket::hang_up(&mut socket, close::NORMAL, "").await;
            }
        }
    }
}

async fn admit(app: &App, handshake: &Handshake) -> Result<Opened, ApiError> {
    let _turn = app.admission.turn().await?;
    // Whether the user may come is looked up once, when they arrive.
    let now = store::now();
    let bearer = app.authenticator.authenticate(&handshake.credentials(), now)?;
    let user = match &bearer.caller {
        Caller::User(id) => Some(&**id),
        Caller::Anonymous | Caller::Server => None,
    };
    let platform = Platform::of(handshake.origin.client.as_deref().unwrap_or_default(), false);
    let (_, allowed) = app.limiter.take(endpoint::CONNECT, platform, user, now.as_second());
    allowed.map_err(|error| {
        let seconds = error.retry_after().unwrap_or_default();
        ApiError::rate_limited(format!("too many connects: {}", retry_after(seconds)), seconds)
    })?;
    open(app, bearer, handshake).await
}

/// A connection that is present now, by whatever transport.
pub struct Opened {
    pub membership: Membership,
    /// What is told to it, from the moment it became present.
    pub inbox: Inbox,
    /// The first frame; it goes out before anything of the inbox.
    pub hello: String,
}

/// Makes the caller present: merges what the handshake says of them, and greets them.
pub async fn open(app: &App, bearer: Authenticated, handshake: &Handshake) -> Result<Opened, ApiError> {
    if app.hub.is_closing() {
        return Err(ApiError::busy());
    }
    let Authenticated { caller, issued_at } = bearer;
    let (user, unread, membership, inbox) = match caller {
        Caller::User(id) => {
            let change = handshake.profile(&id)?;
            let (membership, inbox) = app.arrive(change, issued_at, handshake.origin.clone()).await?;
            // Whoever is greeted is online for everybody, and `last_active` says since when.
            let user = match app.hub.told_of(&id).await {
                Some(user) => user,
                None => app.store.user(&id).await?.ok_or_else(|| ApiError::deleted(&id))?,
            };
            let unread = app.store.unread(&id).await?;
            (user, unread, membership, inbox)
        }
        Caller::Anonymous => {
            let mut user = User::new(ANONYMOUS, store::now());
            user.role = "anonymous".to_owned();
            // Nobody is told of somebody who is nobody.
            let (membership, inbox) = app.hub.connect(&ANONYMOUS.into(), true, handshake.origin.clone(), issued_at)?;
            (user, Unread::default(), membership, inbox)
        }
        Caller::Server => {
            let message = "a server-side token cannot connect: connect as a user";
            return Err(ApiError::new(ErrorCode::AuthenticationFailed, message));
        }
    };
    let hello = frame::hello(membership.id(), &user, unread, handshake.extensions, app.hub.is_in_doubt())?;
    Ok(Opened { membership, inbox, hello })
}
