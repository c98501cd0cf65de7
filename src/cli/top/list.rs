//! A list that is shown page by page, and the row that is chosen in it.

use ratatui::widgets::TableState;

use super::data::{Closing, Rows};
use crate::admin::types::Connection;

/// Rows of a page.
pub(super) const PAGE: u16 = 100;

/// What has an id by which it is found again.
pub(super) trait Listed {
    fn conn(&self) -> &str;
}

impl Listed for Connection {
    fn conn(&self) -> &str {
        &self.conn
    }
}

impl Listed for Closing {
    fn conn(&self) -> &str {
        &self.conn
    }
}

/// One page, the way to it, and the row that is chosen.
#[derive(Debug)]
pub(super) struct List<T> {
    pub(super) rows: Vec<T>,
    /// On all pages.
    pub(super) matching: Option<usize>,
    /// The cursors of the pages behind the first, up to this one.
    cursors: Vec<String>,
    pub(super) next: Option<String>,
    /// Which row is chosen, and which is the first on the screen.
    pub(super) position: TableState,
    /// Rows that the screen has room for.
    pub(super) room: usize,
    /// Which row to select when the page has come.
    arriving: Option<Arriving>,
}

#[derive(Clone, Copy, Debug)]
enum Arriving {
    AtTop,
    AtBottom,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List {
            rows: Vec::new(),
            matching: None,
            cursors: Vec::new(),
            next: None,
            position: TableState::default(),
            room: 1,
            arriving: None,
        }
    }
}

impl<T: Listed> List<T> {
    pub(super) fn cursor(&self) -> Option<&String> {
        self.cursors.last()
    }

    /// Rows before this page.
    pub(super) fn before(&self) -> usize {
        self.cursors.len() * usize::from(PAGE)
    }

    pub(super) fn chosen(&self) -> Option<&T> {
        self.rows.get(self.position.selected()?)
    }

    /// Back to the first page.
    pub(super) fn rewind(&mut self) {
        self.cursors.clear();
        self.arriving = Some(Arriving::AtTop);
    }

    /// Replaces the page. The selected connection stays selected wherever it is now, unless it was in the first row, which
    /// is the selection at the start. Returns true if the page is empty and the one before it is needed.
    pub(super) fn arrive(&mut self, page: Rows<T>) -> bool {
        let chosen = self.chosen().map(|row| row.conn().to_owned());
        self.rows = page.rows;
        self.next = page.next;
        self.matching = page.matching;
        if self.rows.is_empty() && self.cursors.pop().is_some() {
            self.arriving = Some(Arriving::AtBottom);
            return true;
        }
        let last = self.rows.len().saturating_sub(1);
        let index = match self.arriving.take() {
            Some(Arriving::AtTop) => 0,
            Some(Arriving::AtBottom) => last,
            None if self.position.selected() == Some(0) => 0,
            None => {
                let at = self.position.selected().unwrap_or(0).min(last);
                let found = self
                    .rows
                    .iter()
                    .position(|row| Some(row.conn()) == chosen.as_deref());
                found.unwrap_or(at)
            }
        };
        self.position
            .select((!self.rows.is_empty()).then_some(index));
        false
    }

    /// Moves the selection by so many rows. Returns true if another page is needed.
    pub(super) fn go(&mut self, by: isize) -> bool {
        let (at, last) = (self.position.selected(), self.rows.len().saturating_sub(1));
        let Some(at) = at else { return false };
        if by > 0 && at == last && self.next.is_some() {
            self.cursors.extend(self.next.take());
            self.arriving = Some(Arriving::AtTop);
            return true;
        }
        if by < 0 && at == 0 && self.cursors.pop().is_some() {
            self.arriving = Some(Arriving::AtBottom);
            return true;
        }
        self.position
            .select(Some(at.saturating_add_signed(by).min(last)));
        false
    }
}
