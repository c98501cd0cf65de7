use super::*;

#[test]
fn an_ipv6_client_is_its_64_and_an_ipv4_client_its_address() {
    let group = |text: &str| ip_group(text.parse().unwrap());
    assert_eq!(group("2001:db8:1:2::1"), group("2001:db8:1:2:ffff::9"));
    assert_ne!(group("2001:db8:1:2::1"), group("2001:db8:1:3::1"));
    assert_eq!(group("::ffff:192.0.2.1"), group("192.0.2.1"));
    assert_ne!(group("192.0.2.1"), group("192.0.2.2"));
}
