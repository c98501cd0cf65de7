use super::*;

#[test]
fn rounding_up_is_never_early_and_less_than_a_step_late() {
    let grid = Duration::from_secs(1);
    for micros in [0, 1, 999_999, 1_000_000, 1_000_001] {
        let time = Time::from_micros(micros);
        let rounded = time.round_up(grid);
        assert!(rounded >= time && rounded.since(time) < grid, "{micros}");
        assert_eq!(rounded.micros() % 1_000_000, 0);
    }
}

#[test]
fn no_time_takes_no_room() {
    assert_eq!(size_of::<Option<Time>>(), size_of::<u64>());
}

#[test]
fn the_beginning_and_the_end_of_time_hold() {
    let beginning = Time::from_micros(0);
    assert_eq!(beginning.micros(), 0);
    assert_eq!(beginning.before(Duration::MAX), beginning);
    let end = beginning.after(Duration::MAX);
    assert_eq!(end.after(Duration::MAX), end);
    assert_eq!(end.round_up(Duration::from_secs(1)), end);
}

#[test]
fn no_deadline_is_neither_earliest_nor_due() {
    let (soon, late) = (Time::from_micros(1), Time::from_micros(2));
    assert_eq!(earliest([None, Some(late), Some(soon)]), Some(soon));
    assert_eq!(earliest([None, None]), None);
    assert!(is_due(Some(soon), soon) && !is_due(Some(late), soon) && !is_due(None, late));
}
