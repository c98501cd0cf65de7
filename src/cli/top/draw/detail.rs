//! One connection with everything that is known of it, under the names of the API and of the log.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};
use serde_json::Value;

use super::super::state::{Looking, State};
use super::Theme;
use crate::printable::escaped;

/// The longest name is `upstream_pongs_received`.
const NAMES: usize = 25;

pub(super) fn draw(state: &mut State, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let Some(looking) = &mut state.detail else {
        return;
    };
    let [title_area, body_area] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    frame.render_widget(Line::styled(title(looking), theme.strong()), title_area);
    let lines = lines(looking, theme);
    let narrow = usize::from(area.width) < NAMES + 30;
    // Values that need two lines count once: the last ones are reached all the same, since the end may be scrolled past.
    let most = lines.len().saturating_sub(1);
    looking.scrolled = looking
        .scrolled
        .min(u16::try_from(most).unwrap_or(u16::MAX));
    let body = Paragraph::new(lines).scroll((looking.scrolled, 0));
    let body = match narrow {
        true => body.wrap(Wrap { trim: false }),
        false => body,
    };
    frame.render_widget(body, body_area);
}

fn title(looking: &Looking) -> String {
    let what = match &looking.detail {
        Some(detail) if detail.living => "",
        Some(_) => ": has ended",
        None if looking.is_answered => ": nothing is known of it any more",
        None => ": …",
    };
    format!("{}{what}", looking.conn)
}

fn lines(looking: &Looking, theme: Theme) -> Vec<Line<'static>> {
    let fields = looking.detail.iter().flat_map(|detail| &detail.fields);
    let line = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::Null => "–".to_owned(),
            Value::String(text) => escaped(text).into_owned(),
            other => escaped(&other.to_string()).into_owned(),
        };
        let name = format!("{:<NAMES$}", escaped(name));
        Line::from(vec![Span::styled(name, theme.faint()), Span::raw(value)])
    };
    fields.map(line).collect()
}
