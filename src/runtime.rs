//! The running process: listeners, one snapshot of the configuration, hot reload, signals and draining.

mod drain;
mod files;
mod listeners;
mod reading;
mod reload;
mod source;
mod terminal;
mod watch;

use std::fmt::Display;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use crate::admin::{self, Expensive, File, Order, Refused, State};
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
use reading::Readings;
pub use source::Source;
use terminal::Terminal;
use watch::Watch;

/// Exit status for a configuration that cannot be used (`EX_CONFIG` of sysexits).
pub const EXIT_CONFIG: u8 = 78;

/// A sidecar at work.
pub struct Running {
    /// What its connections share.
    pub shared: Arc<Context>,
    state: Arc<State>,
    listeners: Listeners,
    orders: mpsc::Receiver<Order>,
    checks: Checks,
}

/// Binds every address and begins to serve; needs a tokio runtime. `name` is what the configuration is called.
///
/// # Errors
/// An address cannot be bound; then none is.
pub fn start(
    config: Config,
    tree: serde_yaml::Value,
    name: String,
    workers: Workers,
) -> Result<Running, BindError> {
    let shared = Arc::new(Context::new(Arc::new(config), workers));
    let (sender, orders) = admin::channel();
    let state = Arc::new(State {
        shared: Arc::clone(&shared),
        file: ArcSwap::new(File::read(name, tree)),
        orders: sender,
        lists: Expensive::default(),
        scrapes: Expensive::default(),
    });
    let config = shared.config.load_full();
    // Before anybody can ask for them.
    let mut checks = Checks::new(Arc::clone(&shared.observer));
    checks.follow(&config);
    let mut listeners = Listeners::new(Arc::clone(&state));
    listeners.follow(&config)?;
    Ok(Running {
        shared,
        state,
        listeners,
        orders,
        checks,
    })
}

/// Why the process does something new.
enum Wish {
    /// Read the file again.
    Reload(
        ReloadTrigger,
        Option<oneshot::Sender<Result<Reload, Refused>>>,
    ),
    /// End.
    Drain(DrainTrigger, Option<oneshot::Sender<status::Drain>>),
}

/// Somebody's wish that the process ends.
pub struct DrainOrder {
    trigger: DrainTrigger,
    answer: Option<oneshot::Sender<status::Drain>>,
}

impl Running {
    async fn order(&mut self) -> Wish {
        match self.orders.recv().await {
            Some(Order::Reload(answer)) => Wish::Reload(ReloadTrigger::Api, Some(answer)),
            Some(Order::Drain(answer)) => Wish::Drain(DrainTrigger::Api, Some(answer)),
            // `state` holds a sender for as long as this lives.
            None => std::future::pending().await,
        }
    }

    /// For a process that reads no file: waits until operators want it to end.
    pub async fn drain_ordered(&mut self) -> DrainOrder {
        loop {
            match self.order().await {
                Wish::Drain(trigger, answer) => return DrainOrder { trigger, answer },
                Wish::Reload(_, Some(answer)) => {
                    admin::tell(answer, Err(Refused("this process reads no file")));
                }
                Wish::Reload(_, None) => {}
            }
        }
    }

    /// Closes every connection without delay or spread, and ends; whoever ordered it is answered.
    pub async fn shutdown(mut self, ordered: Option<DrainOrder>) {
        let mut drain = self.shared.config.load().drain.clone();
        drain.delay = std::time::Duration::ZERO;
        drain.spread = std::time::Duration::ZERO;
        let never = std::future::pending::<()>();
        let DrainOrder { trigger, answer } = ordered.unwrap_or(DrainOrder {
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
            complain(&error);
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
    let mut running = match start(loaded.config, loaded.tree, name, workers) {
        Ok(running) => running,
        Err(error) => return fail(&error.to_string(), log),
    };
    let mut readings = Readings::new(source);
    loop {
        let wish = tokio::select! {
            _ = hangup.recv() => match terminal.has_hung_up() {
                true => Wish::Drain(DrainTrigger::Sighup, None),
                false => Wish::Reload(ReloadTrigger::Signal, None),
            },
            () = changed(&mut watched) => Wish::Reload(ReloadTrigger::File, None),
            ended = end.recv() => Wish::Drain(ended, None),
            wish = running.order() => wish,
            (asked, look, loaded) = readings.finished() => {
                if let (Some(watched), Some(look)) = (&mut watched, look) {
                    watched.seen(&look);
                }
                let reload = running.reload(loaded, asked.trigger, log);
                asked.answer(&reload);
                continue;
            }
        };
        match wish {
            Wish::Reload(trigger, answer) => readings.ask(trigger, answer),
            Wish::Drain(trigger, answer) => {
                readings.end(Refused("the sidecar is draining"));
                let drain = running.shared.config.load().drain.clone();
                let hurry = end.hurry(answer.is_some());
                running.drain(&drain, trigger, answer, hurry).await;
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

/// One line in the log, which also the one who typed the command sees. Where both outputs go into one pipe, a line on
/// each would be mixed; so stderr gets it only when the log cannot be written.
fn fail(sentence: &str, log: &log::LogGuard) -> ExitCode {
    tracing::error!(event = "failed", "{sentence}");
    if !log.flush() {
        complain(format_args!("sidebeat: {sentence}"));
    }
    ExitCode::FAILURE
}

/// Lines on stderr, with one write; nothing in them steers the terminal. A reader that has gone away must not cost the
/// exit status, as a panic of `eprintln!` does.
fn complain(lines: impl Display) {
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

    /// The signal that makes a drain end at once: the next one, or, when no signal began the drain, the one after it,
    /// because a process manager sends one in any case.
    async fn hurry(&mut self, unsignalled: bool) {
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
