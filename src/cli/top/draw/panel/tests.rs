use super::*;

#[test]
fn bars_fill_the_width_and_lose_no_peak() {
    assert!(stretched(&[], 10).is_empty());
    assert_eq!(stretched(&[7], 3), [7, 7, 7]);
    assert_eq!(stretched(&[1, 2], 4), [1, 1, 2, 2]);
    assert_eq!(stretched(&[1, 9, 2, 3, 4, 0], 3), [9, 3, 4]);
    for width in 1..50 {
        let bars = stretched(&[1, 2, 3, 99, 5, 6, 7], width);
        assert_eq!(bars.len(), width);
        assert!(bars.contains(&99), "{width}: {bars:?}");
    }
}
