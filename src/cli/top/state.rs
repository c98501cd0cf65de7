//! What the screen shows, independent of a screen.

use super::data::{Closing, Detail, PageRequest, Request};
use super::list::{List, PAGE};
use super::rates::Rates;
use crate::admin::types::{Connection, History, SortOrder, Summary};

#[derive(Debug)]
pub(super) struct State {
    /// The address of the API.
    pub(super) place: String,
    pub(super) colours: bool,
    /// None until the first answer.
    pub(super) summary: Option<Summary>,
    pub(super) history: History,
    pub(super) rates: Rates,
    /// Why the last request failed.
    pub(super) trouble: Option<String>,
    pub(super) view: View,
    pub(super) connections: List<Connection>,
    pub(super) closings: List<Closing>,
    pub(super) order: SortOrder,
    /// The search text; empty shows everything.
    pub(super) query: String,
    /// The connection that is shown alone.
    pub(super) detail: Option<Looking>,
    pub(super) dialog: Option<Dialog>,
    /// The result of the last command.
    pub(super) notice: Option<Notice>,
}

/// Which list is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    Connections,
    Closings,
}

/// The view of one connection.
#[derive(Debug, PartialEq)]
pub(super) struct Looking {
    pub(super) conn: String,
    /// `None` if the sidecar no longer knows the connection.
    pub(super) detail: Option<Detail>,
    /// Whether the first answer has come.
    pub(super) is_answered: bool,
    /// Lines that are scrolled off the top.
    pub(super) scrolled: u16,
}

/// The dialog that receives keys.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Dialog {
    Help,
    /// What is being typed.
    Search(String),
    Close(CloseForm),
}

/// The form for closing a connection.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CloseForm {
    pub(super) conn: String,
    pub(super) client: String,
    /// Empty is the code of the configuration.
    pub(super) code: String,
    /// Empty is the reason of the configuration.
    pub(super) reason: String,
    /// The reason is being typed, not the code.
    pub(super) at_reason: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) text: String,
    pub(super) is_bad: bool,
}

impl State {
    pub(super) fn new(place: String, order: SortOrder, query: String) -> Self {
        State {
            place,
            colours: true,
            summary: None,
            history: History::default(),
            rates: Rates::default(),
            trouble: None,
            view: View::Connections,
            connections: List::default(),
            closings: List::default(),
            order,
            query,
            detail: None,
            dialog: None,
            notice: None,
        }
    }

    /// The request for what this screen shows.
    pub(super) fn request(&self) -> Request {
        let (page, cursor) = match self.view {
            View::Connections => (
                PageRequest::Connections(self.order),
                self.connections.cursor(),
            ),
            View::Closings => (PageRequest::Closings, self.closings.cursor()),
        };
        Request {
            page,
            query: self.query.clone(),
            cursor: cursor.cloned(),
            limit: PAGE,
            detail: self.detail.as_ref().map(|looking| looking.conn.clone()),
        }
    }

    /// The connection that a command is for: its id and its client, if it lives as far as is known.
    pub(super) fn meant(&self) -> Option<(String, String)> {
        if let Some(looking) = &self.detail {
            let detail = looking.detail.as_ref().filter(|detail| detail.living)?;
            let client = detail.fields.get("client").and_then(|it| it.as_str());
            return Some((looking.conn.clone(), client.unwrap_or_default().to_owned()));
        }
        match self.view {
            View::Connections => {
                let row = self.connections.chosen()?;
                Some((row.conn.clone(), row.client.clone()))
            }
            View::Closings => None,
        }
    }
}
