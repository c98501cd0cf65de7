use super::*;

#[test]
fn quantiles_are_values_that_were_measured() {
    let of = |count: u64| {
        let rtts = (1..=count).rev().map(Duration::from_millis).collect();
        quantiles(rtts).map(|it| (it.p50, it.p95, it.p99))
    };
    assert_eq!(of(0), None);
    assert_eq!(of(1), Some((1.0, 1.0, 1.0)));
    assert_eq!(of(2), Some((1.0, 2.0, 2.0)));
    assert_eq!(of(100), Some((50.0, 95.0, 99.0)));
    assert_eq!(of(1000), Some((500.0, 950.0, 990.0)));
}
