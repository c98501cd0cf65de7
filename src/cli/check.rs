//! `sidebeat check`: validates a file and prints every problem.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::{Value as Json, json};

use super::ConfigFile;
use crate::config::{self, Diagnostic, LoadError, Severity};
use crate::printable::{escaped_json, escaped_lines};
use crate::runtime::EXIT_CONFIG;

pub(super) const HELP: &str = "\
Every problem is one line: FILE:LINE:COLUMN: error: KEY: what to write instead.
With --json: {\"file\", \"valid\", \"errors\", \"warnings\", \"problems\": [{\"severity\", \"line\", \"column\", \"path\", \"message\"}]}

Examples:
  sidebeat check proxy.yaml
  kubectl get configmap sidebeat -o jsonpath='{.data.proxy\\.yaml}' | sidebeat check -
Exit: 0 valid (warnings included), 78 errors.";

#[derive(Debug, Default, Args)]
pub(super) struct Options {
    /// The file, `-` for standard input [default: as for --config]
    #[arg(value_name = "FILE")]
    pub(super) file: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub(super) config: ConfigFile,
    /// Print one JSON object instead of lines
    #[arg(long)]
    pub(super) json: bool,
}

/// Prints every problem of the file at `path` and a summary on stdout. Exits with 0, or with [`EXIT_CONFIG`] if the file
/// is invalid.
#[must_use]
pub(super) fn run(path: &Path, as_json: bool) -> ExitCode {
    let report = Report::of(path);
    let text = match as_json {
        true => format!("{}\n", escaped_json(&report.json().to_string())),
        false => escaped_lines(&report.text()).into_owned(),
    };
    match io::stdout().lock().write_all(text.as_bytes()) {
        // The reader has ended (`| head`); the exit status is still valid.
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(_) => return ExitCode::FAILURE,
    }
    if report.is_valid() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXIT_CONFIG)
    }
}

/// The problems of a file.
struct Report {
    name: String,
    problems: Vec<Diagnostic>,
    /// Why the file could not be read.
    unreadable: Option<LoadError>,
}

impl Report {
    fn of(path: &Path) -> Report {
        let is_input = path == Path::new("-");
        let loaded = match is_input {
            true => config::load_input(io::stdin().lock()),
            false => config::load(path),
        };
        let (problems, unreadable) = match loaded {
            Ok(loaded) => (loaded.warnings, None),
            Err(LoadError::Invalid(problems)) => (problems, None),
            Err(other) => (Vec::new(), Some(other)),
        };
        let name = match is_input {
            true => config::INPUT.to_owned(),
            false => path.display().to_string(),
        };
        Report {
            name,
            problems,
            unreadable,
        }
    }

    fn is_valid(&self) -> bool {
        self.unreadable.is_none() && self.count(Severity::Error) == 0
    }

    fn count(&self, severity: Severity) -> usize {
        let problems = self.problems.iter();
        problems.filter(|it| it.severity == severity).count()
    }

    fn text(&self) -> String {
        if let Some(unreadable) = &self.unreadable {
            return format!("error: {unreadable}\n");
        }
        let name = &self.name;
        let summary = match (self.count(Severity::Error), self.count(Severity::Warning)) {
            (0, 0) => format!("{name} is valid"),
            (0, warnings) => format!("{name} is valid ({})", counted(warnings, "warning")),
            (errors, 0) => format!("{name}: {}", counted(errors, "error")),
            (errors, warnings) => {
                let warnings = counted(warnings, "warning");
                format!("{name}: {}, {warnings}", counted(errors, "error"))
            }
        };
        let lines = self.problems.iter().map(|problem| format!("{problem}\n"));
        lines.chain([summary + "\n"]).collect()
    }

    fn json(&self) -> Json {
        let mut problems: Vec<Json> = self.problems.iter().map(json_of).collect();
        if let Some(unreadable) = &self.unreadable {
            problems.push(json!({
                "severity": Severity::Error.label(),
                "line": null,
                "column": null,
                "path": "",
                "message": unreadable.to_string(),
            }));
        }
        json!({
            "file": self.name,
            "valid": self.is_valid(),
            "errors": self.count(Severity::Error) + usize::from(self.unreadable.is_some()),
            "warnings": self.count(Severity::Warning),
            "problems": problems,
        })
    }
}

fn json_of(problem: &Diagnostic) -> Json {
    json!({
        "severity": problem.severity.label(),
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
    })
}

/// `2 errors`, `1 warning`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests;
