//! Takes connections in: TCP, TLS when there is a certificate, then HTTP. Whoever dawdles over a
//! handshake or a header, or reads nothing, is cut off.

mod tls;

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_io_timeout::TimeoutWriter;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

pub use tls::{Certificate, TlsError};

use crate::config::Config;
use crate::connection::places::{Place, Places};
use crate::tcp;

/// How long to wait when the system has no more sockets to give.
const BREATH: Duration = Duration::from_millis(100);
/// How often to say so.
const SILENCE: Duration = Duration::from_secs(10);
/// How many of those for whom there is no place are told so at a time; others are closed without a word.
const REFUSALS: usize = 64;
/// How long that may take.
const REFUSAL: Duration = Duration::from_secs(1);

/// An address that is held, and how what comes there is treated.
pub struct Listener {
    socket: TcpListener,
    tls: Option<Arc<Certificate>>,
    /// How often the files of the certificate are looked at.
    watch_every: Duration,
    http: Builder,
    /// How long a TLS handshake may take.
    patience: Duration,
    /// How long a client may take nothing of what is sent to it.
    write_timeout: Duration,
}

/// Why nothing is listened to.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    #[error("cannot listen on {address}: {cause}; choose another address with --listen")]
    Address { address: SocketAddr, cause: io::Error },
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Listener {
    /// Takes the address of `--listen` and reads the certificate.
    pub async fn bind(config: &Config) -> Result<Self, ListenError> {
        let taken = |cause| ListenError::Address { address: config.listen, cause };
        let socket = TcpListener::bind(config.listen).await.map_err(taken)?;
        let tls = config.tls_cert.as_deref().zip(config.tls_key.as_deref());
        let tls = tls.map(|(certificate, key)| Certificate::read(certificate, key)).transpose()?.map(Arc::new);
        let mut http = Builder::new();
        http.timer(TokioTimer::new())
            .header_read_timeout(config.limits.header_timeout)
            // More than headers and address may be, so that whoever sends too much is told so.
            .max_buf_size(4 * config.limits.header_bytes as usize);
        let (watch_every, patience) = (config.tls_check_interval, config.limits.header_timeout);
        let write_timeout = config.limits.write_timeout;
        Ok(Self { socket, tls, watch_every, http, patience, write_timeout })
    }

    /// Where it listens; with port 0 in the configuration, the port it got.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The certificate, if it speaks TLS.
    pub fn certificate(&self) -> Option<&Arc<Certificate>> {
        self.tls.as_ref()
    }

    /// Serves by `router` until `stop` is done, and by `when_full` those for whom there is no place; then
    /// takes nobody in any more, and returns when the requests under way are answered. Sockets that were
    /// upgraded end on their own.
    pub async fn serve(self, router: Router, when_full: Router, places: Places, stop: impl Future<Output = ()>) {
        let places = Arc::new(places);
        let refusals = Arc::new(Semaphore::new(REFUSALS));
        // Its receivers are the connections under way.
        let (stopping, _) = watch::channel(false);
        let mut stop = pin!(stop);
        let mut watch = pin!(async {
            match &self.tls {
                Some(certificate) => certificate.watch(self.watch_every).await,
                None => std::future::pending().await,
            }
        });
        let mut complained = None;
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                () = &mut stop => break,
                () = &mut watch => continue,
            };
            let stream = match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // The client is gone already, or we have no more files: others end meanwhile.
                    if complained.is_none_or(|at: Instant| at.elapsed() >= SILENCE) {
                        complained = Some(Instant::now());
                        tracing::error!(%error, "cannot accept connections");
                    }
                    sleep(BREATH).await;
                    continue;
                }
            };
            // Presence is small and urgent. A socket that cannot be told so still works.
            let _ = stream.set_nodelay(true);
            let stream = tcp::Stream::new(stream);
            let (mut http, tls) = (self.http.clone(), self.tls.as_deref().map(Certificate::acceptor));
            // Through TLS only its owner can write.
            let writer = tls.is_none().then(|| stream.writer().clone());
            let guest = Guest { stopping: stopping.subscribe(), place: places.take(), writer };
            let mut stream = TimeoutWriter::new(stream);
            stream.set_timeout(Some(self.write_timeout));
            let stream = Box::pin(stream);
            if guest.place.is_some() {
                tokio::spawn(receive(http, router.clone(), guest, tls, self.patience, stream));
            } else if let Ok(turn) = refusals.clone().try_acquire_owned() {
                http.keep_alive(false);
                let refusal = receive(http, when_full.clone(), guest, tls, self.patience, stream);
                tokio::spawn(timeout(REFUSAL, refusal).map(|_| drop(turn)));
            }
        }
        drop(self.socket);
        stopping.send_replace(true);
        stopping.closed().await;
    }
}

/// Whoever has connected.
struct Guest {
    /// Says when to end after the request under way.
    stopping: watch::Receiver<bool>,
    /// None for those who are turned away.
    place: Option<Place>,
    /// To write past the HTTP connection, once it is none any more.
    writer: Option<tcp::Writer>,
}

/// Shakes hands where that is to be done, in time, and converses.
async fn receive<S>(
    http: Builder,
    router: Router,
    guest: Guest,
    tls: Option<TlsAcceptor>,
    patience: Duration,
    stream: S,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match tls {
        None => converse(&http, router, guest, stream).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(patience, tls.accept(stream)).await {
                converse(&http, router, guest, stream).await;
            }
        }
    }
}

/// Answers what comes over one connection, until it ends or is to end. How it ends concerns nobody
/// else.
async fn converse<S>(http: &Builder, router: Router, guest: Guest, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Guest { mut stopping, place, writer } = guest;
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        if let Some(place) = &place {
            request.extensions_mut().insert(place.clone());
        }
        if let Some(writer) = &writer {
            request.extensions_mut().insert(writer.clone());
        }
        router.clone().oneshot(request)
    });
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        _ = &mut connection => return,
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}
