use super::*;

fn plain(payload: &[u8], compressed: bool, mask: Option<[u8; 4]>) -> Option<Vec<u8>> {
    let small = Small {
        payload,
        compressed,
        mask,
    };
    with_plain(&small, 1024, &mut 0, <[u8]>::to_vec)
}

#[test]
fn masks_come_off_before_anything_is_inflated() {
    let key = Some([1, 2, 3, 4]);
    let compressed = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
    for (message, is_compressed) in [(&b"Hello"[..], false), (&compressed, true)] {
        let mut masked = message.to_vec();
        apply_mask(&mut masked, [1, 2, 3, 4], 0);
        assert_eq!(plain(&masked, is_compressed, key).unwrap(), b"Hello");
        assert_eq!(plain(message, is_compressed, None).unwrap(), b"Hello");
    }
}

#[test]
fn one_message_does_not_see_another() {
    assert_eq!(
        plain(&[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], true, None).unwrap(),
        b"Hello"
    );
    // RFC 7692 section 7.2.3.2: the same again, by reference.
    assert_eq!(plain(&[0xf2, 0x00, 0x11, 0x00, 0x00], true, None), None);
}

#[test]
fn a_peer_gets_a_burst_and_then_its_share_of_every_second() {
    let cost = 20_000;
    let seen = |from: u64, to: u64, allowance: &mut Allowance| {
        let mut seen = 0;
        for millis in from..to {
            for _ in 0..100 {
                if allowance.has_some(Time::from_micros(millis * 1000)) {
                    allowance.spend(cost);
                    seen += 1;
                }
            }
        }
        seen
    };
    let mut allowance = Allowance::new(Time::from_micros(0));
    assert_eq!(seen(0, 1, &mut allowance), 100);
    let first_second = seen(1, 1000, &mut allowance);
    assert!((1390..=1410).contains(&first_second), "{first_second}");
    let next_second = seen(1000, 2000, &mut allowance);
    assert!((490..=510).contains(&next_second), "{next_second}");
    // An hour of silence is worth no more than the burst.
    let hour = 3_600_000;
    let burst = seen(hour, hour + 11, &mut allowance);
    assert!((1000..=1010).contains(&burst), "{burst}");
}

#[test]
fn what_one_message_costs_too_much_is_made_up_for() {
    let mut allowance = Allowance::new(Time::from_micros(0));
    allowance.spend(1_000_000_000);
    assert!(!allowance.has_some(Time::from_micros(90_000_000)));
    assert!(allowance.has_some(Time::from_micros(99_000_000)));
}
