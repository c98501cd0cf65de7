//! `sidebeat run`: the sidecar itself.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::ConfigFile;
use crate::config::Flags;
use crate::runtime::{self, Source};

/// Where the configuration comes from.
#[derive(Debug, Default, Args)]
pub(super) struct Options {
    #[command(flatten)]
    pub(super) file: ConfigFile,
    #[command(flatten)]
    pub(super) keys: Keys,
}

/// Keys of the file that can be given as options.
#[derive(Debug, Default, Args)]
pub(super) struct Keys {
    /// Where clients connect, in place of the file's `listen`; may be repeated
    #[arg(long, value_name = "ADDR", value_parser = Flags::read_listen)]
    listen: Vec<String>,
    /// The backend, in place of the file's `upstream`; with `--listen`, no file is needed
    #[arg(long, value_name = "URL", value_parser = Flags::read_upstream)]
    upstream: Option<String>,
}

impl Keys {
    /// Options after the subcommand take precedence over those before it.
    fn flags(self, before: Keys) -> Flags {
        let listen = match self.listen.is_empty() {
            true => before.listen,
            false => self.listen,
        };
        let upstream = self.upstream.or(before.upstream);
        Flags { listen, upstream }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.listen.is_empty() && self.upstream.is_none()
    }
}

pub(super) fn run(options: Options, before: Options, environment: Option<OsString>) -> ExitCode {
    runtime::run(source(options, before, environment, &Path::exists))
}

fn source(
    options: Options,
    before: Options,
    environment: Option<OsString>,
    exists: &dyn Fn(&Path) -> bool,
) -> Source {
    let flags = options.keys.flags(before.keys);
    let is_named = options.file.config.is_some() || before.file.config.is_some();
    let path = options.file.path(before.file, environment);
    // A default file (an image sets SIDEBEAT_CONFIG) need not exist.
    if !is_named && flags.are_enough() && !exists(&path) {
        return Source::flags(flags);
    }
    Source::file(path, flags)
}

#[cfg(test)]
mod tests;
