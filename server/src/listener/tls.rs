//! The certificate, as `--tls-cert` and `--tls-key` name it, read again when it changes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

/// Why TLS cannot be spoken.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {} of {flag}: {cause}", path.display())]
    File { flag: &'static str, path: PathBuf, cause: pem::Error },
    #[error("{} of --tls-cert holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    #[error("--tls-cert and --tls-key do not belong together: {0}")]
    Mismatch(#[from] rustls::Error),
}

/// A certificate in use. Connections keep the one with which they began.
pub struct Certificate {
    files: [PathBuf; 2],
    current: Mutex<Current>,
}

struct Current {
    acceptor: TlsAcceptor,
    /// How the files looked when they were last read.
    stamps: [Option<Stamp>; 2],
}

type Stamp = (SystemTime, u64);

impl Certificate {
    /// Reads the certificate and its key.
    pub(super) fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let files = [certificate.to_owned(), key.to_owned()];
        // Looked at before they are read: what is written in between is read once more.
        let stamps = stamps(&files);
        let acceptor = acceptor(certificate, key)?;
        Ok(Self { files, current: Mutex::new(Current { acceptor, stamps }) })
    }

    /// For the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        self.lock().acceptor.clone()
    }

    /// Reads the files again, for connections from now on. When they cannot be used, the log says
    /// why and the certificate of before stays. Nobody waits for a disk that is away.
    pub async fn reload(self: &Arc<Self>) {
        self.aside(Self::read_again).await;
    }

    /// Reloads whenever a file changes, which is looked for so often.
    pub(super) async fn watch(self: &Arc<Self>, every: Duration) {
        let mut ticks = interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.aside(|certificate| {
                if stamps(&certificate.files) != certificate.lock().stamps {
                    certificate.read_again();
                }
            })
            .await;
        }
    }

    async fn aside(self: &Arc<Self>, work: impl FnOnce(&Self) + Send + 'static) {
        let certificate = Arc::clone(self);
        // Fails only when the process ends.
        let _ = spawn_blocking(move || work(&certificate)).await;
    }

    fn read_again(&self) {
        let [certificate, key] = &self.files;
        let stamps = stamps(&self.files);
        let read = acceptor(certificate, key);
        let mut current = self.lock();
        current.stamps = stamps;
        match read {
            Ok(acceptor) => {
                current.acceptor = acceptor;
                tracing::info!("the certificate was read again");
            }
            Err(error) => tracing::error!(%error, "the certificate of before stays in use"),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// When the files were written, and how long they are; nothing for one that is not there just now.
fn stamps(files: &[PathBuf; 2]) -> [Option<Stamp>; 2] {
    files.each_ref().map(|file| {
        let metadata = std::fs::metadata(file).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    })
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let file = |flag, path: &Path| {
        let path = path.to_owned();
        move |cause| TlsError::File { flag, path, cause }
    };
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(file("--tls-cert", certificate))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(certificate.to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(file("--tls-key", key))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
