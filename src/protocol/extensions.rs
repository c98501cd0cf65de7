//! `Sec-WebSocket-Extensions` (RFC 6455 section 9.1): permessage-deflate is the only extension let through, because
//! the meaning of a reserved bit must be known to judge a frame.

use thiserror::Error;

const DEFLATE: &str = "permessage-deflate";
/// The client compresses each message on its own (RFC 7692 section 7.1.1.2).
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";

/// What a backend answered that cannot be relayed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExtensionError {
    /// Section 4.1: an extension that was not offered.
    #[error("the backend chose the extension {0:?}, which was not offered to it")]
    NotOffered(String),
    /// RFC 7692 section 5: more than one permessage-deflate.
    #[error("the backend accepted permessage-deflate more than once")]
    Repeated,
    /// RFC 7692 section 7.1: a parameter that is none, or has a value that it cannot have in an answer.
    #[error("the backend accepted permessage-deflate with {0:?}, which no client understands")]
    Parameter(String),
    /// RFC 7692 section 7.1: a parameter that comes twice.
    #[error("the backend accepted permessage-deflate with {0} twice")]
    RepeatedParameter(String),
    /// RFC 7692 section 7.1.2.2: a window that the client did not say it can limit.
    #[error("the backend limits the client's window, although no offer had client_max_window_bits")]
    WindowNotOffered,
}

/// What a backend's answer agreed on (RFC 7692 section 7.1.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deflate {
    /// The client compresses each message on its own.
    pub client_no_context_takeover: bool,
    /// The backend does.
    pub server_no_context_takeover: bool,
}

/// The offers of permessage-deflate among a client's header values, in their order and unchanged; empty: none. One with
/// a quoted string that never ends is no offer: whatever is added behind it would be read as a part of that string.
pub fn deflate_offers<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let offers: Vec<&str> = values
        .into_iter()
        .flat_map(split_list)
        .filter(|offer| name(offer) == DEFLATE && !ends_in_quotes(offer))
        .collect();
    offers.join(", ")
}

/// What a backend's answer agreed on, after these `offers` of permessage-deflate (none: empty); none: no compression.
///
/// # Errors
/// The answer has anything that was not offered, or that every client has to refuse (RFC 7692 section 7.1).
pub fn deflate_accepted(answer: &str, offers: &str) -> Result<Option<Deflate>, ExtensionError> {
    let mut accepted = None;
    for element in split_list(answer) {
        let name = name(element);
        if name != DEFLATE || offers.is_empty() {
            return Err(ExtensionError::NotOffered(name));
        }
        if accepted.is_some() {
            return Err(ExtensionError::Repeated);
        }
        accepted = Some(agreed(element, offers)?);
    }
    Ok(accepted)
}

/// The parameters of one accepted permessage-deflate.
fn agreed(answer: &str, offers: &str) -> Result<Deflate, ExtensionError> {
    let mut agreed = Deflate::default();
    let mut seen = Vec::new();
    for (name, value) in parameters(answer) {
        match (&*name, value) {
            (CLIENT_NO_CONTEXT_TAKEOVER, None) => agreed.client_no_context_takeover = true,
            ("server_no_context_takeover", None) => agreed.server_no_context_takeover = true,
            ("server_max_window_bits", Some(bits)) if is_window(bits) => {}
            ("client_max_window_bits", Some(bits)) if is_window(bits) => {
                let offered = |offer| parameters(offer).any(|(offered, _)| offered == name);
                if !split_list(offers).any(offered) {
                    return Err(ExtensionError::WindowNotOffered);
                }
            }
            (_, None) => return Err(ExtensionError::Parameter(name)),
            (_, Some(value)) => return Err(ExtensionError::Parameter(format!("{name}={value}"))),
        }
        if seen.contains(&name) {
            return Err(ExtensionError::RepeatedParameter(name));
        }
        seen.push(name);
    }
    Ok(agreed)
}

/// Section 7.1.2: "a decimal integer without leading zeroes between 8 to 15".
fn is_window(bits: &str) -> bool {
    ["8", "9", "10", "11", "12", "13", "14", "15"].contains(&bits)
}

/// The elements of a list of permessage-deflate, each with `client_no_context_takeover`.
#[must_use]
pub fn deflate_without_client_context(list: &str) -> String {
    let with = |element: &str| {
        if parameters(element).any(|(name, _)| name == CLIENT_NO_CONTEXT_TAKEOVER) {
            element.to_owned()
        } else {
            format!("{element}; {CLIENT_NO_CONTEXT_TAKEOVER}")
        }
    };
    split_list(list).map(with).collect::<Vec<_>>().join(", ")
}

/// What stands before the first `;`, in lower case.
fn name(element: &str) -> String {
    let name = split(element, ';').next().unwrap_or_default();
    name.trim_ascii().to_ascii_lowercase()
}

/// Names in lower case, and values without their quotes.
fn parameters(element: &str) -> impl Iterator<Item = (String, Option<&str>)> {
    split(element, ';').skip(1).map(|parameter| {
        let (name, value) = match parameter.split_once('=') {
            Some((name, value)) => (name, Some(unquoted(value.trim_ascii()))),
            None => (parameter, None),
        };
        (name.trim_ascii().to_ascii_lowercase(), value)
    })
}

fn unquoted(value: &str) -> &str {
    let inner = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    inner.unwrap_or(value)
}

/// The elements of a comma-separated list.
fn split_list(value: &str) -> impl Iterator<Item = &str> {
    split(value, ',')
        .map(str::trim_ascii)
        .filter(|element| !element.is_empty())
}

/// Whether a quoted string is begun and not ended.
fn ends_in_quotes(element: &str) -> bool {
    // Outside of quotes the separator is found again at the end.
    split(&format!("{element};"), ';').last() != Some("")
}

/// The parts between separators; a quoted string (RFC 9110 section 5.6.4) may contain one.
fn split(value: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    value.split(move |c: char| {
        let was_escaped = std::mem::take(&mut escaped);
        match c {
            '\\' if quoted && !was_escaped => escaped = true,
            '"' if !was_escaped => quoted = !quoted,
            c if c == separator && !quoted => return true,
            _ => {}
        }
        false
    })
}

#[cfg(test)]
mod tests;
