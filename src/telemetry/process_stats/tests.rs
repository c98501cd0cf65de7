use super::*;

#[test]
fn bounds_ascend() {
    for bounds in [&HANDSHAKE[..], &CONNECTION, &RTT] {
        assert!(bounds.is_sorted());
    }
}

#[test]
fn every_failure_and_every_status_has_its_place() {
    let process_stats = ProcessStats::default();
    for (index, failure) in HandshakeFailure::ALL.into_iter().enumerate() {
        (0..=index).for_each(|_| process_stats.count_handshake_failure(failure));
    }
    for (index, (failure, count)) in process_stats.handshakes_failed().enumerate() {
        assert_eq!(failure, HandshakeFailure::ALL[index]);
        assert_eq!(count, index as u64 + 1);
    }
    for status in [200, 299, 304, 404, 500, 503, 599, 101, 799] {
        process_stats.count_http_answer(StatusCode::from_u16(status).unwrap());
    }
    let counted: Vec<_> = process_stats.http_answers().collect();
    assert_eq!(
        counted,
        [("2xx", 2), ("3xx", 1), ("4xx", 1), ("5xx", 3), ("other", 2)]
    );
}
