//! The running process: listeners, one snapshot of the configuration, hot reload, signals and draining.
//!
//! [`run`] is one loop on the main thread. It waits for a signal, a changed file, an operator's command or the end of a
//! reading of the file, and handles one of them at a time; connections run on the workers and are not waited for. The
//! loop ends with a drain, which goes on serving operators until the process exits.

mod drain;
mod files;
mod listeners;
mod reload;
mod reloads;
mod source;
mod terminal;
mod watch;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use crate::admin::{self, AdminCommand, AdminState, LoadedFile, Refused};
use crate::config::Config;
use crate::config::Loaded;
use crate::context::Context;
use crate::net::health::Checks;
use crate::net::listener::BindError;
use crate::net::workers::Workers;
use crate::printable::escaped_lines;
use crate::telemetry::status::{self, DrainTrigger, Reload, ReloadTrigger};
use crate::telemetry::{LifecycleEvent, events, log};
use listeners::Listeners;
use reloads::Reloads;
pub use source::Source;
use terminal::Terminal;
use watch::Watch;

/// Exit status for a configuration that cannot be used (`EX_CONFIG` of sysexits).
pub const EXIT_CONFIG: u8 = 78;

/// A running sidecar.
pub struct Sidecar {
    /// What its connections share.
    pub shared: Arc<Context>,
    state: Arc<AdminState>,
    listeners: Listeners,
    commands: mpsc::Receiver<AdminCommand>,
    checks: Checks,
}

/// Binds every address and begins to serve; needs a tokio runtime. `name` is what the configuration is called.
///
/// # Errors
/// An address cannot be bound; then none is.
pub fn start(
    config: Config,
    tree: crate::config::Node,
    name: String,
    workers: Workers,
) -> Result<Sidecar, BindError> {
    let shared = Arc::new(Context::new(Arc::new(config), workers));
    let (sender, commands) = admin::channel();
    let file = LoadedFile::new(name, tree);
    let state = AdminState::new(Arc::clone(&shared), file, sender);
    let config = shared.config.load_full();
    // Before anybody can ask for them.
    let mut checks = Checks::new(Arc::clone(&shared.observer));
    checks.follow(&config);
    let mut listeners = Listeners::new(Arc::clone(&state));
    listeners.follow(&config)?;
    Ok(Sidecar {
        shared,
        state,
        listeners,
        commands,
        checks,
    })
}

/// What the process is to do next.
enum ProcessCommand {
    /// Read the file again.
    Reload(
        ReloadTrigger,
        Option<oneshot::Sender<Result<Reload, Refused>>>,
    ),
    /// End.
    Drain(DrainTrigger, Option<oneshot::Sender<status::Drain>>),
}

/// A request that the process end.
pub struct DrainRequest {
    trigger: DrainTrigger,
    answer: Option<oneshot::Sender<status::Drain>>,
}

impl Sidecar {
    async fn next_command(&mut self) -> ProcessCommand {
        match self.commands.recv().await {
            Some(AdminCommand::Reload(answer)) => {
                ProcessCommand::Reload(ReloadTrigger::Api, Some(answer))
            }
            Some(AdminCommand::Drain(answer)) => {
                ProcessCommand::Drain(DrainTrigger::Api, Some(answer))
            }
            // `state` holds a sender for as long as this lives.
            None => std::future::pending().await,
        }
    }

    /// Waits until an operator requests a drain. For a process without a file, which refuses reloads.
    pub async fn drain_requested(&mut self) -> DrainRequest {
        loop {
            match self.next_command().await {
                ProcessCommand::Drain(trigger, answer) => return DrainRequest { trigger, answer },
                ProcessCommand::Reload(_, Some(answer)) => {
                    admin::reply(answer, Err(Refused("this process reads no file")));
                }
                ProcessCommand::Reload(_, None) => {}
            }
        }
    }

    /// Closes every connection without delay or spread, and replies to `request`.
    pub async fn shutdown(mut self, request: Option<DrainRequest>) {
        let mut drain = self.shared.config.load().drain.clone();
        drain.delay = std::time::Duration::ZERO;
        drain.spread = std::time::Duration::ZERO;
        let never = std::future::pending::<()>();
        let DrainRequest { trigger, answer } = request.unwrap_or(DrainRequest {
            trigger: DrainTrigger::Shutdown,
            answer: None,
        });
        self.drain(&drain, trigger, answer, never).await;
    }
}

/// `sidebeat run`: everything until the process ends.
#[must_use]
pub fn run(source: Source) -> ExitCode {
    let (loaded, watched) = source.first();
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(error) => {
            print_error(&error);
            return ExitCode::from(EXIT_CONFIG);
        }
    };
    let log = log::init(&loaded.config.log);
    // Connections run on the workers; what is left is little.
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("cannot start: {error}"), &log),
    };
    let workers = match Workers::start() {
        Ok(workers) => workers,
        Err(error) => {
            return fail(
                &format!("cannot start a thread for each core: {error}"),
                &log,
            );
        }
    };
    let code = runtime.block_on(serve(source, loaded, workers, watched, &log));
    // Whatever did not end in time must not keep the process.
    runtime.shutdown_background();
    code
}

async fn serve(
    source: Source,
    loaded: Loaded,
    workers: Workers,
    mut watched: Option<Watch>,
    log: &log::LogGuard,
) -> ExitCode {
    let (mut hangup, mut end) =
        match signal(SignalKind::hangup()).and_then(|hangup| Ok((hangup, EndSignals::new()?))) {
            Ok(signals) => signals,
            Err(error) => return fail(&format!("cannot listen to signals: {error}"), log),
        };
    let terminal = Terminal::at_start();
    let name = source.name();
    let started = events::Started {
        version: env!("CARGO_PKG_VERSION"),
        config: &name,
        pid: std::process::id(),
    };
    LifecycleEvent::Started(started).log();
    for warning in &loaded.warnings {
        tracing::warn!(event = "config_warning", "{warning}");
    }
    files::raise_limit(loaded.config.process.max_connections);
    let mut sidecar = match start(loaded.config, loaded.tree, name, workers) {
        Ok(sidecar) => sidecar,
        Err(error) => return fail(&error.to_string(), log),
    };
    let mut reloads = Reloads::new(source);
    loop {
        let command = tokio::select! {
            _ = hangup.recv() => match terminal.has_hung_up() {
                true => ProcessCommand::Drain(DrainTrigger::Sighup, None),
                false => ProcessCommand::Reload(ReloadTrigger::Signal, None),
            },
            () = changed(&mut watched) => ProcessCommand::Reload(ReloadTrigger::File, None),
            ended = end.recv() => ProcessCommand::Drain(ended, None),
            command = sidecar.next_command() => command,
            (request, state, loaded) = reloads.finished() => {
                if let (Some(watched), Some(state)) = (&mut watched, state) {
                    watched.set_known(&state);
                }
                let reload = sidecar.reload(loaded, request.trigger, log);
                request.answer(&reload);
                continue;
            }
        };
        match command {
            ProcessCommand::Reload(trigger, answer) => reloads.request(trigger, answer),
            ProcessCommand::Drain(trigger, answer) => {
                reloads.refuse_all(Refused("the sidecar is draining"));
                let drain = sidecar.shared.config.load().drain.clone();
                let force = end.force(answer.is_some());
                sidecar.drain(&drain, trigger, answer, force).await;
                return ExitCode::SUCCESS;
            }
        }
    }
}

/// Waits until the file has changed, if there is one.
async fn changed(watched: &mut Option<Watch>) {
    match watched {
        Some(watched) => watched.changed().await,
        None => std::future::pending().await,
    }
}

/// Logs the sentence. It goes to stderr only if the log cannot be written, because both outputs often go to one terminal or
/// pipe, and the line would be there twice.
fn fail(sentence: &str, log: &log::LogGuard) -> ExitCode {
    tracing::error!(event = "failed", "{sentence}");
    if !log.flush() {
        print_error(format_args!("sidebeat: {sentence}"));
    }
    ExitCode::FAILURE
}

/// Writes to stderr with one call, with control characters escaped. Unlike `eprintln!` it does not panic if nobody reads
/// stderr any more: that would change the exit status.
fn print_error(lines: impl Display) {
    let text = format!("{lines}\n");
    let _ = io::stderr()
        .lock()
        .write_all(escaped_lines(&text).as_bytes());
}

/// The signals that ask the process to end.
struct EndSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl EndSignals {
    fn new() -> io::Result<Self> {
        Ok(EndSignals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the signal that ends a drain at once. That is the next one. If an operator began the drain it is the one
    /// after, because a process manager sends the first one in any case.
    async fn force(&mut self, unsignalled: bool) {
        if unsignalled {
            let signal = self.recv().await;
            tracing::info!(
                event = "draining_already",
                signal = signal.label(),
                "another signal ends at once"
            );
        }
        self.recv().await;
    }

    async fn recv(&mut self) -> DrainTrigger {
        tokio::select! {
            _ = self.terminate.recv() => DrainTrigger::Sigterm,
            _ = self.interrupt.recv() => DrainTrigger::Sigint,
        }
    }
}
