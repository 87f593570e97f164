use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use mimalloc::MiMalloc;
use rollcall_server::config::{Config, ConfigError, LogFormat};
use rollcall_server::server::{Server, StartError};
use rollcall_server::store::{self, StoreError};
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;

/// The system's own keeps what a crowd of arrivals needed for a moment: those who stay are scattered
/// all over it. This one gives whole pages back.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot back up to {}: {cause}", to.display())]
    Backup { to: PathBuf, cause: StoreError },
    #[error("the server failed: {0}")]
    Io(#[from] io::Error),
}

fn main() -> ExitCode {
    let config = match Config::read(std::env::args_os()) {
        Ok(config) => config,
        Err(error) if error.use_stderr() => {
            eprintln!("rollcall-server: {}", in_one_line(&error));
            return ExitCode::from(2);
        }
        Err(help) => help.exit(),
    };
    let outcome = Runtime::new().map_err(Error::Io).and_then(|runtime| {
        let outcome = runtime.block_on(run(config));
        // To drop it would be to wait for threads, which may wait for ever: for a name or for a file.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rollcall-server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What is wrong with a flag, without how to use them all.
fn in_one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let said = text.split("\n\n").next().unwrap_or_default();
    let words: Vec<_> = said.trim_start_matches("error: ").split_whitespace().collect();
    words.join(" ")
}

async fn run(config: Config) -> Result<(), Error> {
    log(&config)?;
    if let Some(to) = &config.backup {
        return store::backup(&config.database, to).await.map_err(|cause| Error::Backup { to: to.clone(), cause });
    }
    let server = Server::bind(config).await?;
    let shutdown = shutdown_signal()?;
    reload_on_signal(&server)?;
    announce(&server)?;
    server.run(shutdown).await;
    Ok(())
}

fn log(config: &Config) -> Result<(), StartError> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| ConfigError::Log(error.to_string()))?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // Colours are for eyes: a file or the journal would keep them as noise.
    let lines = if io::stderr().is_terminal() { lines } else { lines.with_ansi(false) };
    match config.log_format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}

/// The one line on stdout. Scripts wait for it: connections are accepted from here on.
fn announce(server: &Server) -> io::Result<()> {
    let address = server.address();
    let mut stdout = io::stdout().lock();
    let scheme = if server.certificate().is_some() { "https" } else { "http" };
    if address.ip().is_loopback() {
        writeln!(stdout, "Rollcall is running at {scheme}://localhost:{}", address.port())?;
    } else {
        writeln!(stdout, "Rollcall is running at {scheme}://{address}")?;
    }
    stdout.flush()
}

/// Done at the first Ctrl-C or SIGTERM; a second Ctrl-C ends the process at once.
#[cfg(unix)]
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tokio::spawn(async move {
            interrupt.recv().await;
            std::process::exit(130);
        });
    })
}

/// On SIGHUP the certificate is read again. Without one the signal ends the process, as it does
/// when a terminal is closed.
#[cfg(unix)]
fn reload_on_signal(server: &Server) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let Some(certificate) = server.certificate().cloned() else {
        return Ok(());
    };
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            certificate.reload().await;
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn reload_on_signal(_: &Server) -> io::Result<()> {
    Ok(())
}

#[cfg(not(unix))]
fn shutdown_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a signal to wait for, the process is ended from outside.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}
