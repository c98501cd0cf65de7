use super::super::parse::parsed;
use super::*;

#[test]
fn durations_have_a_unit() {
    for (text, millis) in [
        ("500ms", 500),
        ("25s", 25_000),
        ("1.5s", 1_500),
        ("2m", 120_000),
        ("1h", 3_600_000),
        ("1d", 86_400_000),
    ] {
        assert_eq!(
            parse_duration(text),
            Ok(Duration::from_millis(millis)),
            "{text}"
        );
    }
}

#[test]
fn a_bad_duration_names_a_right_one() {
    for (text, help) in [
        ("60", "write 60s"),
        ("60 s", "did you mean 60s?"),
        ("5min", "did you mean 5m?"),
        ("2H", "did you mean 2h?"),
        ("", "write 500ms"),
        ("s", "write 500ms"),
        ("1.s", "write 500ms"),
        (".5s", "write 500ms"),
        ("1.2.3s", "write 500ms"),
        ("-5s", "write 500ms"),
        ("5 fortnights", "write 500ms"),
        ("99999999999999999999s", "too long"),
        ("9999999999999999d", "too long"),
    ] {
        let message = parse_duration(text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
    let zero = TIME.read(&Value::from("0s")).unwrap_err();
    assert_eq!(zero[0].message, "0s is not between 1ms and 365d");
    assert_eq!(TIME_OR_NONE.read(&Value::from("0s")), Ok(Duration::ZERO));
    assert!(TIME.read(&Value::from("366d")).is_err());
}

#[test]
fn sizes_have_binary_units() {
    for (text, bytes) in [
        ("100B", 100),
        ("100", 100),
        ("64KiB", 65_536),
        ("1.5MiB", 1_572_864),
        ("1GiB", 1 << 30),
    ] {
        assert_eq!(parse_size(text), Ok(bytes), "{text}");
    }
}

#[test]
fn a_bad_size_names_a_right_one() {
    for (text, help) in [
        ("16MB", "did you mean 16MiB?"),
        ("64k", "did you mean 64KiB?"),
        ("64kib", "did you mean 64KiB?"),
        ("1TiB", "write 100B"),
        ("big", "write 100B"),
        ("9999999999GiB", "too large"),
        ("9223372036854775808", "too large"),
    ] {
        let message = parse_size(text).unwrap_err();
        assert!(message.contains(help), "{text}: {message}");
    }
    assert!(Size.read(&parsed("0").value).is_err());
    assert_eq!(SizeUpTo(1024).read(&Value::from("1KiB")), Ok(1024));
    let above = SizeUpTo(1024).read(&parsed("1025").value).unwrap_err();
    assert_eq!(above[0].message, "1025B is more than 1KiB");
}

#[test]
fn what_is_shown_is_read_back() {
    for millis in [
        0, 1, 999, 1_000, 60_000, 90_000, 120_000, 3_600_000, 86_400_000, 86_460_000,
    ] {
        let time = Duration::from_millis(millis);
        assert_eq!(parse_duration(&show_duration(time)), Ok(time));
    }
    assert_eq!(show_duration(Duration::from_secs(60)), "60s");
    assert_eq!(show_duration(Duration::from_secs(300)), "5m");
    for size in [1, 1023, 1024, 65_536, 16 << 20, 1 << 30, (1 << 30) + 1] {
        assert_eq!(parse_size(&show_size(size)), Ok(size));
    }
    assert_eq!(show_size(16 << 20), "16MiB");
}

#[test]
fn durations_of_several_parts_are_summed() {
    for (text, meant) in [
        ("1m30s", Some("90s")),
        ("1h 30m", Some("90m")),
        ("5秒", Some("5s")),
        ("2 分钟", Some("2m")),
        ("1w", Some("7d")),
        ("5 fortnights", None),
        ("s", None),
        ("", None),
        ("99999999999999999999s", None),
    ] {
        assert_eq!(meant_duration(text).as_deref(), meant, "{text}");
    }
}
