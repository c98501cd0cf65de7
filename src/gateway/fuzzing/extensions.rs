//! `Sec-WebSocket-Extensions` as a server, which passes offers on, and as a client, which judges an answer. The input
//! is a byte of options, lines of offers, an empty line, and lines of the answer.

use hyper::HeaderMap;
use hyper::header::{HeaderValue, SEC_WEBSOCKET_EXTENSIONS};

use crate::gateway::extensions::{accept, offer};
use crate::leg::Leg;

const DEFLATE: &str = "permessage-deflate";
const CLIENT_NO_CONTEXT: &str = "client_no_context_takeover";

/// One extension with its parameters.
#[derive(Clone, Debug, PartialEq)]
struct Extension {
    name: String,
    parameters: Vec<(String, Option<String>)>,
}

impl Extension {
    fn has(&self, parameter: &str) -> bool {
        self.parameters.iter().any(|(name, _)| name == parameter)
    }
}

/// A list of extensions by the letter of RFC 6455 section 9.1; none: it is none.
fn strict(text: &str) -> Option<Vec<Extension>> {
    let mut rest = text.trim_matches([' ', '\t', ',']);
    let mut list = Vec::new();
    while !rest.is_empty() {
        let name = token(&mut rest)?;
        let mut parameters = Vec::new();
        while eat(&mut rest, ';') {
            let name = token(&mut rest)?;
            let value = if eat(&mut rest, '=') {
                Some(value(&mut rest)?)
            } else {
                None
            };
            parameters.push((name, value));
        }
        list.push(Extension { name, parameters });
        if !rest.is_empty() && !eat(&mut rest, ',') {
            return None;
        }
        while eat(&mut rest, ',') {}
    }
    Some(list)
}

fn eat(rest: &mut &str, wanted: char) -> bool {
    *rest = rest.trim_start_matches([' ', '\t']);
    match rest.strip_prefix(wanted) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

fn token(rest: &mut &str) -> Option<String> {
    *rest = rest.trim_start_matches([' ', '\t']);
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let end = rest.find(|c| !is_token(c)).unwrap_or(rest.len());
    let (token, after) = rest.split_at(end);
    *rest = after.trim_start_matches([' ', '\t']);
    (!token.is_empty()).then(|| token.to_ascii_lowercase())
}

/// A token, or a quoted string that has one in it.
fn value(rest: &mut &str) -> Option<String> {
    if !eat(rest, '"') {
        return token_as_written(rest);
    }
    let (inner, after) = rest.split_once('"')?;
    *rest = after.trim_start_matches([' ', '\t']);
    let mut left = inner;
    let value = token_as_written(&mut left)?;
    (left.is_empty() && inner == value).then_some(value)
}

fn token_as_written(rest: &mut &str) -> Option<String> {
    let before = rest.trim_start_matches([' ', '\t']);
    let token = token(rest)?;
    Some(before[..token.len()].to_owned())
}

fn lines(text: &[u8]) -> HeaderMap {
    let lines = text.split(|byte| *byte == b'\n');
    let values = lines.filter_map(|line| HeaderValue::from_bytes(line).ok());
    values
        .map(|value| (SEC_WEBSOCKET_EXTENSIONS, value))
        .collect()
}

/// All lines together.
fn joined(headers: &HeaderMap) -> String {
    let values = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).into_iter();
    let values: Vec<_> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    values.join(", ")
}

/// What is offered on is what of the client's offers is permessage-deflate, with nothing lost.
fn check_offers(client: &HeaderMap, strip: bool, inspected: bool) -> String {
    let mut headers = client.clone();
    let offers = offer(&mut headers, strip, inspected);
    assert_eq!(joined(&headers), offers, "one line says what was returned");
    assert!(!strip || offers.is_empty());
    let mut again = headers.clone();
    assert_eq!(
        offer(&mut again, false, inspected),
        offers,
        "what is offered on is stable"
    );
    let readable = client.iter().all(|(_, value)| value.to_str().is_ok());
    if let (Some(sent), true, false) = (strict(&joined(client)), readable, strip) {
        let mut expected: Vec<Extension> = sent
            .into_iter()
            .filter(|extension| extension.name == DEFLATE)
            .collect();
        for extension in expected.iter_mut().filter(|_| inspected) {
            if !extension.has(CLIENT_NO_CONTEXT) {
                extension
                    .parameters
                    .push((CLIENT_NO_CONTEXT.to_owned(), None));
            }
        }
        assert_eq!(strict(&offers), Some(expected), "{offers:?}");
    }
    offers
}

/// An answer that is accepted is one that the strictest client accepts, and means what the sidecar makes of it.
fn check_answer(backend: &HeaderMap, offers: &str, inspected: bool) {
    let mut headers = backend.clone();
    let Ok(agreed) = accept(&mut headers, offers, inspected) else {
        return;
    };
    let Some(answer) = strict(&joined(&headers)) else {
        panic!("no client reads this: {:?}", joined(&headers));
    };
    if !agreed.deflate {
        return assert!(
            answer.is_empty(),
            "{answer:?} is not what the sidecar relays"
        );
    }
    let [extension] = &answer[..] else {
        panic!("not one extension: {answer:?}");
    };
    assert!(
        !offers.is_empty() && extension.name == DEFLATE,
        "not offered: {extension:?}"
    );
    let is_window = |value: &Option<String>| {
        let bits = value.as_ref().and_then(|bits| bits.parse::<u8>().ok());
        bits.is_some_and(|bits| (8..=15).contains(&bits) && *value == Some(bits.to_string()))
    };
    for (index, (name, value)) in extension.parameters.iter().enumerate() {
        let may_be = match &**name {
            CLIENT_NO_CONTEXT | "server_no_context_takeover" => value.is_none(),
            "server_max_window_bits" | "client_max_window_bits" => is_window(value),
            _ => false,
        };
        assert!(may_be, "RFC 7692 section 7.1: {name}={value:?}");
        let mut before = extension.parameters[..index].iter();
        assert!(before.all(|(other, _)| other != name), "{name} twice");
    }
    assert!(!inspected || extension.has(CLIENT_NO_CONTEXT));
    assert_eq!(
        agreed.inflates(Leg::Client),
        extension.has(CLIENT_NO_CONTEXT)
    );
    assert_eq!(
        agreed.inflates(Leg::Upstream),
        extension.has("server_no_context_takeover")
    );
    if extension.has("client_max_window_bits")
        && let Some(offers) = strict(offers)
    {
        let offered = offers
            .iter()
            .any(|offer| offer.has("client_max_window_bits"));
        assert!(offered, "RFC 7692 section 7.1.2.2");
    }
}

pub(super) fn check(input: &[u8]) {
    let Some((options, text)) = input.split_first() else {
        return;
    };
    let (strip, inspected) = (options & 1 != 0, options & 2 != 0);
    let end = text.windows(2).position(|two| two == b"\n\n");
    let (offers, answer) = end.map_or((text, &[][..]), |end| (&text[..end], &text[end + 2..]));
    let offers = check_offers(&lines(offers), strip, inspected);
    check_answer(&lines(answer), &offers, inspected);
}
