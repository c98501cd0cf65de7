use super::*;

fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from([&["sidebeat"], arguments].concat())
}

/// The file that `run` or `check` would read.
fn file(arguments: &[&str], environment: &str) -> PathBuf {
    let cli = parse(arguments).unwrap();
    let file = match cli.command {
        None => ConfigFile::default(),
        Some(Command::Run(options)) => options.file,
        Some(Command::Check(options)) => {
            return file_to_check(options, cli.run.file, Some(environment.into())).unwrap();
        }
        other => panic!("{other:?} reads no file"),
    };
    file.path(cli.run.file, Some(environment.into()))
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn the_file_is_named_before_or_after_the_subcommand() {
    for arguments in [
        &["-c", "a.yaml"][..],
        &["--config=a.yaml"],
        &["run", "-c", "a.yaml"],
        &["-c", "a.yaml", "run"],
        &["check", "--config", "a.yaml"],
        &["-ca.yaml", "check"],
        &["-c", "b.yaml", "check", "-c", "a.yaml"],
        &["check", "a.yaml"],
        &["check", "--json", "a.yaml"],
        &["check", "a.yaml", "-c", "a.yaml"],
        &["-c", "a.yaml", "check", "a.yaml"],
    ] {
        assert_eq!(
            file(arguments, "c.yaml"),
            PathBuf::from("a.yaml"),
            "{arguments:?}"
        );
    }
    assert_eq!(file(&["run"], "c.yaml"), PathBuf::from("c.yaml"));
    assert_eq!(file(&[], ""), PathBuf::from("proxy.yaml"));
}

#[test]
fn check_reads_one_file() {
    assert_eq!(file(&["check", "-"], "c.yaml"), PathBuf::from("-"));
    for arguments in [
        &["check", "a.yaml", "-c", "b.yaml"][..],
        &["-c", "b.yaml", "check", "a.yaml"],
        &["check", "-", "-c", "b.yaml"],
    ] {
        let cli = parse(arguments).unwrap();
        let Some(Command::Check(options)) = cli.command else {
            panic!("{arguments:?}");
        };
        let usage = file_to_check(options, cli.run.file, None).unwrap_err();
        assert_eq!(usage.exit_code(), 2, "{arguments:?}");
        assert!(usage.to_string().contains("name one"), "{usage}");
    }
    assert_eq!(parse(&["check", "a", "b"]).unwrap_err().exit_code(), 2);
}

#[test]
fn wrong_usage_is_refused_with_status_2() {
    for arguments in [
        &["frobnicate"][..],
        &["run", "stray"],
        &["-c"],
        &["schema", "-c", "a.yaml"],
        &["completions"],
        &["completions", "dos"],
        &["probe", "-n", "0"],
        &["probe", "--timeout", "soon"],
        &["probe", "-H", "no colon"],
        &["probe", "wss://example.com/"],
        &["probe", "http://example.com/"],
        &["demo", "--listen", "8080"],
        &["run", "--listen", "8080"],
        &["run", "--upstream", "127.0.0.1:9501"],
        &["run", "--listen"],
    ] {
        assert_eq!(
            parse(arguments).unwrap_err().exit_code(),
            2,
            "{arguments:?}"
        );
    }
}

#[test]
fn help_and_version_are_fine() {
    for (argument, kind) in [
        ("--help", ErrorKind::DisplayHelp),
        ("--version", ErrorKind::DisplayVersion),
    ] {
        let shown = parse(&[argument]).unwrap_err();
        assert_eq!((shown.kind(), shown.exit_code()), (kind, 0));
    }
}

#[test]
fn only_what_works_is_listed() {
    let names: Vec<_> = Cli::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "run",
            "check",
            "schema",
            "demo",
            "probe",
            "top",
            "drain",
            "completions"
        ]
    );
}
