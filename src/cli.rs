//! The command line: one file a subcommand.

mod check;
mod completions;
mod demo;
mod drain;
mod probe;
mod remote;
mod run;
mod schema;
mod terminal;
mod top;
mod websocket;

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use terminal::{print_error, print_json, print_line};

const ABOUT_MORE: &str = "\
sidebeat stands in front of a WebSocket backend that cannot be changed. It relays frames both ways, pings both \
legs, closes idle and dead connections with a real Close frame, and logs who closed what and why.";

const AFTER_HELP: &str = "\
Examples:
  sidebeat demo                     see it work; nothing to install or configure
  sidebeat check proxy.yaml         print every problem of the file with line, column and key
  sidebeat -c proxy.yaml            run the sidecar; the same as `sidebeat run -c proxy.yaml`
  sidebeat run --listen :8080 --upstream ws://127.0.0.1:9501
                                    run the sidecar without a file
  sidebeat probe ws://127.0.0.1:8080/chat
  sidebeat top                      watch a running sidecar in the terminal
  sidebeat drain                    drain a running sidecar and wait until it has ended

The smallest proxy.yaml:
  listen: 0.0.0.0:8080
  upstream: ws://127.0.0.1:9501

Log:      one line per event on stdout: JSON, or text on a terminal (`log.format`, `log.level`).
Signals:  SIGHUP reloads the file. Live connections follow it; an invalid file changes nothing. If
          standard input is a terminal that was closed, SIGHUP drains as SIGTERM does.
          SIGTERM and SIGINT drain: clients are closed over `drain.spread`. A second signal ends the
          process at once.
Exit:     0 success, 1 runtime failure, 2 usage error, 78 invalid configuration.";

/// Heartbeat sidecar for WebSocket backends
#[derive(Debug, Parser)]
#[command(name = "sidebeat", version, long_about = ABOUT_MORE, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::Options,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the sidecar (the default)
    #[command(after_help = RUN_HELP)]
    Run(run::Options),
    /// Validate the configuration and print every problem with its line, column and key
    #[command(after_help = check::HELP)]
    Check(check::Options),
    /// Print the JSON Schema of proxy.yaml, for completion in editors
    #[command(after_help = SCHEMA_HELP)]
    Schema,
    /// See it work: a Swoole-like backend and the sidecar in front of it, for half a minute
    #[command(after_help = demo::HELP)]
    Demo(demo::Options),
    /// Open a WebSocket, ping, and print the status and round-trip times
    #[command(after_help = probe::HELP)]
    Probe(probe::Options),
    /// Watch a running sidecar: connections, rates, close reasons; ping and close connections
    #[command(after_help = top::HELP)]
    Top(top::Options),
    /// Drain a running sidecar and wait until it has ended, for a preStop hook
    #[command(after_help = drain::HELP)]
    Drain(drain::Options),
    /// Print a completion script
    #[command(after_help = COMPLETIONS_HELP)]
    Completions {
        /// The shell that will read it
        shell: Shell,
    },
}

const RUN_HELP: &str = "\
Log lines go to stdout. SIGHUP reloads the file, SIGTERM and SIGINT drain, and a second signal ends
the process at once.
Exit: 0 drained, 1 runtime failure (an address in use …), 78 invalid configuration.";

const SCHEMA_HELP: &str = "\
Example, for editors with the YAML language server:
  sidebeat schema > proxy.schema.json
  and as the first line of proxy.yaml: # yaml-language-server: $schema=proxy.schema.json";

const COMPLETIONS_HELP: &str = "\
Examples:
  sidebeat completions bash > ~/.local/share/bash-completion/completions/sidebeat
  sidebeat completions fish > ~/.config/fish/completions/sidebeat.fish";

#[derive(Debug, Default, Args)]
struct ConfigFile {
    /// The configuration file [default: $SIDEBEAT_CONFIG, or else proxy.yaml]
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigFile {
    /// An option after the subcommand takes precedence over one before it, and both over the environment.
    fn path(self, before: ConfigFile, environment: Option<OsString>) -> PathBuf {
        let from_environment = environment
            .filter(|value| !value.is_empty())
            .map(PathBuf::from);
        self.config
            .or(before.config)
            .or(from_environment)
            .unwrap_or_else(|| PathBuf::from("proxy.yaml"))
    }
}

impl Cli {
    /// Runs the subcommand.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let environment = || env::var_os("SIDEBEAT_CONFIG");
        let before = self.run;
        match self
            .command
            .unwrap_or(Command::Run(run::Options::default()))
        {
            Command::Run(options) => run::run(options, before, environment()),
            _ if !before.keys.is_empty() => {
                let message = "`--listen` and `--upstream` in front of a subcommand are for `run`";
                let error = Cli::command().error(ErrorKind::ArgumentConflict, message);
                // The exit status says the same.
                let _ = error.print();
                ExitCode::from(2)
            }
            Command::Check(options) => {
                let json = options.json;
                match file_to_check(options, before.file, environment()) {
                    Ok(path) => check::run(&path, json),
                    Err(usage) => {
                        let _ = usage.print();
                        ExitCode::from(2)
                    }
                }
            }
            Command::Top(options) => top::run(options, before.file),
            Command::Drain(options) => drain::run(options, before.file),
            Command::Schema => schema::run(),
            Command::Demo(options) => demo::run(&options),
            Command::Probe(options) => probe::run(&options),
            Command::Completions { shell } => completions::run(shell),
        }
    }
}

/// The file for `check`, which can be named in two ways.
fn file_to_check(
    options: check::Options,
    before: ConfigFile,
    environment: Option<OsString>,
) -> Result<PathBuf, clap::Error> {
    let named = options.config.config.as_ref().or(before.config.as_ref());
    match (options.file, named) {
        (Some(file), Some(other)) if file != *other => {
            let (file, other) = (file.display(), other.display());
            let message = format!("{file} and {other} are two files; name one");
            Err(Cli::command().error(ErrorKind::ArgumentConflict, message))
        }
        (Some(file), _) => Ok(file),
        (None, _) => Ok(options.config.path(before, environment)),
    }
}

/// Runs a subcommand on a single-threaded runtime.
fn block_on(work: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => {
            print_error(format_args!("sidebeat: cannot start: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests;
