//! Sockets, of which there are many here.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use futures_util::StreamExt;
use reqwest::Url;
use serde_json::json;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use crate::backend::id;
use crate::token::{self, KEY};

pub type Socket = WebSocketStream<TcpStream>;

/// One source address has fewer free ports than we open and close sockets.
const SOURCES: usize = 16;

/// A stream to the server, from the address of this user.
pub async fn stream(address: SocketAddr, user: usize) -> Result<TcpStream> {
    let tcp = TcpSocket::new_v4()?;
    tcp.bind((Ipv4Addr::new(127, 0, 0, (1 + user % SOURCES) as u8), 0).into())?;
    let stream = tcp.connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

pub fn small() -> WebSocketConfig {
    WebSocketConfig::default().read_buffer_size(4096).write_buffer_size(0)
}

/// A socket to this path of the server.
pub async fn open(address: SocketAddr, user: usize, path: &str) -> Result<Socket> {
    let stream = stream(address, user).await?;
    Ok(client_async_with_config(format!("ws://{address}{path}"), stream, Some(small())).await?.0)
}

/// What a user asks Rollcall for: to be connected, and to get several events in one frame or not.
pub fn connect_path(user: usize, batches: bool) -> Result<String> {
    let id = id(user);
    let hello = json!({ "user_id": id, "user_details": { "id": id } }).to_string();
    let mut query = vec![("json", hello), ("authorization", token::user(&id)?), ("api_key", KEY.to_owned())];
    if batches {
        query.push(("rollcall", "batch".to_owned()));
    }
    let url = Url::parse_with_params("ws://localhost/connect", query)?;
    Ok(format!("{}?{}", url.path(), url.query().unwrap_or_default()))
}

/// The next message, as text.
pub async fn words(socket: &mut Socket) -> Result<String> {
    let message = socket.next().await.context("closed without a word")??;
    Ok(String::from_utf8_lossy(&message.into_data()).into_owned())
}
