//! RFC 6455, and what is needed of RFC 7692, on bytes: no IO, no clock, no logging.

mod close;
mod encode;
mod extensions;
mod frame;
mod inflate;
mod negotiated;
mod utf8;
mod violation;

pub use close::{Close, MAX_CLOSE_REASON, is_sendable_code};
pub use encode::{apply_mask, encode_frame};
pub use extensions::{
    Deflate, ExtensionError, deflate_accepted, deflate_offers, deflate_without_client_context,
};
pub use frame::{Boundary, ControlKind, ControlPayload, FrameReader, MAX_HELD, Role, Rules, Step};
pub use inflate::{Inflater, MAX_DEFLATE_BLOCKS};
pub use negotiated::Extensions;
pub use utf8::Utf8Validator;
pub use violation::Violation;

pub use tokio_tungstenite::tungstenite::protocol::frame::coding::{Control, Data, OpCode};

/// The most payload bytes that a control frame may carry (RFC 6455 section 5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;
