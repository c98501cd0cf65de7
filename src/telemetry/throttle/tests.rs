use super::*;

#[tokio::test(start_paused = true)]
async fn one_in_each_interval_goes_through_with_the_count_of_the_others() {
    let throttle = Throttle::default();
    let began = Instant::now();
    let at = |millis| throttle.count(began + Duration::from_millis(millis));
    assert_eq!(at(0), Some(1));
    assert_eq!(at(1), None);
    assert_eq!(at(9_999), None);
    assert_eq!(at(10_000), Some(3));
    assert_eq!(at(10_001), None);
    assert_eq!(at(60_000), Some(2));
    assert_eq!(at(70_000), Some(1));
}
