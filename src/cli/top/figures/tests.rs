use super::*;

#[test]
fn figures_keep_to_a_few_characters() {
    for (number, shown) in [
        (0, "0"),
        (999, "999"),
        (1234, "1,234"),
        (99_999, "99,999"),
        (100_000, "100k"),
        (1_250_000, "1.2M"),
        (999_960_000, "1.0G"),
        (u64::MAX, "18.4E"),
    ] {
        assert_eq!(count(number), shown);
    }
    for (number, shown) in [
        (0.0, "0/s"),
        (0.05, "0.05/s"),
        (0.1, "0.1/s"),
        (12.34, "12.3/s"),
        (1234.5, "1,235/s"),
    ] {
        assert_eq!(rate(number), shown);
    }
    for (number, shown) in [
        (0.0, "0 B"),
        (1023.0, "1023 B"),
        (1024.0, "1.0 KiB"),
        (150.0 * 1024.0, "150 KiB"),
        (1024.0 * 1024.0 - 1.0, "1.0 MiB"),
    ] {
        assert_eq!(bytes(number), shown);
    }
    for (ms, shown) in [
        (850, "850ms"),
        (59_999, "59s"),
        (185_000, "3m05s"),
        (8_040_000, "2h14m"),
        (273_600_000, "3d04h"),
    ] {
        assert_eq!(span(ms), shown);
    }
    for (ms, shown) in [(0.314, "0.31"), (18.44, "18.4"), (1234.5, "1234")] {
        assert_eq!(millis(ms), shown);
    }
}
