//! Where a lint looks, and where it reports.

use std::collections::HashSet;

use super::super::engine::{Finding, KeyPath, Node, Place, Severity, with_all_above};

/// The top level or one route, and what was found so far.
pub(super) struct Scope<'a> {
    pub(super) tree: &'a Node,
    /// The paths of errors, and all that are above them.
    wrong: HashSet<KeyPath>,
    pub(super) above: KeyPath,
    pub(super) findings: Vec<Finding>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(tree: &'a Node, found: &[Finding]) -> Self {
        Scope {
            tree,
            wrong: with_all_above(found),
            above: KeyPath::default(),
            findings: Vec::new(),
        }
    }

    /// Tells something about the keys `about`, at the first that is written in this scope. When none is, the defaults
    /// or the top level say it all, and it is not this scope's matter.
    pub(super) fn report(&mut self, severity: Severity, about: &[&[&str]], message: String) {
        let paths: Vec<KeyPath> = about
            .iter()
            .map(|keys| self.above.join(&KeyPath::of(keys)))
            .collect();
        self.report_at(severity, paths, message);
    }

    pub(super) fn report_at(&mut self, severity: Severity, paths: Vec<KeyPath>, message: String) {
        if paths.iter().any(|path| self.wrong.contains(path)) {
            return;
        }
        let written = paths.into_iter().find(|path| self.tree.at(path).is_some());
        if let Some(path) = written {
            let finding = Finding::error(path, Place::Value, message);
            self.findings.push(Finding {
                severity,
                ..finding
            });
        }
    }

    pub(super) fn is_written(&self, key: &[&str]) -> bool {
        let path = self.above.join(&KeyPath::of(key));
        self.tree.at(&path).is_some()
    }

    pub(super) fn warn(&mut self, about: &[&[&str]], message: String) {
        self.report(Severity::Warning, about, message);
    }
}
