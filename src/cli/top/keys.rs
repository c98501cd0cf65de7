//! What keys do.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::effect::Effect;
use super::state::{CloseForm, Dialog, Looking, State, View};
use crate::admin::types::SortKey;

/// Every key, for the help.
pub(super) const KEYS: [(&str, &str); 12] = [
    ("↑ ↓ j k", "another row; past the last one the next page"),
    ("PgUp PgDn", "a screen further"),
    ("Home End", "first and last row of the page"),
    ("Enter", "look at one connection; Esc leaves it"),
    ("Tab", "connections, or what was closed lately"),
    ("/", "search id, client, route, host, path, captured fields"),
    ("s 1-6", "sort by the next, or by this column"),
    ("r", "the other way round"),
    ("p P", "ping the client, the upstream"),
    ("x", "close the connection"),
    ("?", "this help"),
    ("q Ctrl-C", "quit"),
];

/// The longest text that is typed: a Close frame's reason has no more (RFC 6455 section 5.5).
const MAX_TYPED: usize = 123;

pub(super) fn press(state: &mut State, key: KeyEvent) -> Option<Effect> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return matches!(key.code, KeyCode::Char('c' | 'd')).then_some(Effect::Quit);
    }
    match state.dialog.take() {
        Some(Dialog::Help) => None,
        Some(Dialog::Search(text)) => search(state, text, key.code),
        Some(Dialog::Close(form)) => close(state, form, key.code),
        None => command(state, key.code),
    }
}

fn command(state: &mut State, key: KeyCode) -> Option<Effect> {
    state.notice = None;
    match key {
        KeyCode::Char('q') => return Some(Effect::Quit),
        KeyCode::Char('?' | 'h') => state.dialog = Some(Dialog::Help),
        KeyCode::Char('p') => return ping(state, "client"),
        KeyCode::Char('P') => return ping(state, "upstream"),
        KeyCode::Char('x') => ask_to_close(state),
        _ if state.detail.is_some() => return at_one(state, key),
        _ => return in_list(state, key),
    }
    None
}

fn ping(state: &State, leg: &'static str) -> Option<Effect> {
    let (conn, _) = state.meant()?;
    Some(Effect::Ping { conn, leg })
}

fn ask_to_close(state: &mut State) {
    if let Some((conn, client)) = state.meant() {
        state.dialog = Some(Dialog::Close(CloseForm {
            conn,
            client,
            ..CloseForm::default()
        }));
    }
}

/// While one connection is looked at.
fn at_one(state: &mut State, key: KeyCode) -> Option<Effect> {
    let looking = state.detail.as_mut()?;
    match key {
        KeyCode::Esc | KeyCode::Enter | KeyCode::Backspace | KeyCode::Left => {
            state.detail = None;
            return Some(Effect::Refresh);
        }
        KeyCode::Down | KeyCode::Char('j') => looking.scrolled = looking.scrolled.saturating_add(1),
        KeyCode::Up | KeyCode::Char('k') => looking.scrolled = looking.scrolled.saturating_sub(1),
        KeyCode::PageDown => looking.scrolled = looking.scrolled.saturating_add(10),
        KeyCode::PageUp => looking.scrolled = looking.scrolled.saturating_sub(10),
        KeyCode::Home => looking.scrolled = 0,
        _ => {}
    }
    None
}

fn in_list(state: &mut State, key: KeyCode) -> Option<Effect> {
    match key {
        KeyCode::Enter => return look(state),
        KeyCode::Tab | KeyCode::BackTab => {
            state.view = match state.view {
                View::Connections => View::Closings,
                View::Closings => View::Connections,
            };
            return Some(Effect::Refresh);
        }
        KeyCode::Char('/') => {
            state.dialog = Some(Dialog::Search(state.query.clone()));
            return None;
        }
        KeyCode::Esc if !state.query.is_empty() => return find(state, String::new()),
        KeyCode::Char('s') => return sort(state, next(state.order.key)),
        KeyCode::Char(digit @ '1'..='6') => {
            return sort(state, SortKey::ALL[digit as usize - '1' as usize]);
        }
        KeyCode::Char('r') if state.view == View::Connections => {
            state.order.descending = !state.order.descending;
            state.connections.rewind();
            return Some(Effect::Refresh);
        }
        _ => {}
    }
    let room = match state.view {
        View::Connections => state.connections.room,
        View::Closings => state.closings.room,
    };
    let screen = isize::try_from(room.max(1)).unwrap_or(isize::MAX);
    let by = match key {
        KeyCode::Down | KeyCode::Char('j') => 1,
        KeyCode::Up | KeyCode::Char('k') => -1,
        KeyCode::PageDown | KeyCode::Char(' ') => screen,
        KeyCode::PageUp => -screen,
        KeyCode::Home | KeyCode::Char('g') => isize::MIN,
        KeyCode::End | KeyCode::Char('G') => isize::MAX,
        _ => return None,
    };
    let another_page = match state.view {
        View::Connections => state.connections.go(by),
        View::Closings => state.closings.go(by),
    };
    another_page.then_some(Effect::Refresh)
}

fn look(state: &mut State) -> Option<Effect> {
    let conn = match state.view {
        View::Connections => state.connections.chosen()?.conn.clone(),
        View::Closings => state.closings.chosen()?.conn.clone(),
    };
    state.detail = Some(Looking {
        conn,
        detail: None,
        is_answered: false,
        scrolled: 0,
    });
    Some(Effect::Refresh)
}

fn next(key: SortKey) -> SortKey {
    let index = SortKey::ALL.iter().position(|it| *it == key);
    SortKey::ALL[index.map_or(0, |index| (index + 1) % SortKey::ALL.len())]
}

fn sort(state: &mut State, key: SortKey) -> Option<Effect> {
    if state.view == View::Closings {
        return None;
    }
    // Of most figures the highest are of interest, of addresses the order.
    state.order.descending = key != SortKey::Client;
    state.order.key = key;
    state.connections.rewind();
    Some(Effect::Refresh)
}

fn search(state: &mut State, mut text: String, key: KeyCode) -> Option<Effect> {
    match key {
        KeyCode::Enter => return find(state, text),
        KeyCode::Esc => return None,
        KeyCode::Backspace => drop(text.pop()),
        KeyCode::Char(c) => add(&mut text, c),
        _ => {}
    }
    state.dialog = Some(Dialog::Search(text));
    None
}

fn find(state: &mut State, text: String) -> Option<Effect> {
    state.query = text;
    state.connections.rewind();
    state.closings.rewind();
    Some(Effect::Refresh)
}

fn close(state: &mut State, mut form: CloseForm, key: KeyCode) -> Option<Effect> {
    match key {
        KeyCode::Esc => return None,
        KeyCode::Enter => {
            let CloseForm {
                conn, code, reason, ..
            } = form;
            let [code, reason] = [code, reason].map(|it| (!it.is_empty()).then_some(it));
            return Some(Effect::Close { conn, code, reason });
        }
        KeyCode::Tab | KeyCode::BackTab | KeyCode::Up | KeyCode::Down => {
            form.at_reason = !form.at_reason;
        }
        KeyCode::Backspace if form.at_reason => drop(form.reason.pop()),
        KeyCode::Backspace => drop(form.code.pop()),
        KeyCode::Char(c) if form.at_reason => add(&mut form.reason, c),
        KeyCode::Char(c) if c.is_ascii_digit() && form.code.len() < 4 => form.code.push(c),
        _ => {}
    }
    state.dialog = Some(Dialog::Close(form));
    None
}

fn add(text: &mut String, c: char) {
    if text.len() + c.len_utf8() <= MAX_TYPED && !c.is_control() {
        text.push(c);
    }
}
