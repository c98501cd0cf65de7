//! The running process: listeners, one snapshot of the configuration, hot reload, signals and draining.

mod drain;
mod files;
mod listeners;
mod reload;
mod watch;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::admin::State;
use crate::config::policy::Config;
use crate::config::{self, Loaded};
use crate::observe::{events, log};
use crate::proxy::Shared;
use crate::proxy::listener::BindError;
use listeners::Listeners;

/// Exit status for a configuration that cannot be used (`EX_CONFIG` of sysexits).
pub const EXIT_CONFIG: u8 = 78;

/// A sidecar at work.
pub struct Running {
    /// What its connections share.
    pub shared: Arc<Shared>,
    listeners: Listeners,
}

/// Binds every address and begins to serve; needs a tokio runtime.
///
/// # Errors
/// An address cannot be bound; then none is.
pub fn start(config: Config) -> Result<Running, BindError> {
    let shared = Arc::new(Shared::new(Arc::new(config)));
    let state = Arc::new(State {
        shared: Arc::clone(&shared),
    });
    let mut listeners = Listeners::new(state);
    listeners.follow(&shared.config.load())?;
    Ok(Running { shared, listeners })
}

impl Running {
    /// Closes every connection without delay or spread, and ends.
    pub async fn shutdown(mut self) {
        let mut drain = self.shared.config.load().drain.clone();
        drain.delay = std::time::Duration::ZERO;
        drain.spread = std::time::Duration::ZERO;
        self.drain(&drain, "shutdown", std::future::pending::<()>())
            .await;
    }
}

/// `sidebeat run`: everything until the process ends.
#[must_use]
pub fn run(path: &Path) -> ExitCode {
    let watched = watch::Watch::new(path);
    let loaded = match config::load(path) {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let log = log::init(&loaded.config.log);
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}")),
    };
    let code = runtime.block_on(serve(path, loaded, watched, &log));
    // Whatever did not end in time must not keep the process.
    runtime.shutdown_background();
    code
}

async fn serve(
    path: &Path,
    loaded: Loaded,
    mut watched: watch::Watch,
    log: &log::LogGuard,
) -> ExitCode {
    let (mut hangup, mut end) =
        match signal(SignalKind::hangup()).and_then(|hangup| Ok((hangup, EndSignals::new()?))) {
            Ok(signals) => signals,
            Err(error) => return fail(&format!("cannot listen to signals: {error}")),
        };
    let started = events::Started {
        version: env!("CARGO_PKG_VERSION"),
        config: &path.display().to_string(),
        pid: std::process::id(),
    };
    log::emit(tracing::Level::INFO, "started", &started);
    for warning in &loaded.warnings {
        tracing::warn!(event = "config_warning", "{warning}");
    }
    files::raise_limit(loaded.config.process.max_connections);
    let mut running = match start(loaded.config) {
        Ok(running) => running,
        Err(error) => return fail(&error.to_string()),
    };
    let mut tree = loaded.tree;
    loop {
        let trigger = tokio::select! {
            _ = hangup.recv() => "signal",
            () = watched.changed() => "file",
            ended = end.recv() => {
                let drain = running.shared.config.load().drain.clone();
                running.drain(&drain, ended, end.recv()).await;
                return ExitCode::SUCCESS;
            }
        };
        if trigger == "signal" {
            watched.seen();
        }
        running.reload(path, &mut tree, trigger, log);
    }
}

/// Told on both outputs: the log's reader and the one who typed the command want to know.
fn fail(sentence: &str) -> ExitCode {
    tracing::error!(event = "failed", "{sentence}");
    eprintln!("sidebeat: {sentence}");
    ExitCode::FAILURE
}

/// The signals that ask the process to end.
struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    fn new() -> std::io::Result<Self> {
        Ok(EndSignals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn recv(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
