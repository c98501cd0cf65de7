use super::*;

#[test]
fn a_burst_of_twice_the_rate_and_then_the_rate() {
    let rate = Some(10);
    let mut bucket = TokenBucket::new(rate, Time::from_micros(0));
    for _ in 0..20 {
        assert!(bucket.take(rate, Time::from_micros(0)));
    }
    assert!(!bucket.take(rate, Time::from_micros(99_999)));
    assert!(bucket.take(rate, Time::from_micros(100_000)));
    assert!(!bucket.take(rate, Time::from_micros(100_000)));
}

#[test]
fn a_rate_that_comes_later_begins_with_its_burst() {
    let mut bucket = TokenBucket::new(None, Time::from_micros(0));
    for _ in 0..20 {
        assert!(bucket.take(Some(10), Time::from_micros(1)));
    }
    assert!(!bucket.take(Some(10), Time::from_micros(1)));
}

#[test]
fn off_takes_any_number() {
    let mut bucket = TokenBucket::new(None, Time::from_micros(0));
    assert!((0..1000).all(|_| bucket.take(None, Time::from_micros(0))));
}
