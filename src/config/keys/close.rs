//! The block `close`, and the codes that one may put into a Close frame.

use serde_json::{Value as Json, json};

use super::super::engine::{
    Block, Scalar, Value, ValueError, ValueType, or_variable, quoted, scalar,
};
use super::super::model::Drain;
use crate::protocol::{Close, MAX_CLOSE_REASON, is_sendable_code};
use crate::session::{Cause, DefaultClose, Leg};

/// The code of a Close frame that the sidecar may send (RFC 6455 section 7.4.2).
pub(crate) struct Code;

impl ValueType for Code {
    type Out = u16;

    fn read(&self, value: &Value) -> Result<u16, Vec<ValueError>> {
        code(&scalar(value)?).map_err(ValueError::here)
    }

    fn show(&self, code: &u16) -> Json {
        json!(code)
    }

    fn schema(&self) -> Json {
        or_variable(json!({"anyOf": [
            {"type": "integer", "minimum": 1000, "maximum": 1003},
            {"type": "integer", "minimum": 1007, "maximum": 1014},
            {"type": "integer", "minimum": 3000, "maximum": 4999},
            {"type": "string", "pattern": r"^\+?0*(100[0-3]|100[7-9]|101[0-4]|[34][0-9]{3})$"},
        ]}))
    }
}

/// The reason of a Close frame.
pub(crate) const REASON: Scalar<String> = Scalar {
    read: |text| {
        if text.len() > MAX_CLOSE_REASON {
            let length = text.len();
            return Err(format!(
                "a close reason has at most {MAX_CLOSE_REASON} bytes; this one has {length}"
            ));
        }
        Ok(text.to_owned())
    },
    show: |reason| json!(reason),
    schema: || json!({"type": "string", "maxLength": MAX_CLOSE_REASON}),
};

fn code(text: &str) -> Result<u16, String> {
    const USABLE: &str = "use 1000-1003, 1007-1014, or your own from 4000-4999";
    match text.parse::<u16>() {
        Ok(code) if is_sendable_code(code) => Ok(code),
        Ok(code @ (1005 | 1006 | 1015)) => Err(format!(
            "{code} never goes on the wire: programs show it when no Close frame came; {USABLE}"
        )),
        Ok(code) => Err(format!("{code} is no code for a Close frame; {USABLE}")),
        Err(_) => Err(format!(
            "{} is no code for a Close frame; {USABLE}",
            quoted(text)
        )),
    }
}

/// What the client is sent, cause by cause; only what differs from the defaults is kept.
pub(crate) fn closes(b: &mut impl Block, base: &[(Cause, Close)]) -> Vec<(Cause, Close)> {
    let mut set = Vec::new();
    for cause in Cause::ALL {
        let default = match cause.default_close(Leg::Client) {
            DefaultClose::Fixed(code, reason) if cause.configurable() => Close::new(code, reason),
            _ => {
                b.refused(cause.label(), why_not(cause));
                continue;
            }
        };
        let inherited = base.iter().find(|(other, _)| *other == cause);
        let inherited = inherited.map_or(&default, |(_, close)| close);
        let close = b.block(
            cause.label(),
            "What the client is sent for this cause.",
            |b| close(b, inherited),
        );
        if close != default {
            set.push((cause, close));
        }
    }
    set
}

fn why_not(cause: Cause) -> &'static str {
    match cause {
        Cause::ClientClosed => "cannot be set: the client gets its own code and reason back",
        Cause::UpstreamClosed => {
            "cannot be set: the client gets the code and reason that the backend sent"
        }
        Cause::Drained => "is set by `drain.code` and `drain.reason`",
        _ => "cannot be set: the client is gone already, so that nothing is sent to it",
    }
}

fn close(b: &mut impl Block, base: &Close) -> Close {
    let code = b.key(
        "code",
        &base.code().unwrap_or(1001),
        &Code,
        "The code of the Close frame.",
    );
    let reason = b.key(
        "reason",
        &base.reason().to_owned(),
        &REASON,
        "Its reason, at most 123 bytes.",
    );
    Close::new(code, &reason)
}

/// `drain.code` and `drain.reason`.
pub(crate) fn drain_close(b: &mut impl Block, base: &Drain) -> Close {
    close(b, &base.close)
}

#[cfg(test)]
mod tests;
