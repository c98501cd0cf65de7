//! `sidebeat run`: the sidecar itself.

use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(path: &Path) -> ExitCode {
    crate::runtime::run(path)
}
