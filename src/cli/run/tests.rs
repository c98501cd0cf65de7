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
