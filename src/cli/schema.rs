//! `sidebeat schema`: prints the JSON Schema of `proxy.yaml`.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::config;

/// Prints the schema on stdout, for an editor's settings.
#[must_use]
pub(super) fn run() -> ExitCode {
    match writeln!(io::stdout().lock(), "{:#}", config::schema()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has ended (`| head`).
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
