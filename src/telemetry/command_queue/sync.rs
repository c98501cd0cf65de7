//! What the queue synchronises with. Its model test replaces this module by loom's types.

pub(super) use std::sync::Mutex;
pub(super) use std::sync::atomic::{AtomicBool, Ordering};
