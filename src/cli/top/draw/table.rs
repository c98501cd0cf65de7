//! The lists, with as many columns as there is room for.

use ratatui::Frame;
use ratatui::layout::{Constraint, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Text};
use ratatui::widgets::{Cell, Row, Table};

use super::super::data::{Close, Closing};
use super::super::figures::{bytes, millis, span};
use super::super::list::{List, Listed};
use super::super::state::{State, View};
use super::Theme;
use crate::admin::types::{Connection, ConnectionState, SortKey, SortOrder};
use crate::printable::escaped;

/// One that may be shown.
struct Column<T> {
    heading: &'static str,
    sort: Option<SortKey>,
    width: u16,
    /// The lower, the sooner it is shown.
    rank: u8,
    is_number: bool,
    cell: fn(&T) -> String,
}

const CONNECTIONS: [Column<Connection>; 8] = [
    Column {
        heading: "AGE",
        sort: Some(SortKey::Opened),
        width: 7,
        rank: 1,
        is_number: true,
        cell: |row| span(row.age_ms),
    },
    Column {
        heading: "CLIENT",
        sort: Some(SortKey::Client),
        width: 21,
        rank: 0,
        is_number: false,
        cell: |row| row.client.clone(),
    },
    Column {
        heading: "IDLE",
        sort: Some(SortKey::ClientIdle),
        width: 7,
        rank: 2,
        is_number: true,
        cell: |row| span(row.client_idle_ms),
    },
    Column {
        heading: "RTT ms",
        sort: Some(SortKey::Rtt),
        width: 7,
        rank: 3,
        is_number: true,
        cell: |row| row.rtt_ms.map_or_else(|| "–".to_owned(), millis),
    },
    Column {
        heading: "UP-IDLE",
        sort: Some(SortKey::UpstreamIdle),
        width: 8,
        rank: 6,
        is_number: true,
        cell: |row| span(row.upstream_idle_ms),
    },
    Column {
        heading: "TRAFFIC",
        sort: Some(SortKey::Traffic),
        width: 9,
        rank: 4,
        is_number: true,
        cell: |row| bytes((row.client_bytes + row.upstream_bytes) as f64),
    },
    Column {
        heading: "ROUTE",
        sort: None,
        width: 9,
        rank: 7,
        is_number: false,
        cell: |row| row.route.clone(),
    },
    Column {
        heading: "PATH",
        sort: None,
        width: 11,
        rank: 5,
        is_number: false,
        cell: |row| match row.state {
            ConnectionState::Closing => format!("(closing) {}", row.path),
            ConnectionState::Open => row.path.clone(),
        },
    },
];

const CLOSINGS: [Column<Closing>; 8] = [
    Column {
        heading: "AT",
        sort: None,
        width: 8,
        rank: 1,
        is_number: false,
        // Of 2026-11-21T19:10:47.861Z.
        cell: |row| {
            row.timestamp
                .get(11..19)
                .unwrap_or(&row.timestamp)
                .to_owned()
        },
    },
    Column {
        heading: "REASON",
        sort: None,
        width: 23,
        rank: 0,
        is_number: false,
        cell: |row| row.reason.clone(),
    },
    Column {
        heading: "BY",
        sort: None,
        width: 8,
        rank: 5,
        is_number: false,
        cell: |row| row.initiator.clone(),
    },
    Column {
        heading: "CODE",
        sort: None,
        width: 4,
        rank: 2,
        is_number: true,
        cell: |row| code(&row.client_close),
    },
    Column {
        heading: "AFTER",
        sort: None,
        width: 6,
        rank: 4,
        is_number: true,
        cell: |row| span(row.duration_ms),
    },
    Column {
        heading: "CLIENT",
        sort: None,
        width: 21,
        rank: 3,
        is_number: false,
        cell: |row| row.client.clone(),
    },
    Column {
        heading: "PATH",
        sort: None,
        width: 11,
        rank: 7,
        is_number: false,
        cell: |row| row.path.clone(),
    },
    Column {
        heading: "DETAIL",
        sort: None,
        width: 24,
        rank: 6,
        is_number: false,
        cell: |row| row.detail.clone(),
    },
];

/// What the client was told, or else what it said.
fn code(close: &Close) -> String {
    let frame = close.sent.as_ref().or(close.received.as_ref());
    match frame.and_then(|frame| frame.code) {
        Some(code) => code.to_string(),
        None => "–".to_owned(),
    }
}

pub(super) fn draw(state: &mut State, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let order = state.order;
    match state.view {
        View::Connections => {
            let style = |row: &Connection| match row.state {
                ConnectionState::Closing => theme.faint(),
                ConnectionState::Open => Style::new(),
            };
            list(
                &mut state.connections,
                &CONNECTIONS,
                Some(order),
                style,
                theme,
                frame,
                area,
            );
        }
        View::Closings => {
            let style = |_: &Closing| Style::new();
            list(
                &mut state.closings,
                &CLOSINGS,
                None,
                style,
                theme,
                frame,
                area,
            );
        }
    }
}

fn list<T: Listed>(
    list: &mut List<T>,
    columns: &[Column<T>],
    order: Option<SortOrder>,
    style: impl Fn(&T) -> Style,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    list.room = usize::from(area.height.saturating_sub(1));
    let columns = fitting(columns, area.width);
    let grows = columns.len().saturating_sub(1);
    let widths = columns
        .iter()
        .enumerate()
        .map(|(index, column)| match index == grows {
            true => Constraint::Min(column.width),
            false => Constraint::Length(column.width),
        });
    let headings = columns
        .iter()
        .map(|column| column.align(column.headed(order)));
    let headings = Row::new(headings).style(theme.strong());
    let rows = list.rows.iter().map(|row| {
        let cells = columns
            .iter()
            .map(|column| column.align(escaped(&(column.cell)(row)).into_owned()));
        Row::new(cells).style(style(row))
    });
    let table = Table::new(rows, widths)
        .header(headings)
        .row_highlight_style(theme.chosen());
    frame.render_stateful_widget(table, area, &mut list.position);
}

impl<T> Column<T> {
    fn headed(&self, order: Option<SortOrder>) -> String {
        match order {
            Some(order) if Some(order.key) == self.sort => {
                // Who was opened last is the youngest.
                let falls = order.descending != (order.key == SortKey::Opened);
                let arrow = if falls { '▼' } else { '▲' };
                format!("{}{arrow}", self.heading)
            }
            _ => self.heading.to_owned(),
        }
    }

    fn align(&self, text: String) -> Cell<'static> {
        match self.is_number {
            true => Cell::from(Text::from(Line::from(text).right_aligned())),
            false => Cell::from(text),
        }
    }
}

/// The most important ones that there is room for, in their order; at least one.
fn fitting<T>(columns: &[Column<T>], width: u16) -> Vec<&Column<T>> {
    let mut by_rank: Vec<&Column<T>> = columns.iter().collect();
    by_rank.sort_by_key(|column| column.rank);
    let (mut taken, mut last) = (0, None);
    for column in by_rank {
        let needed = column.width + u16::from(last.is_some());
        if last.is_some() && taken + needed > width {
            break;
        }
        taken += needed;
        last = Some(column.rank);
    }
    columns
        .iter()
        .filter(|column| Some(column.rank) <= last)
        .collect()
}

/// All columns of connections as lines of text, as wide as they need.
pub(in super::super) fn plain(rows: &[Connection]) -> Vec<String> {
    let headings = CONNECTIONS.iter().map(|column| column.heading.to_owned());
    let mut cells: Vec<Vec<String>> = vec![headings.collect()];
    cells.extend(rows.iter().map(|row| {
        let cells = CONNECTIONS
            .iter()
            .map(|column| escaped(&(column.cell)(row)).into_owned());
        cells.collect()
    }));
    let wide = |index: usize| cells.iter().map(|row| row[index].chars().count()).max();
    let widths: Vec<usize> = (0..CONNECTIONS.len()).filter_map(wide).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&CONNECTIONS).zip(&widths);
        let cells = cells.map(|((cell, column), width)| match column.is_number {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        });
        let line: Vec<String> = cells.collect();
        line.join("  ").trim_end().to_owned()
    };
    cells.iter().map(line).collect()
}
