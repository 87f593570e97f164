//! A way to something that can be cut: nothing comes through, and nobody is told.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that panics has failed")]

use std::net::SocketAddr;
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

pub struct Proxy {
    address: SocketAddr,
    way: watch::Sender<Way>,
}

/// Where the way leads.
#[derive(Clone)]
pub enum Target {
    Tcp(String),
    Unix(PathBuf),
}

#[derive(Clone)]
struct Way {
    target: Target,
    is_open: bool,
    /// Connections of former times do not come through any more.
    times: u64,
}

impl Proxy {
    /// Before the Redis there.
    pub async fn before(url: &str) -> Self {
        Self::to(redis(url)).await
    }

    pub async fn to(target: Target) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (way, goes) = watch::channel(Way { target, is_open: true, times: 0 });
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (goes, Way { target, times, .. }) = (goes.clone(), goes.borrow().clone());
                tokio::spawn(async move {
                    match target {
                        Target::Tcp(address) => match TcpStream::connect(address).await {
                            Ok(server) => join(client, server, goes, times).await,
                            Err(_) => drop(client),
                        },
                        Target::Unix(path) => match UnixStream::connect(path).await {
                            Ok(server) => join(client, server, goes, times).await,
                            Err(_) => drop(client),
                        },
                    }
                });
            }
        });
        Self { address, way }
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub fn cut(&self) {
        self.way.send_modify(|way| way.is_open = false);
    }

    /// What was sent meanwhile comes through now.
    pub fn mend(&self) {
        self.way.send_modify(|way| way.is_open = true);
    }

    /// A way again, but not for connections that there were: they stay silent for ever.
    pub fn mend_for_new(&self) {
        self.way.send_modify(|way| {
            way.is_open = true;
            way.times += 1;
        });
    }

    /// From now on the address is that of another Redis.
    pub fn leads_to(&self, url: &str) {
        self.way.send_modify(|way| way.target = redis(url));
    }
}

fn redis(url: &str) -> Target {
    Target::Tcp(url.trim_start_matches("redis://").to_owned())
}

/// When one side ends, so does the other.
async fn join(client: TcpStream, server: impl AsyncRead + AsyncWrite + Unpin, goes: watch::Receiver<Way>, times: u64) {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = split(server);
    tokio::select! {
        () = carry(from_client, to_server, goes.clone(), times) => {}
        () = carry(from_server, to_client, goes, times) => {}
    }
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut goes: watch::Receiver<Way>,
    times: u64,
) {
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let through = goes.wait_for(|way| way.is_open && way.times == times).await.is_ok();
        if !through || to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
