use super::*;

#[test]
fn the_samples_of_15_minutes_are_kept() {
    let history = History::default();
    for nth in 0..MAX_SAMPLES as u64 + 3 {
        history.push(Sample {
            at: SystemTime::UNIX_EPOCH,
            counts: Counts {
                opened: nth,
                ..Counts::default()
            },
        });
    }
    let samples = history.samples();
    assert_eq!(INTERVAL * MAX_SAMPLES as u32, Duration::from_secs(15 * 60));
    assert_eq!(samples.len(), MAX_SAMPLES);
    assert_eq!(samples[0].counts.opened, 3);
    assert_eq!(samples[MAX_SAMPLES - 1].counts.opened, 182);
}
