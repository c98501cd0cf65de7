//! The layers, as the map in `src/lib.rs` has them, and circles between the files of a module.

use std::collections::BTreeMap;
use std::fs;

use crate::imports::Sources;
use crate::{check, root, sources};

/// Rows such as ``//! | 0 | [`leg`], [`time`] | … |``.
fn layers() -> BTreeMap<String, u32> {
    let map = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rows = map.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("//! |")?.split('|').map(str::trim);
        let layer: u32 = cells.next()?.parse().ok()?;
        let modules = cells.next()?.split(',');
        let modules = modules.map(|it| it.trim().trim_matches(['[', ']', '`']).to_owned());
        Some(
            modules
                .map(move |module| (module, layer))
                .collect::<Vec<_>>(),
        )
    });
    rows.flatten().collect()
}

/// Imports from the same layer, or from a higher one.
fn imports_that_go_up(layers: &BTreeMap<String, u32>, files: &[(String, String)]) -> Vec<String> {
    let sources = Sources::new(files);
    let mut problems = Vec::new();
    for (module, source) in sources.iter() {
        let Some(module) = module.first() else {
            continue;
        };
        let file = &source.file;
        let Some(layer) = layers.get(module) else {
            problems.push(format!(
                "{file}: the map in src/lib.rs has no module {module:?}"
            ));
            continue;
        };
        for (line, to) in sources.imports(source) {
            let Some(to) = to.first().filter(|to| *to != module) else {
                continue;
            };
            let Some(above) = layers.get(to) else {
                continue;
            };
            if above >= layer {
                problems.push(format!(
                    "{file}:{line}: {module} (layer {layer}) imports from {to} (layer {above})"
                ));
            }
        }
    }
    problems
}

#[test]
fn nobody_imports_from_the_same_layer_or_a_higher_one() {
    let layers = layers();
    for (module, layer) in [("leg", 0), ("session", 3), ("net", 6), ("cli", 11)] {
        assert_eq!(layers.get(module), Some(&layer), "the map: {layers:?}");
    }
    for module in layers.keys() {
        let folder = root().join("src").join(module);
        assert!(
            folder.is_dir() || folder.with_extension("rs").is_file(),
            "{module} is on the map only"
        );
    }
    check(&imports_that_go_up(&layers, &sources()));
}

#[test]
fn files_of_a_module_do_not_import_in_circles() {
    let circles = Sources::new(&sources()).circles().into_iter();
    let sentences: Vec<String> = circles.map(|(_, sentence)| sentence).collect();
    check(&sentences);
}

/// `src/a.rs` and so on, each with its text.
fn files(texts: &[(&str, &str)]) -> Vec<(String, String)> {
    let modules = [
        "lib", "leg", "protocol", "session", "config", "net", "runtime", "cli",
    ];
    let empty = modules.map(|name| (format!("src/{name}.rs"), String::new()));
    let given = texts
        .iter()
        .map(|(file, text)| ((*file).to_owned(), (*text).to_owned()));
    empty.into_iter().chain(given).collect()
}

#[test]
fn an_import_that_goes_up_is_seen() {
    let layers = layers();
    for (file, text, expected) in [
        ("src/protocol/frame.rs", "use crate::session::Cause;", 1),
        (
            "src/protocol/frame.rs",
            "    let x = crate::config::load(path);",
            1,
        ),
        ("src/protocol/frame.rs", "use crate::leg::Leg;", 0),
        ("src/protocol/frame.rs", "use crate::protocol::Close;", 0),
        ("src/protocol/frame.rs", "// as in crate::session::Cause", 0),
        (
            "src/protocol/frame.rs",
            "use super::super::session::Cause;",
            1,
        ),
        ("src/protocol/frame.rs", "use super::session_of;", 0),
        (
            "src/protocol/frame.rs",
            "use crate::{\n    protocol::{Close, session},\n    session::{Cause, Leg},\n    config,\n};",
            3,
        ),
        (
            "src/protocol/frame.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::session::Cause;\n}",
            0,
        ),
        ("src/net/dial.rs", "use crate::runtime::Running;", 1),
        (
            "src/net/dial.rs",
            "pub use crate::cli::Cli;\nfn f(_: Cli) {}",
            1,
        ),
        (
            "src/cli/run.rs",
            "use crate::runtime; use crate::net::Clock;",
            0,
        ),
        ("src/elsewhere/mod.rs", "", 1),
        ("src/main.rs", "use sidebeat::cli::Cli;", 0),
    ] {
        let problems = imports_that_go_up(&layers, &files(&[(file, text)]));
        assert_eq!(problems.len(), expected, "{file}: {text}: {problems:?}");
    }
}

#[test]
fn a_circle_is_seen() {
    let circles = |texts: &[(&str, &str)]| Sources::new(&files(texts)).circles().len();
    let (a, b) = ("src/net/a.rs", "src/net/b.rs");
    for (texts, expected) in [
        (&[(a, "use super::b::B;"), (b, "use super::a::A;")][..], 2),
        (&[(a, "use super::b::B;"), (b, "")], 0),
        (
            &[
                (a, "use crate::net::b::{self, B};"),
                (b, "fn f() { super::a::f() }"),
            ],
            2,
        ),
        // A file and the one above it are one subject.
        (
            &[
                ("src/net.rs", "mod a;\nstruct Net(a::A);"),
                (a, "use super::Net;"),
            ],
            0,
        ),
        // A circle of three, one link of which is a path in the code.
        (
            &[
                (a, "use super::b::B;"),
                (b, "fn f() -> crate::net::c::C { .. }"),
                ("src/net/c.rs", "use super::a::A;"),
            ],
            3,
        ),
        // The parent only shows what its children have: the import is one of a sibling.
        (
            &[
                ("src/net.rs", "mod a;\nmod b;\npub use a::A;"),
                (a, ""),
                (b, "use super::A;"),
            ],
            0,
        ),
        (
            &[
                ("src/net.rs", "mod a;\nmod b;\npub use a::A;"),
                (a, "use super::b::B;"),
                (b, "use crate::net::A;"),
            ],
            2,
        ),
        // Tests reach into what they test.
        (
            &[
                (
                    a,
                    "use super::b::B;\n#[cfg(test)]\nmod tests {\n    use super::*;\n}",
                ),
                (
                    b,
                    "#[cfg(test)]\nmod tests {\n    use super::super::a::A;\n}",
                ),
                ("src/net/a/tests.rs", "use super::*;"),
            ],
            0,
        ),
    ] {
        assert_eq!(circles(texts), expected, "{texts:?}");
    }
}
