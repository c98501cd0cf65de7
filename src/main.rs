//! The `sidebeat` program.

use std::process::ExitCode;

use clap::Parser;
use sidebeat::cli::Cli;

fn main() -> ExitCode {
    Cli::parse().run()
}
