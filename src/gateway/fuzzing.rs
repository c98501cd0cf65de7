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

/// Panics if an invariant of the relay does not hold for this input.
pub fn relay(input: &[u8]) {
    crate::relay::driver::fuzzing::check(input);
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    fn replay(target: &str, check: fn(&[u8])) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/corpus")
            .join(target);
        let mut inputs = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            // Shown by the test runner when the check below panics.
            println!("{}", path.display());
            check(&fs::read(&path).unwrap());
            inputs += 1;
        }
        assert!(inputs > 0, "{} is empty", folder.display());
    }

    #[test]
    fn the_corpus_of_extensions_holds() {
        replay("extensions", super::extensions);
    }

    #[test]
    fn the_corpus_of_heads_holds() {
        replay("heads", super::heads);
    }

    #[test]
    fn the_corpus_of_the_relay_holds() {
        replay("relay", super::relay);
    }
}
