//! What `fuzz/` does to the relay. Compiled for fuzzers and tests only.

#[cfg(test)]
use std::fs;
#[cfg(test)]
use std::path::Path;

/// Panics if an invariant of the relay does not hold for this input.
pub fn relay(input: &[u8]) {
    super::driver::fuzzing::check(input);
}

/// Checks every input of a target's corpus.
#[cfg(test)]
pub(crate) fn replay(target: &str, check: fn(&[u8])) {
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

#[cfg(test)]
mod tests;
