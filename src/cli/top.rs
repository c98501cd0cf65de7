//! `sidebeat top`: a running sidecar, live in a terminal.
//!
//! | file | does |
//! |---|---|
//! | `data` | the part of the API's answers that is shown |
//! | `rates` | figures per second, from two answers |
//! | `state`, `list` | what the screen shows, independent of a screen |
//! | `update`, `keys`, `effect` | how keys and answers change it, and what is requested next |
//! | `draw` | draws the state on a screen of any size |
//! | `live` | connects all that with the terminal, the clock and the API |
//! | `plain` | the current state as text or JSON, for scripts |

mod data;
mod draw;
mod effect;
mod figures;
mod keys;
mod list;
mod live;
mod plain;
mod rates;
#[cfg(test)]
mod screens;
mod state;
mod update;

use std::env;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use super::remote::{self, AskError, FindError};
use super::{ConfigFile, block_on, print_error};
use crate::admin::types::SortOrder;
use crate::runtime::EXIT_CONFIG;
use state::State;

pub(super) const HELP: &str = "\
Connections, rates, round-trip times and close reasons, updated every second. `?` shows the keys:
sort, search, show one connection, ping it, close it. Tab shows recently closed connections.

Examples:
  sidebeat top                               the sidecar of ./proxy.yaml
  sidebeat top --admin http://127.0.0.1:9901 --sort -traffic
  sidebeat top --once --limit 10             for scripts; also the default without a terminal
  kubectl exec -it POD -c sidebeat -- /sidebeat top

NO_COLOR turns colours off.
Exit: 0 success; 1 the API cannot be reached (the live view tries again), or the terminal cannot be
used; 78 the file that -c names does not exist, or it has `admin: off`.";

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    remote: remote::Whereabouts,
    /// Sort by opened, client_idle, upstream_idle, rtt, traffic or client; a leading `-` sorts in descending
    /// order
    #[arg(long, default_value = "-opened", allow_hyphen_values = true, value_parser = str::parse::<SortOrder>)]
    sort: SortOrder,
    /// Show only connections with this text in their id, request id, client, route, host, path or captured fields
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    query: String,
    /// Print the current state once and exit
    #[arg(long)]
    once: bool,
    /// Print it as JSON: `summary` and `connections` as the API returns them
    #[arg(long)]
    json: bool,
    /// The number of connections for --once and --json
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// Why the command fails.
#[derive(Debug, thiserror::Error)]
enum TopError {
    #[error(transparent)]
    Find(#[from] FindError),
    #[error(transparent)]
    Ask(#[from] AskError),
    #[error("the terminal cannot be used: {0}; --once needs none")]
    Terminal(io::Error),
}

pub(super) fn run(options: Options, before: ConfigFile) -> ExitCode {
    block_on(async {
        let Err(error) = top(options, before).await else {
            return ExitCode::SUCCESS;
        };
        print_error(format_args!("sidebeat top: {error}"));
        match error {
            TopError::Find(_) => ExitCode::from(EXIT_CONFIG),
            _ => ExitCode::FAILURE,
        }
    })
}

async fn top(options: Options, before: ConfigFile) -> Result<(), TopError> {
    let remote = options.remote.find(before)?;
    let colours = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut state = State::new(remote.place().to_string(), options.sort, options.query);
    state.colours = colours;
    if options.json {
        return Ok(plain::json(&remote, &state, options.limit).await?);
    }
    let is_terminal = io::stdout().is_terminal() && io::stdin().is_terminal();
    if options.once || !is_terminal {
        return Ok(plain::text(&remote, state, options.limit).await?);
    }
    live::show(remote, state).await.map_err(TopError::Terminal)
}
