//! What `fuzz/` does to the parts of the data path that the library does not show. Compiled for fuzzers and tests only.

mod extensions;
mod heads;
mod http;

/// Panics if an invariant of the negotiation of extensions does not hold for this input.
pub fn extensions(input: &[u8]) {
    extensions::check(input);
}

/// Panics if an invariant of what is passed on of heads does not hold for this input.
pub fn heads(input: &[u8]) {
    heads::check(input);
}

#[cfg(test)]
mod tests;
