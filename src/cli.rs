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
sidebeat stands in front of a WebSocket backend that nobody is going to change. It relays frames both ways, pings both \
legs, closes idle and dead connections with a real Close frame, and logs who closed what and why.";

const AFTER_HELP: &str = "\
Examples:
  sidebeat demo                     see it work, with nothing installed and nothing configured
  sidebeat check proxy.yaml         every problem of the file, with line, column and key
  sidebeat -c proxy.yaml            run it; the same as `sidebeat run -c proxy.yaml`
  sidebeat run --listen :8080 --upstream ws://127.0.0.1:9501
                                    run it without a file
  sidebeat probe ws://127.0.0.1:8080/chat
  sidebeat top                      watch it in a terminal
  sidebeat drain                    send the clients away and end, and wait for it

The smallest proxy.yaml:
  listen: 0.0.0.0:8080
  upstream: ws://127.0.0.1:9501

Log:      one line an event on stdout; JSON, or text on a terminal (`log.format`, `log.level`).
Signals:  SIGHUP reads the file again; live connections follow it; an invalid file changes nothing. Where standard
          input is a terminal that was closed, it ends the process as SIGTERM does.
          SIGTERM and SIGINT drain: clients are closed over `drain.spread`; a second one ends it.
Exit:     0 fine, 1 runtime failure, 2 usage, 78 bad configuration.";

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
    /// Run the sidecar (what `sidebeat` alone does)
    #[command(after_help = RUN_HELP)]
    Run(run::Options),
    /// Validate the configuration: every problem with its line, column and key; exit status 78 on errors
    #[command(after_help = check::HELP)]
    Check(check::Options),
    /// Print the JSON Schema of proxy.yaml, for completion in editors
    #[command(after_help = SCHEMA_HELP)]
    Schema,
    /// See it work: a Swoole-like backend, the sidecar in front of it, and a story of half a minute
    #[command(after_help = demo::HELP)]
    Demo(demo::Options),
    /// Open a WebSocket, ping, and print status and round-trip times; exit status 0 or 1
    #[command(after_help = probe::HELP)]
    Probe(probe::Options),
    /// Watch a running sidecar: connections, rates, close reasons; ping and close connections
    #[command(after_help = top::HELP)]
    Top(top::Options),
    /// Have a running sidecar send its clients away and end, and wait for it: a preStop hook
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
Log lines go to stdout. SIGHUP reads the file again, SIGTERM and SIGINT drain, a second one ends it.
Exit: 0 drained, 1 runtime failure (an address in use …), 78 bad configuration.";

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
    /// What stands behind the subcommand wins over what stands before it, and both over the environment.
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
    /// Does what the command line says.
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
                // The status tells whoever does not read.
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

/// The one file that `check` is to read, however it is named.
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

/// Runs a subcommand that needs the network but not the whole machine.
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
