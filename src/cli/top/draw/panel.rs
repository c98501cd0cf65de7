//! Connections over time, and why they ended.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Sparkline};

use super::super::figures::{count, rate, span};
use super::super::state::State;
use super::Theme;
use crate::admin::types::History;
use crate::printable::escaped;

/// Both side by side need this many columns.
const WIDE: u16 = 68;
/// Those of the reasons.
const REASONS: u16 = 38;

/// Lines that they get of those that are left for them and the table.
pub(super) fn height(left: u16, width: u16) -> u16 {
    match (left, width) {
        (0..10, _) => 0,
        (10..14, _) => 3,
        (14..30, WIDE..) => 6,
        (_, WIDE..) => 9,
        (14..20, _) => 4,
        (_, _) => 8,
    }
}

pub(super) fn draw(state: &State, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let areas = match (area.width, area.height) {
        (_, 0) => return,
        (WIDE.., _) => {
            let chart = [
                Constraint::Min(0),
                Constraint::Length(2),
                Constraint::Length(REASONS),
            ];
            let [chart, _, reasons] = Layout::horizontal(chart).areas(area);
            [chart, reasons]
        }
        (_, 0..8) => [area, Rect::ZERO],
        _ => Layout::vertical([Constraint::Length(4), Constraint::Min(0)]).areas(area),
    };
    chart(&state.history, theme, frame, areas[0]);
    let height = usize::from(areas[1].height);
    frame.render_widget(Paragraph::new(reasons(state, theme, height)), areas[1]);
}

fn chart(history: &History, theme: Theme, frame: &mut Frame<'_>, area: Rect) {
    let [title_area, chart_area] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let established = history.samples.iter().map(|sample| sample.established);
    let samples: Vec<u64> = established.collect();
    let most = samples.iter().copied().max().unwrap_or_default();
    let while_ms = history.interval_ms.saturating_mul(samples.len() as u64);
    let title = format!("connections in {}, at most {}", span(while_ms), count(most));
    frame.render_widget(Line::styled(title, theme.faint()), title_area);
    let bars = stretched(&samples, usize::from(chart_area.width));
    let chart = Sparkline::default().data(&bars).max(most.max(1));
    frame.render_widget(chart.style(theme.accent()), chart_area);
}

/// One bar for each column: the highest sample of its time.
fn stretched(samples: &[u64], width: usize) -> Vec<u64> {
    let count = samples.len();
    if count == 0 {
        return Vec::new();
    }
    let bar = |column: usize| {
        let from = column * count / width;
        let to = ((column + 1) * count)
            .div_ceil(width)
            .clamp(from + 1, count);
        samples[from..to].iter().copied().max().unwrap_or_default()
    };
    (0..width).map(bar).collect()
}

fn reasons(state: &State, theme: Theme, height: usize) -> Vec<Line<'static>> {
    let reasons = state.rates.reasons();
    let title = match reasons.is_empty() {
        true => "closed: none yet",
        false => "closed since the start            now",
    };
    let mut lines = vec![Line::styled(title, theme.faint())];
    let shown = reasons.iter().take(height.saturating_sub(1));
    lines.extend(shown.map(|(reason, number, per_second)| {
        let text = format!("{:<22}{:>7} ", escaped(reason), count(*number));
        let rate = Span::raw(format!("{:>7}", rate(*per_second)));
        let rate = match *per_second > 0.0 {
            true => rate.style(theme.strong()),
            false => rate.style(theme.faint()),
        };
        Line::from(vec![Span::raw(text), rate])
    }));
    lines
}

#[cfg(test)]
mod tests;
