//! RFC 6455 on bytes: no IO, no clock, no logging.

mod close;
mod encode;
mod extensions;
mod frame;
mod message;
mod utf8;
mod violation;

pub use close::{Close, MAX_CLOSE_REASON, is_sendable_code};
pub use encode::{Masking, encode_frame};
pub use extensions::{ExtensionError, accepted_deflate, offered_deflate};
pub use frame::{FrameReader, MAX_CONTROL_PAYLOAD, MAX_HELD, Role, Rules, Step};
pub use utf8::Utf8Validator;
pub use violation::Violation;
