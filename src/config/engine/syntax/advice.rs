//! What to change in a text, and where.

use super::super::diagnostic::Finding;
use super::super::path::KeyPath;
use super::super::source::Line;
use super::super::tree::Mark;
use super::slip::Slip;

/// What to change, and where.
pub(super) struct Advice {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: String,
}

impl Advice {
    pub(super) fn at(line: &Line<'_>, at: usize, message: String) -> Option<Advice> {
        Some(Advice {
            line: line.number,
            column: line.column(at),
            message,
        })
    }

    pub(super) fn of(line: &Line<'_>, slip: Slip) -> Option<Advice> {
        Some(Advice {
            line: line.number,
            column: slip.column,
            message: slip.message,
        })
    }

    pub(super) fn finding(self) -> Finding {
        let mark = Mark {
            line: self.line,
            column: self.column,
        };
        Finding::at(KeyPath::default(), mark, self.message)
    }
}
