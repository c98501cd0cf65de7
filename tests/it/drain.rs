//! Draining: a few clients looked at closely, and a thousand at once.

mod clients;
mod crowd;
