#[test]
fn the_corpus_of_the_relay_holds() {
    super::replay("relay", super::relay);
}
