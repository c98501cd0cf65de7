//! The text of a `proxy.yaml`.

use sidebeat::config::{self, Severity};

/// Panics if it does not hold for this input.
pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let env = |name: &str| (!name.is_empty()).then(|| "${A}".to_owned());
    let problems = match config::parse(text, "proxy.yaml", &env) {
        Ok(loaded) => {
            let _ = config::effective(&loaded.tree);
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
}
