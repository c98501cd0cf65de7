use super::*;

#[test]
fn a_bound_belongs_to_its_bucket() {
    let histogram = Histogram::new(&[100, 1_000_000]);
    for micros in [0, 100, 101, 1_000_000, 1_000_001, 9_000_000] {
        histogram.observe(Duration::from_micros(micros));
    }
    let distribution = histogram.distribution();
    assert_eq!(
        distribution.up_to,
        [(0.0001, 2), (1.0, 4), (f64::INFINITY, 6)]
    );
    assert_eq!(distribution.count(), 6);
    assert!((distribution.sum - 11.000_202).abs() < 1e-9);
}
