//! The text of a `proxy.yaml`.

#![no_main]

use libfuzzer_sys::fuzz_target;
use sidebeat::config::{self, Severity};

fuzz_target!(|text: &str| {
    let env = |name: &str| (!name.is_empty()).then(|| "${A}".to_owned());
    let problems = match config::parse(text, "proxy.yaml", &env) {
        Ok(loaded) => {
            let _ = config::masked(&loaded.tree);
            assert!(
                loaded
                    .warnings
                    .iter()
                    .all(|problem| problem.severity == Severity::Warning)
            );
            loaded.warnings
        }
        Err(problems) => {
            assert!(
                problems
                    .iter()
                    .any(|problem| problem.severity == Severity::Error)
            );
            problems
        }
    };
    for problem in problems {
        let _ = problem.to_string();
    }
});
