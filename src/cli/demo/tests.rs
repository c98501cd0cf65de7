use super::*;

#[test]
fn the_demo_sets_a_good_example() {
    for listen in ["127.0.0.1:8080", "[::1]:8080"] {
        let listen = listen.parse().unwrap();
        let text = configuration(listen, ([127, 0, 0, 1], 9501).into(), ADMIN);
        let loaded = load(&text).unwrap();
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.config.listen, [config::Listen::Tcp(listen)]);
    }
}

#[test]
fn a_taken_address_is_left_to_its_owner() {
    let owner = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = owner.local_addr().unwrap();
    let address = available(taken, "it").unwrap();
    assert_eq!(address.ip(), taken.ip());
    assert_ne!(address, taken);
    drop(owner);
    assert_eq!(available(taken, "it").unwrap(), taken);
}
