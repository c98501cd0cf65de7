//! How answers change the screen.

use ratatui::crossterm::event::KeyEvent;

use super::data::{Answer, Page, Request};
use super::effect::Effect;
use super::keys;
use super::state::{Notice, State};

/// An input of the live view.
#[derive(Debug)]
pub(super) enum Input {
    Key(KeyEvent),
    /// An answer to this request, or why there is none.
    Answered(Request, Result<Box<Answer>, String>),
    /// The result of a command, as a sentence.
    Done(Result<String, String>),
}

pub(super) fn update(state: &mut State, input: Input) -> Option<Effect> {
    match input {
        Input::Key(key) => keys::press(state, key),
        Input::Answered(request, Ok(answer)) => answered(state, &request, *answer),
        Input::Answered(_, Err(trouble)) => {
            state.trouble = Some(trouble);
            None
        }
        Input::Done(outcome) => {
            let is_bad = outcome.is_err();
            let (Ok(text) | Err(text)) = outcome;
            state.notice = Some(Notice { text, is_bad });
            Some(Effect::Refresh)
        }
    }
}

fn answered(state: &mut State, request: &Request, answer: Answer) -> Option<Effect> {
    state.trouble = None;
    state.rates.add(&answer.summary);
    state.summary = Some(answer.summary);
    state.history = answer.history;
    if *request != state.request() {
        // The user has asked for something else meanwhile.
        return Some(Effect::Refresh);
    }
    if let Some(looking) = &mut state.detail {
        looking.detail = answer.detail;
        looking.is_answered = true;
    }
    let is_past_the_end = match answer.page {
        Page::Connections(page) => state.connections.arrive(page),
        Page::Closings(page) => state.closings.arrive(page),
    };
    is_past_the_end.then_some(Effect::Refresh)
}

#[cfg(test)]
mod tests;
