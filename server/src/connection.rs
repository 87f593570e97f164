//! One client's live connection: how it is opened, refused, kept alive and ended.

mod batch;
mod frame;
mod handshake;
mod socket;

use axum::Router;
use axum::extract::ws::{WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use rollcall_protocol::close;

use crate::auth::{ANONYMOUS, Caller};
use crate::error::ApiError;
use crate::hub::{Inbox, Membership};
use crate::state::{App, AppState};
use crate::store::{self, Unread, User};
use handshake::Handshake;

/// Bytes of a frame that a client may send; an echo of its own first frame is the longest.
const FRAME_BYTES: usize = 64 * 1024;
/// Bytes read ahead of a socket: small, because most of them are silent most of the time.
const READ_BUFFER: usize = 4 * 1024;

/// The address a client connects to.
pub fn router() -> Router<AppState> {
    Router::new().route("/connect", get(connect))
}

/// `GET /connect`: opens the socket first and judges the caller after, because a browser never
/// shows a page why an upgrade was refused.
async fn connect(
    State(app): State<AppState>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let upgrade = upgrade.map_err(|_| ApiError::input("this address is for WebSockets").within("Connect"))?;
    let handshake = Handshake::read(&request);
    let upgrade = upgrade
        // The Unreal SDK names a protocol and wants to hear it back.
        .protocols(["wss"])
        .max_frame_size(FRAME_BYTES)
        .max_message_size(FRAME_BYTES)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0);
    Ok(upgrade.on_upgrade(move |socket| serve(app, handshake, socket)))
}

async fn serve(app: AppState, handshake: Handshake, mut socket: WebSocket) {
    match open(&app, &handshake).await {
        Ok(opened) => {
            let Opened { membership, inbox, hello } = opened;
            socket::run(socket, membership, inbox, hello, handshake.batch).await;
        }
        Err(error) => {
            let error = error.within("Connect");
            tracing::debug!(%error, "connection refused");
            let frame = error.to_frame(&store::now().to_string(), handshake.typed_errors);
            if socket::send(&mut socket, frame.to_string().into()).await.is_ok() {
                socket::hang_up(&mut socket, close::NORMAL).await;
            }
        }
    }
}

/// A user who is present now, and the frame that says so to them.
struct Opened {
    membership: Membership,
    inbox: Inbox,
    hello: String,
}

async fn open(app: &App, handshake: &Handshake) -> Result<Opened, ApiError> {
    let (user, unread, membership, inbox) = match app.authenticate(&handshake.credentials()).await? {
        Caller::User(id) => {
            let change = handshake.profile(&id)?;
            let (user, membership, inbox) = app.arrive(change).await?;
            let unread = app.store.unread(&user.id).await?;
            (user, unread, membership, inbox)
        }
        Caller::Anonymous => {
            let mut user = User::new(ANONYMOUS, store::now());
            user.role = "anonymous".to_owned();
            // Nobody is told of somebody who is nobody.
            let (membership, inbox) = app.hub.connect(&ANONYMOUS.into(), true);
            (user, Unread::default(), membership, inbox)
        }
        Caller::Server => {
            let message = "a server-side token cannot connect: connect as a user";
            return Err(ApiError::new(rollcall_protocol::ErrorCode::AuthenticationFailed, message));
        }
    };
    let hello = frame::hello(membership.id(), &user, unread, handshake.batch)?;
    Ok(Opened { membership, inbox, hello })
}
