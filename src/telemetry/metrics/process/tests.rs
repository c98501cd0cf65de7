use super::*;

#[test]
fn a_name_may_hold_anything() {
    let text = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 12345 8192000 500 18446744073709551615\n";
    let stat = Stat::parse(text, 100.0, 4096);
    let expected = Stat {
        cpu_seconds: 3.0,
        threads: 3,
        virtual_memory: 8_192_000,
        memory: 2_048_000,
    };
    assert_eq!(stat, Some(expected));
    assert_eq!(Stat::parse("7 (a) S 1", 100.0, 4096), None);
    assert_eq!(Stat::parse("", 100.0, 4096), None);
}

#[test]
fn this_process_is_there() {
    let stat = Stat::read().unwrap();
    assert!(stat.threads >= 1 && stat.memory > 100_000, "{stat:?}");
    assert!(open_files().unwrap() >= 3 && counted_files("/proc/self/fd").unwrap() >= 3);
}
