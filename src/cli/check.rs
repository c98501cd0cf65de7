//! `sidebeat check`: validates a file and tells every problem.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::config::{self, LoadError, Problem, Severity};
use crate::printable::escaped_lines;
use crate::runtime::EXIT_CONFIG;

/// Prints every problem of the file at `path`, one a line, and a summary, all on stdout, which is what was asked for.
/// Exits with 0, or [`EXIT_CONFIG`] when the file cannot be used.
#[must_use]
pub(super) fn run(path: &Path) -> ExitCode {
    let (report, usable) = report(path);
    match io::stdout()
        .lock()
        .write_all(escaped_lines(&report).as_bytes())
    {
        // Whoever stopped reading (`| head`) has seen enough; the status still tells the rest.
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(_) => return ExitCode::FAILURE,
    }
    if usable {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_CONFIG)
    }
}

/// What is printed, and whether the file can be used.
fn report(path: &Path) -> (String, bool) {
    let name = path.display();
    match config::load(path) {
        Ok(loaded) if loaded.warnings.is_empty() => (format!("{name} is valid\n"), true),
        Ok(loaded) => {
            let (_, warnings) = counts(&loaded.warnings);
            (
                format!("{}{name} is valid ({warnings})\n", lines(&loaded.warnings)),
                true,
            )
        }
        Err(LoadError::Invalid(problems)) => {
            let (errors, warnings) = counts(&problems);
            let some = problems
                .iter()
                .any(|problem| problem.severity == Severity::Warning);
            let summary = if some {
                format!("{errors}, {warnings}")
            } else {
                errors
            };
            (format!("{}{name}: {summary}\n", lines(&problems)), false)
        }
        Err(unreadable) => (format!("error: {unreadable}\n"), false),
    }
}

fn lines(problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("{problem}\n"))
        .collect()
}

/// `2 errors` and `1 warning`.
fn counts(problems: &[Problem]) -> (String, String) {
    let count = |severity: Severity| {
        let count = problems
            .iter()
            .filter(|problem| problem.severity == severity)
            .count();
        format!(
            "{count} {}{}",
            severity.label(),
            if count == 1 { "" } else { "s" }
        )
    };
    (count(Severity::Error), count(Severity::Warning))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> (String, bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.yaml");
        std::fs::write(&path, text).unwrap();
        let (report, usable) = report(&path);
        (
            report.replace(&format!("{}/", folder.path().display()), ""),
            usable,
        )
    }

    #[test]
    fn the_summary_counts() {
        let good = "listen: :1\nupstream: ws://a\n";
        assert_eq!(told(good), ("p.yaml is valid\n".to_owned(), true));
        let (report, usable) = told(&format!(
            "{good}heartbeat: {{client: {{ping_interval: 100s}}}}\n"
        ));
        assert!(
            usable && report.ends_with("p.yaml is valid (2 warnings)\n"),
            "{report}"
        );
        let (report, usable) = told(&format!("{good}limits: {{max_frame: 1GiB}}\nextra: 1\n"));
        assert!(
            !usable && report.ends_with("\np.yaml: 1 error, 1 warning\n"),
            "{report}"
        );
        assert_eq!(report.lines().count(), 3);
        let (report, _) = told("x1: 1\nx2: 2\nlisten: :1\nupstream: ws://a\n");
        assert!(report.ends_with("\np.yaml: 2 errors\n"), "{report}");
    }

    #[test]
    fn a_missing_file_says_how_to_name_one() {
        let (report, usable) = report(Path::new("/nonexistent/p.yaml"));
        assert!(!usable && report.contains("-c FILE"), "{report}");
    }
}
