//! What lies over the rest of the screen.

use ratatui::Frame;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Wrap};

use super::super::keys::KEYS;
use super::super::state::{CloseForm, Dialog, State};
use super::{Theme, middle};
use crate::printable::escaped;

pub(super) fn draw(state: &State, theme: Theme, frame: &mut Frame<'_>) {
    let (title, lines, width) = match &state.dialog {
        None | Some(Dialog::Search(_)) => return,
        Some(Dialog::Help) => (" keys ", help(theme), 74),
        Some(Dialog::Close(form)) => (" close a connection ", form_lines(form, theme), 60),
    };
    let width = frame.area().width.min(width);
    let inner = usize::from(width.saturating_sub(2)).max(1);
    // Words that move to the next line take it as a whole.
    let heights = lines.iter().map(|line| line.width().max(1).div_ceil(inner));
    let height = u16::try_from(heights.sum::<usize>() + 2).unwrap_or(u16::MAX);
    let area = middle(frame.area(), width, height);
    let block = Block::bordered().title(title).border_style(theme.accent());
    let text = Paragraph::new(lines)
        .wrap(Wrap { trim: false })
        .block(block);
    frame.render_widget(Clear, area);
    frame.render_widget(text, area);
}

fn help(theme: Theme) -> Vec<Line<'static>> {
    let line = |(keys, does): &(&'static str, &'static str)| {
        Line::from(vec![
            Span::styled(format!("{keys:<11}"), theme.strong()),
            Span::raw(*does),
        ])
    };
    KEYS.iter().map(line).collect()
}

fn form_lines(form: &CloseForm, theme: Theme) -> Vec<Line<'static>> {
    let field = |name: &'static str, text: &str, is_typed: bool| {
        let value = match (is_typed, text.is_empty()) {
            (true, _) => Span::styled(format!("{}▏", escaped(text)), theme.strong()),
            (false, true) => Span::styled("as close.killed says", theme.faint()),
            (false, false) => Span::raw(escaped(text).into_owned()),
        };
        Line::from(vec![Span::raw(format!("{name:<8}")), value])
    };
    vec![
        Line::from(format!("{} of {}", form.conn, escaped(&form.client))),
        Line::default(),
        field("code", &form.code, !form.at_reason),
        field("reason", &form.reason, form.at_reason),
        Line::default(),
        Line::styled(
            "Enter closes it, Esc does not, Tab: the other field",
            theme.faint(),
        ),
    ]
}
