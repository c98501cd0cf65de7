use super::*;
use crate::admin::types::Closed;

fn summary(uptime_ms: u64, messages: u64, closed: &[(&str, u64)]) -> Summary {
    let mut summary = Summary {
        uptime_ms,
        ..Summary::default()
    };
    summary.client.counters.messages = messages;
    let closed = closed.iter().map(|(reason, count)| Closed {
        route: "default".to_owned(),
        initiator: "client".to_owned(),
        reason: (*reason).to_owned(),
        count: *count,
    });
    summary.closed = closed.collect();
    summary
}

#[test]
fn a_rate_is_that_of_the_last_ten_seconds() {
    let mut rates = Rates::default();
    rates.add(&summary(1000, 500, &[("client_lost", 7)]));
    assert_eq!(rates.now(), None);
    assert_eq!(rates.reasons(), [("client_lost", 7, 0.0)]);
    // Two routes have the same reason.
    let closed = [("client_lost", 7), ("client_idle", 9), ("client_lost", 1)];
    rates.add(&summary(3000, 600, &closed));
    let now = rates.now().unwrap();
    assert_eq!((now.messages, now.closed), (50.0, 5.0));
    let reasons = [("client_idle", 9, 4.5), ("client_lost", 8, 0.5)];
    assert_eq!(rates.reasons(), reasons);
    for second in 4..=60 {
        rates.add(&summary(second * 1000, 600, &closed));
    }
    assert_eq!(rates.now().unwrap().messages, 0.0);
    assert!(rates.seen.len() <= 12, "{}", rates.seen.len());
}

#[test]
fn another_process_begins_anew() {
    let mut rates = Rates::default();
    rates.add(&summary(100_000, 500, &[("client_lost", 7)]));
    rates.add(&summary(2000, 10, &[]));
    assert_eq!(rates.now(), None);
    rates.add(&summary(3000, 30, &[]));
    assert_eq!(rates.now().unwrap().messages, 20.0);
}
