//! The state on a screen of any size.

mod detail;
mod dialog;
mod header;
mod panel;
mod table;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::figures::count;
use super::state::{Dialog, State, View};
use crate::printable::escaped;
pub(super) use header::lines as header_lines;
pub(super) use table::plain as table_lines;

/// Colours, unless somebody wants none.
#[derive(Clone, Copy)]
struct Theme {
    colours: bool,
}

impl Theme {
    fn colour(self, colour: Color, otherwise: Modifier) -> Style {
        match self.colours {
            true => Style::new().fg(colour),
            false => Style::new().add_modifier(otherwise),
        }
    }

    fn faint(self) -> Style {
        self.colour(Color::DarkGray, Modifier::DIM)
    }

    fn accent(self) -> Style {
        self.colour(Color::Cyan, Modifier::empty())
    }

    fn good(self) -> Style {
        self.colour(Color::Green, Modifier::empty())
    }

    fn bad(self) -> Style {
        self.colour(Color::Red, Modifier::BOLD)
    }

    fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    fn chosen(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }
}

pub(super) fn draw(state: &mut State, frame: &mut Frame<'_>) {
    let theme = Theme {
        colours: state.colours,
    };
    let area = frame.area();
    let header = header::flow(state, theme, area.width, area.height / 3);
    let trouble = trouble(state, theme, area.width);
    let header_height = u16::try_from(header.len()).unwrap_or(u16::MAX);
    let trouble_height = trouble.as_ref().map_or(0, |(_, height)| *height);
    let left = area
        .height
        .saturating_sub(header_height + trouble_height + 1);
    let panel_height = match (&state.summary, &state.detail) {
        (Some(_), None) => panel::height(left, area.width),
        // One connection needs all the room, and before the first answer there is nothing.
        _ => 0,
    };
    let [
        header_area,
        trouble_area,
        panel_area,
        main_area,
        footer_area,
    ] = Layout::vertical([
        Constraint::Length(header_height),
        Constraint::Length(trouble_height),
        Constraint::Length(panel_height),
        Constraint::Min(0),
        Constraint::Length(1),
    ])
    .areas(area);
    frame.render_widget(Paragraph::new(header), header_area);
    if let Some((trouble, _)) = trouble {
        frame.render_widget(trouble, trouble_area);
    }
    panel::draw(state, theme, frame, panel_area);
    match state.detail.is_some() {
        true => detail::draw(state, theme, frame, main_area),
        false => table::draw(state, theme, frame, main_area),
    }
    frame.render_widget(footer(state, theme, area.width), footer_area);
    dialog::draw(state, theme, frame);
}

/// What keeps from knowing more, in at most three lines.
fn trouble(state: &State, theme: Theme, width: u16) -> Option<(Paragraph<'static>, u16)> {
    let trouble = state.trouble.as_ref()?;
    let text = escaped(&format!("{trouble} – trying again each second")).into_owned();
    let paragraph = Paragraph::new(text.clone()).wrap(Wrap { trim: true });
    // Words do not fill their lines: a little more than the text needs as such.
    let lines = (text.chars().count() + 12).div_ceil(usize::from(width.max(1)));
    let height = u16::try_from(lines.clamp(1, 3)).unwrap_or(3);
    Some((paragraph.style(theme.bad()), height))
}

/// What is being typed, what came of the last command, or what one can do.
fn footer(state: &State, theme: Theme, width: u16) -> Line<'static> {
    if let Some(Dialog::Search(text)) = &state.dialog {
        return Line::from(format!("/{text}▏"));
    }
    if let Some(notice) = &state.notice {
        let style = if notice.is_bad {
            theme.bad()
        } else {
            theme.good()
        };
        return Line::styled(escaped(&notice.text).into_owned(), style);
    }
    let mut spans = Vec::new();
    if !state.query.is_empty() {
        spans.push(Span::styled(
            format!("/{} ", escaped(&state.query)),
            theme.accent(),
        ));
    }
    if state.detail.is_none() {
        spans.push(Span::raw(format!("{}  ", place_in_list(state))));
    }
    let taken: usize = spans.iter().map(Span::width).sum();
    spans.push(Span::styled(
        hints(state, usize::from(width).saturating_sub(taken)),
        theme.faint(),
    ));
    Line::from(spans)
}

/// `1-100 of 2,345`
fn place_in_list(state: &State) -> String {
    let (rows, before, matching) = match state.view {
        View::Connections => {
            let list = &state.connections;
            (list.rows.len(), list.before(), list.matching)
        }
        View::Closings => {
            let list = &state.closings;
            (list.rows.len(), list.before(), list.matching)
        }
    };
    let figure = |number: usize| count(number as u64);
    let range = match rows {
        0 => "0".to_owned(),
        rows => format!("{}-{}", figure(before + 1), figure(before + rows)),
    };
    match matching {
        Some(matching) => format!("{range} of {}", figure(matching)),
        None => range,
    }
}

/// As many as there is room for.
fn hints(state: &State, room: usize) -> String {
    let hints: &[&str] = match (state.detail.is_some(), state.view) {
        (true, _) => &["Esc back", "p ping", "x close", "? keys", "q quit"],
        (false, View::Connections) => &[
            "? keys",
            "q quit",
            "Tab closed",
            "/ search",
            "s sort",
            "Enter look",
            "p ping",
            "x close",
        ],
        (false, View::Closings) => &[
            "? keys",
            "q quit",
            "Tab connections",
            "/ search",
            "Enter look",
        ],
    };
    let mut text = String::new();
    for hint in hints {
        if text.chars().count() + hint.chars().count() + 2 > room {
            break;
        }
        text.push_str(hint);
        text.push_str("  ");
    }
    text.trim_end().to_owned()
}

/// A box in the middle of the screen, as large as there is room for.
fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}
