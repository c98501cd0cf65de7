//! Keys and answers, one after the other.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{Input, update};
use crate::cli::top::data::PageRequest;
use crate::cli::top::effect::Effect;
use crate::cli::top::list::PAGE;
use crate::cli::top::screens::{answer, fill, state};
use crate::cli::top::state::{Dialog, State, View};

fn filled() -> State {
    let mut state = state();
    fill(&mut state, 1000);
    state
}

fn press(state: &mut State, key: KeyCode) -> Option<Effect> {
    update(state, Input::Key(key.into()))
}

fn type_in(state: &mut State, text: &str) {
    for c in text.chars() {
        assert_eq!(press(state, KeyCode::Char(c)), None);
    }
}

fn chosen(state: &State) -> &str {
    &state.connections.chosen().unwrap().conn
}

fn conn(number: u64) -> String {
    format!("01KAJ{number:021}")
}

#[test]
fn rows_are_chosen_and_stay_chosen_wherever_they_are() {
    let mut state = filled();
    assert_eq!(chosen(&state), conn(1));
    for (key, expected) in [
        (KeyCode::Down, 2),
        (KeyCode::Char('j'), 3),
        (KeyCode::Up, 2),
        (KeyCode::Home, 1),
        (KeyCode::Up, 1),
        (KeyCode::End, 40),
        (KeyCode::Char('g'), 1),
    ] {
        assert_eq!(press(&mut state, key), None);
        assert_eq!(chosen(&state), conn(expected), "{key:?}");
    }
    state.connections.room = 7;
    press(&mut state, KeyCode::PageDown);
    assert_eq!(chosen(&state), conn(8));
    // Those above it go, and then it goes itself.
    for (rows, expected) in [(5..=20, 8), (9..=20, 12)] {
        let request = state.request();
        let answer = answer(&request, 2000, rows);
        update(&mut state, Input::Answered(request, Ok(answer)));
        assert_eq!(
            chosen(&state),
            conn(expected),
            "the place stays where the row does not"
        );
    }
}

#[test]
fn who_has_chosen_nothing_sees_the_newest() {
    let mut state = filled();
    let request = state.request();
    let answer = answer(&request, 2000, 7..=20);
    update(&mut state, Input::Answered(request, Ok(answer)));
    press(&mut state, KeyCode::Down);
    press(&mut state, KeyCode::Home);
    fill(&mut state, 3000);
    assert_eq!(
        chosen(&state),
        conn(1),
        "the first row, not the row that was first"
    );
}

#[test]
fn past_the_last_row_comes_the_next_page_and_the_way_back() {
    let mut state = filled();
    press(&mut state, KeyCode::End);
    assert_eq!(press(&mut state, KeyCode::Down), Some(Effect::Refresh));
    assert_eq!(state.request().cursor.as_deref(), Some("more"));
    assert_eq!(
        press(&mut state, KeyCode::Down),
        None,
        "it is asked for already"
    );
    fill(&mut state, 2000);
    assert_eq!(chosen(&state), conn(1), "its first row");
    assert_eq!(state.connections.before(), usize::from(PAGE));
    assert_eq!(press(&mut state, KeyCode::Up), Some(Effect::Refresh));
    assert_eq!(state.request().cursor, None);
    fill(&mut state, 3000);
    assert_eq!(chosen(&state), conn(40), "the last row of the page before");
}

#[test]
fn a_page_whose_rows_have_all_gone_is_left() {
    let mut state = filled();
    press(&mut state, KeyCode::End);
    press(&mut state, KeyCode::Down);
    let request = state.request();
    #[expect(clippy::reversed_empty_ranges, reason = "no rows")]
    let answer = answer(&request, 2000, 1..=0);
    let effect = update(&mut state, Input::Answered(request, Ok(answer)));
    assert_eq!(effect, Some(Effect::Refresh));
    assert_eq!(state.request().cursor, None);
}

#[test]
fn sorting_begins_at_the_first_page() {
    let mut state = filled();
    press(&mut state, KeyCode::End);
    press(&mut state, KeyCode::Down);
    fill(&mut state, 2000);
    let order = |state: &State| match state.request().page {
        PageRequest::Connections(order) => order.to_string(),
        PageRequest::Closings => panic!("connections are shown"),
    };
    for (key, expected) in [
        ('s', "-client_idle"),
        ('r', "client_idle"),
        ('s', "-upstream_idle"),
        ('5', "-traffic"),
        ('6', "client"),
        ('s', "-opened"),
    ] {
        assert_eq!(press(&mut state, KeyCode::Char(key)), Some(Effect::Refresh));
        assert_eq!(order(&state), expected, "{key}");
        assert_eq!(state.request().cursor, None);
    }
}

#[test]
fn what_is_searched_for_is_typed_and_taken_or_not() {
    let mut state = filled();
    press(&mut state, KeyCode::Char('/'));
    type_in(&mut state, "qx1");
    press(&mut state, KeyCode::Backspace);
    assert_eq!(state.dialog, Some(Dialog::Search("qx".to_owned())));
    assert_eq!(state.query, "", "not yet");
    assert_eq!(press(&mut state, KeyCode::Enter), Some(Effect::Refresh));
    assert_eq!(state.request().query, "qx");
    // It can be changed, and is not when one leaves.
    press(&mut state, KeyCode::Char('/'));
    type_in(&mut state, "more");
    assert_eq!(press(&mut state, KeyCode::Esc), None);
    assert_eq!((&*state.query, &state.dialog), ("qx", &None));
    assert_eq!(press(&mut state, KeyCode::Esc), Some(Effect::Refresh));
    assert_eq!(state.request().query, "");
    press(&mut state, KeyCode::Char('/'));
    type_in(&mut state, &"é".repeat(200));
    press(&mut state, KeyCode::Enter);
    assert_eq!(state.query.len(), 122, "no more than the field takes");
}

#[test]
fn a_connection_is_looked_at_pinged_and_left() {
    let mut state = filled();
    press(&mut state, KeyCode::Down);
    let (conn, leg) = (conn(2), "client");
    assert_eq!(
        press(&mut state, KeyCode::Char('p')),
        Some(Effect::Ping {
            conn: conn.clone(),
            leg
        })
    );
    assert_eq!(press(&mut state, KeyCode::Enter), Some(Effect::Refresh));
    assert_eq!(state.request().detail.as_deref(), Some(&*conn));
    assert_eq!(press(&mut state, KeyCode::Char('p')), None, "not known yet");
    fill(&mut state, 2000);
    let leg = "upstream";
    assert_eq!(
        press(&mut state, KeyCode::Char('P')),
        Some(Effect::Ping {
            conn: conn.clone(),
            leg
        })
    );
    let effect = update(&mut state, Input::Done(Ok("it answered".to_owned())));
    assert_eq!(effect, Some(Effect::Refresh));
    assert_eq!(state.notice.as_ref().unwrap().text, "it answered");
    press(&mut state, KeyCode::Down);
    assert_eq!(state.detail.as_ref().unwrap().scrolled, 1);
    assert_eq!(state.notice, None, "until the next key");
    assert_eq!(press(&mut state, KeyCode::Esc), Some(Effect::Refresh));
    assert_eq!(state.request().detail, None);
}

#[test]
fn closing_asks_first() {
    let mut state = filled();
    for leave in [KeyCode::Esc, KeyCode::Char('x')] {
        press(&mut state, KeyCode::Char('x'));
        assert!(matches!(state.dialog, Some(Dialog::Close(_))));
        assert_eq!(press(&mut state, leave), None);
    }
    // The second `x` was no digit: the dialog is there still.
    let close = |code: Option<&str>, reason: Option<&str>| Effect::Close {
        conn: conn(1),
        code: code.map(ToOwned::to_owned),
        reason: reason.map(ToOwned::to_owned),
    };
    assert_eq!(press(&mut state, KeyCode::Enter), Some(close(None, None)));
    assert_eq!(state.dialog, None);
    press(&mut state, KeyCode::Char('x'));
    type_in(&mut state, "40x010");
    press(&mut state, KeyCode::Backspace);
    type_in(&mut state, "8");
    press(&mut state, KeyCode::Tab);
    type_in(&mut state, "bye q");
    let closed = Some(close(Some("4008"), Some("bye q")));
    assert_eq!(press(&mut state, KeyCode::Enter), closed);
}

#[test]
fn closings_can_be_looked_at_and_not_be_closed() {
    let mut state = filled();
    assert_eq!(press(&mut state, KeyCode::Tab), Some(Effect::Refresh));
    assert_eq!(state.request().page, PageRequest::Closings);
    fill(&mut state, 2000);
    for key in ['x', 'p', 's', '2'] {
        assert_eq!(press(&mut state, KeyCode::Char(key)), None);
        assert_eq!(state.dialog, None);
    }
    press(&mut state, KeyCode::Down);
    assert_eq!(press(&mut state, KeyCode::Enter), Some(Effect::Refresh));
    assert_eq!(state.request().detail.as_deref(), Some(&*conn(2)));
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Tab);
    assert_eq!(state.view, View::Connections);
}

#[test]
fn an_answer_to_an_older_question_is_not_taken_for_the_new_one() {
    let mut state = filled();
    let old = state.request();
    press(&mut state, KeyCode::Char('s'));
    let answer = answer(&old, 2000, 20..=30);
    let effect = update(&mut state, Input::Answered(old, Ok(answer)));
    assert_eq!(effect, Some(Effect::Refresh));
    assert_eq!(state.connections.rows.len(), 40);
    assert_eq!(
        state.summary.as_ref().unwrap().uptime_ms,
        2000,
        "this is news"
    );
}

#[test]
fn trouble_is_told_until_there_is_an_answer() {
    let mut state = filled();
    let request = state.request();
    update(
        &mut state,
        Input::Answered(request, Err("nobody is there".to_owned())),
    );
    assert_eq!(state.trouble.as_deref(), Some("nobody is there"));
    assert_eq!(state.connections.rows.len(), 40, "what was known stays");
    fill(&mut state, 2000);
    assert_eq!(state.trouble, None);
}

#[test]
fn it_is_left_by_several_ways() {
    let mut state = filled();
    assert_eq!(press(&mut state, KeyCode::Char('q')), Some(Effect::Quit));
    let interrupt = || KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    assert_eq!(
        update(&mut state, Input::Key(interrupt())),
        Some(Effect::Quit)
    );
    press(&mut state, KeyCode::Char('/'));
    assert_eq!(press(&mut state, KeyCode::Char('q')), None, "it is typed");
    assert_eq!(
        update(&mut state, Input::Key(interrupt())),
        Some(Effect::Quit)
    );
    press(&mut state, KeyCode::Esc);
    press(&mut state, KeyCode::Char('?'));
    assert_eq!(state.dialog, Some(Dialog::Help));
    assert_eq!(
        press(&mut state, KeyCode::Char('q')),
        None,
        "any key leaves the help"
    );
    assert_eq!(state.dialog, None);
}
