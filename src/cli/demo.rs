//! `sidebeat demo`: a backend, the sidecar and a few clients on one machine.

mod backend;
mod clients;
mod story;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use self::backend::{Backend, Timing};
use self::story::StoryError;
use super::{block_on, print_error, print_line};
use crate::config::{self, Diagnostic, Loaded};
use crate::net::listener::BindError;
use crate::net::workers::Workers;
use crate::runtime;
use crate::telemetry;

pub(super) const HELP: &str = "\
Starts an echo backend that behaves like Swoole (it drops silent clients with no Close frame), the
sidecar in front of it, and shows for half a minute what three clients see with and without the
sidecar, and what the log says. Then everything stays up for you to try, until Ctrl-C.

Examples:
  sidebeat demo
  sidebeat demo --once --listen 127.0.0.1:9000";

/// Where a Swoole server listens in its own examples.
const BACKEND_PORT: u16 = 9501;
/// The default of `admin.listen`.
const ADMIN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9901);

/// How often the demo looks for free addresses.
const MAX_ATTEMPTS: u32 = 5;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Where the sidecar listens; a free port is used if this address is in use
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Exit after the demonstration
    #[arg(long)]
    once: bool,
}

#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("no address to listen on: {0}")]
    Listen(io::Error),
    #[error("the backend does not start: {0}")]
    Backend(io::Error),
    #[error("the demo's own configuration is refused; please report this as a bug: {0}")]
    Config(String),
    #[error("the sidecar does not start: {0}")]
    Sidecar(BindError),
    #[error("signals cannot be received: {0}")]
    Signals(io::Error),
    #[error(transparent)]
    Story(#[from] StoryError),
}

pub(super) fn run(options: &Options) -> ExitCode {
    block_on(async {
        match demo(options).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                print_error(format_args!("sidebeat demo: {error}"));
                ExitCode::FAILURE
            }
        }
    })
}

async fn demo(options: &Options) -> Result<(), DemoError> {
    let backend = Backend::start(BACKEND_PORT, Timing::default())
        .await
        .map_err(DemoError::Backend)?;
    let mut log = None;
    let mut attempts = 1;
    let (listen, admin, mut sidecar) = loop {
        let listen = available(options.listen, "the sidecar").map_err(DemoError::Listen)?;
        let admin = available(ADMIN, "its admin API").map_err(DemoError::Listen)?;
        let text = configuration(listen, backend.address, admin);
        let loaded = load(&text)?;
        log.get_or_insert_with(|| telemetry::log::init(&loaded.config.log));
        introduce(&text, listen, backend.address, admin);
        let name = "demo".to_owned();
        match runtime::start(loaded.config, loaded.tree, name, Workers::here()) {
            Ok(sidecar) => break (listen, admin, sidecar),
            // Another process may have taken an address since it was found free.
            Err(_) if attempts < MAX_ATTEMPTS => attempts += 1,
            Err(error) => return Err(DemoError::Sidecar(error)),
        }
    };
    let everything = async {
        story::play(&backend.address.to_string(), &listen.to_string()).await?;
        if !options.once {
            invite(listen, backend.address, admin);
            std::future::pending::<()>().await;
        }
        Ok(())
    };
    let mut request = None;
    let outcome = tokio::select! {
        outcome = everything => outcome,
        interrupted = interruption() => interrupted.map_err(DemoError::Signals),
        requested = sidecar.drain_requested() => {
            request = Some(requested);
            Ok(())
        }
    };
    sidecar.shutdown(request).await;
    outcome
}

/// The wanted address if it is free, else one with another port.
fn available(wanted: SocketAddr, who: &str) -> io::Result<SocketAddr> {
    match TcpListener::bind(wanted) {
        Ok(listener) => listener.local_addr(),
        Err(error) => {
            let address = TcpListener::bind((wanted.ip(), 0))?.local_addr()?;
            print_line(format_args!(
                "{wanted} cannot be used ({error}); {who} listens on {address} instead.\n"
            ));
            Ok(address)
        }
    }
}

/// Timeouts that are short enough for a demonstration.
fn configuration(listen: SocketAddr, backend: SocketAddr, admin: SocketAddr) -> String {
    format!(
        "\
listen: '{listen}'
upstream: ws://{backend}
heartbeat:
  check_interval: 500ms
  client: {{idle_time: 8s, ping_interval: 3s, pong_timeout: off}}
  upstream: {{ping_interval: 2s, pong_timeout: 1s}}
limits: {{close_timeout: 1s}}
drain: {{spread: 0s, timeout: 2s}}
log: {{format: text, opened: false}}
metrics: off
admin: {{listen: '{admin}'}}
"
    )
}

fn load(text: &str) -> Result<Loaded, DemoError> {
    config::parse(text, "demo", &|_| None).map_err(|problems| {
        let sentences: Vec<String> = problems.iter().map(Diagnostic::to_string).collect();
        DemoError::Config(sentences.join("; "))
    })
}

fn introduce(configuration: &str, listen: SocketAddr, backend: SocketAddr, admin: SocketAddr) {
    let indented: String = configuration
        .lines()
        .map(|line| format!("    {line}\n"))
        .collect();
    print_line(format_args!(
        "\
backend  ws://{backend}/  an echo server that behaves like Swoole with heartbeat_idle_time 4 s
admin    http://{admin}/  for operators: who is connected, who was, and why they ended
sidecar  ws://{listen}/  in front of it, with this configuration:

{indented}"
    ));
}

fn invite(listen: SocketAddr, backend: SocketAddr, admin: SocketAddr) {
    print_line(format_args!(
        "
Now you. In a browser's console (on a page served by http, http://{listen}/ for one):

    ws = new WebSocket('ws://{listen}/'); ws.onmessage = e => console.log(e.data); \
         ws.onclose = e => console.log(e.code, e.reason)
    ws.send('hello')         comes back
    ws.send('close')         the backend drops the connection; you get 1014 and a reason
    ws.send('disconnect')    the backend's own Close frame, passed on
    ws.send('sleep')         a blocked worker: it misses pongs, and you get a Close frame

The same with port {backend_port} shows what the backend alone does. In another terminal:

    sidebeat probe ws://{listen}/ -n 5
    curl http://{admin}/api/connections

The sidecar's log goes on below. Ctrl-C ends everything.
",
        backend_port = backend.port()
    ));
}

/// Ctrl-C, or what a process manager sends.
async fn interruption() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(test)]
mod tests;
