//! `Sec-WebSocket-Extensions` (RFC 6455 section 9.1): permessage-deflate is the only extension let through, because
//! the meaning of a reserved bit must be known to judge a frame.

use thiserror::Error;

const DEFLATE: &str = "permessage-deflate";

/// What a backend answered that cannot be relayed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExtensionError {
    /// Section 4.1: an extension that was not offered.
    #[error("the backend chose the extension {0:?}, which was not offered to it")]
    NotOffered(String),
    /// RFC 7692 section 5: more than one permessage-deflate.
    #[error("the backend accepted permessage-deflate more than once")]
    Repeated,
}

/// The offers of permessage-deflate among a client's header values, in their order and unchanged; empty: none.
pub fn deflate_offers<'a>(values: impl IntoIterator<Item = &'a str>) -> String {
    let offers: Vec<&str> = values
        .into_iter()
        .flat_map(split_list)
        .filter(|offer| name(offer) == DEFLATE)
        .collect();
    offers.join(", ")
}

/// Whether a backend's answer accepts permessage-deflate, which was `offered` to it or not.
///
/// # Errors
/// The answer has anything that was not offered.
pub fn deflate_accepted<'a>(
    values: impl IntoIterator<Item = &'a str>,
    offered: bool,
) -> Result<bool, ExtensionError> {
    let mut accepted = false;
    for answer in values.into_iter().flat_map(split_list) {
        let name = name(answer);
        if name != DEFLATE || !offered {
            return Err(ExtensionError::NotOffered(name));
        }
        if std::mem::replace(&mut accepted, true) {
            return Err(ExtensionError::Repeated);
        }
    }
    Ok(accepted)
}

/// The elements of a list of permessage-deflate, each with this parameter, which has no value.
#[must_use]
pub fn deflate_with(list: &str, parameter: &str) -> String {
    let has = |element: &str| {
        element
            .split(';')
            .skip(1)
            .any(|part| part.trim().eq_ignore_ascii_case(parameter))
    };
    let with = |element: &str| {
        if has(element) {
            element.to_owned()
        } else {
            format!("{element}; {parameter}")
        }
    };
    split_list(list).map(with).collect::<Vec<_>>().join(", ")
}

fn name(element: &str) -> String {
    element
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
}

/// The elements of a comma-separated list, in which a quoted string may contain a comma.
fn split_list(value: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    value
        .split(move |c: char| {
            let was_escaped = std::mem::take(&mut escaped);
            match c {
                '\\' if quoted && !was_escaped => escaped = true,
                '"' if !was_escaped => quoted = !quoted,
                ',' if !quoted => return true,
                _ => {}
            }
            false
        })
        .map(str::trim)
        .filter(|element| !element.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_permessage_deflate_is_offered_on() {
        assert_eq!(deflate_offers([]), "");
        assert_eq!(
            deflate_offers([
                "x-webkit-deflate-frame, permessage-deflate; client_max_window_bits",
                "foo",
                "Permessage-Deflate"
            ]),
            "permessage-deflate; client_max_window_bits, Permessage-Deflate"
        );
        assert_eq!(
            deflate_offers([r#"foo; a="x, permessage-deflate", permessage-deflate; b="1\"," "#]),
            r#"permessage-deflate; b="1\",""#
        );
    }

    #[test]
    fn section_9_1_an_answer_must_have_been_offered() {
        assert_eq!(deflate_accepted([], true), Ok(false));
        assert_eq!(
            deflate_accepted(["permessage-deflate; server_no_context_takeover"], true),
            Ok(true)
        );
        assert_eq!(
            deflate_accepted(["permessage-deflate"], false),
            Err(ExtensionError::NotOffered("permessage-deflate".into()))
        );
        assert_eq!(
            deflate_accepted(["foo"], true),
            Err(ExtensionError::NotOffered("foo".into()))
        );
        assert_eq!(
            deflate_accepted(["permessage-deflate, permessage-deflate"], true),
            Err(ExtensionError::Repeated)
        );
    }
}
