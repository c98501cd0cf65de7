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

/// Keys of the file that can be given here.
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
    /// What stands behind the subcommand wins over what stands before it.
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
    // One that nobody asked for here (an image sets SIDEBEAT_CONFIG) need not be there.
    if !is_named && flags.are_enough() && !exists(&path) {
        return Source::flags(flags);
    }
    Source::file(path, flags)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Cli, Command};
    use super::*;

    /// What is run, on a machine with these files.
    fn named(arguments: &[&str], environment: &str, files: &[&str]) -> String {
        let cli = Cli::try_parse_from([&["sidebeat"], arguments].concat()).unwrap();
        let options = match cli.command {
            None => Options::default(),
            Some(Command::Run(options)) => options,
            other => panic!("{other:?}"),
        };
        let exists = |path: &Path| files.iter().any(|file| Path::new(file) == path);
        source(options, cli.run, Some(environment.into()), &exists).name()
    }

    #[test]
    fn flags_need_no_file_and_stand_beside_one() {
        let both = ["--listen", ":1", "--upstream", "ws://a"];
        let run = |more: &[&'static str]| [&["run"], &both[..], more].concat();
        assert_eq!(named(&run(&[]), "", &[]), "--listen and --upstream");
        assert_eq!(named(&both, "", &[]), "--listen and --upstream");
        let here = "proxy.yaml with --listen and --upstream";
        assert_eq!(named(&run(&[]), "", &["proxy.yaml"]), here);
        let named_file = "none.yaml with --listen and --upstream";
        assert_eq!(named(&run(&["-c", "none.yaml"]), "", &[]), named_file);
        // An image sets it, whether there is such a file or not.
        assert_eq!(
            named(&run(&[]), "/etc/p.yaml", &[]),
            "--listen and --upstream"
        );
        let there = "/etc/p.yaml with --listen and --upstream";
        assert_eq!(named(&run(&[]), "/etc/p.yaml", &["/etc/p.yaml"]), there);
        assert_eq!(
            named(&["run", "--listen", ":1"], "", &[]),
            "proxy.yaml with --listen"
        );
        assert_eq!(
            named(&["--upstream", "ws://a", "run", "--listen", ":1"], "", &[]),
            "--listen and --upstream"
        );
    }
}
