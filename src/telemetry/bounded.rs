//! Texts from outside, cut to what may be kept and logged.

/// The most bytes of a path or host that are kept for logs; a request head may be far longer.
pub(crate) const MAX_LOGGED: usize = 1024;

/// The longest subprotocol that is shown: browsers, which can set no header, carry tokens in it.
const MAX_SHOWN_SUBPROTOCOL: usize = 40;

/// A text from outside, cut to what may stand in a log line.
#[must_use]
pub(crate) fn bounded(text: &str) -> Box<str> {
    bounded_to(text, MAX_LOGGED)
}

pub(super) fn bounded_to(text: &str, max: usize) -> Box<str> {
    if text.len() <= max {
        return text.into();
    }
    let mut end = max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end]).into()
}

/// A subprotocol as it is shown everywhere: a long one may be a token.
#[must_use]
pub(crate) fn shown_subprotocol(name: &str) -> Box<str> {
    match name.len() {
        len @ 0..=MAX_SHOWN_SUBPROTOCOL => name[..len].into(),
        len => format!("{len} bytes").into(),
    }
}
