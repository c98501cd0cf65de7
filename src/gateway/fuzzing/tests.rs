use crate::relay::fuzzing::replay;

#[test]
fn the_corpus_of_extensions_holds() {
    replay("extensions", super::extensions);
}

#[test]
fn the_corpus_of_heads_holds() {
    replay("heads", super::heads);
}
