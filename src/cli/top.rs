//! `sidebeat top`: a running sidecar, live in a terminal.
//!
//! | file | does |
//! |---|---|
//! | `data` | what the API answers, as far as it is shown |
//! | `rates` | figures per second, from two answers |
//! | `state`, `list` | what is on the screen, without a screen |
//! | `update`, `keys` | how keys and answers change it, and what is to be asked next |
//! | `draw` | the state on a screen of any size |
//! | `live` | the terminal, the clock and the API around all that |
//! | `plain` | one look as text or JSON, for scripts |

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
Connections, rates, round trips and close reasons, asked anew each second. `?` shows the keys:
sort, search, look at one connection, ping it, close it; Tab shows what was closed lately.

Examples:
  sidebeat top                               the sidecar of ./proxy.yaml
  sidebeat top --admin http://127.0.0.1:9901 --sort -traffic
  sidebeat top --once --limit 10             for scripts; so it is where there is no terminal
  kubectl exec -it POD -c sidebeat -- /sidebeat top

With NO_COLOR set there are no colours.
Exit: 0; 1 the API cannot be reached (live, it goes on trying), or the terminal cannot be used;
78 the file that -c names is not there, or the file has `admin: off`.";

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(flatten)]
    remote: remote::Whereabouts,
    /// The order at first: opened, client_idle, upstream_idle, rtt, traffic or client; with `-` in front the
    /// highest come first
    #[arg(long, default_value = "-opened", allow_hyphen_values = true, value_parser = str::parse::<SortOrder>)]
    sort: SortOrder,
    /// Only connections with this text in their id, request id, client, route, host, path or captured fields
    #[arg(
        long,
        value_name = "TEXT",
        default_value = "",
        hide_default_value = true
    )]
    query: String,
    /// Print one look and end
    #[arg(long)]
    once: bool,
    /// The same as JSON: `summary` and `connections` as the API has them
    #[arg(long)]
    json: bool,
    /// With --once and --json: how many connections
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
}

/// Why there is nothing to see.
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
