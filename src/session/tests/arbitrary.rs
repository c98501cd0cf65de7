//! Policies and events for random sequences of them.

use proptest::prelude::*;

use super::*;

/// What may happen in between; sockets report what was asked for when they please.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    Wait(u64),
    Data(Leg, bool),
    Ping(Leg),
    Pong(Leg, u8),
    /// Answers the newest ping.
    Answer(Leg),
    Measure(Leg),
    /// Answers the newest ping that was measured.
    AnswerMeasure(Leg),
    Close(Leg, u16),
    Violation(Leg, bool),
    Lost(Leg, bool),
    Written(Leg),
    Progress(Leg, bool),
    Paused(Leg),
    Resumed(Leg),
    /// A timer that rings too early, or for nothing.
    Timeout,
    Policy(Box<Policy>),
    Terminate,
}

fn leg() -> impl Strategy<Value = Leg> {
    prop_oneof![Just(CLIENT), Just(UPSTREAM)]
}

fn maybe(range: std::ops::Range<u64>) -> impl Strategy<Value = Option<Duration>> {
    prop::option::of(range.prop_map(ms))
}

fn any_heartbeat() -> impl Strategy<Value = Heartbeat> {
    let kind = prop_oneof![
        3 => Just(ProbeKind::Ping),
        1 => Just(ProbeKind::Pong),
        1 => Just(ProbeKind::Text("alive?".into())),
    ];
    let probe = (kind, 100..30_000_u64, maybe(1..30_000), 1..4_u32).prop_map(
        |(kind, interval, timeout, missed_pongs)| Probe {
            pong_timeout: timeout.filter(|_| kind == ProbeKind::Ping),
            kind,
            interval: ms(interval),
            missed_pongs,
        },
    );
    let notice = (1..20_000_u64).prop_map(|before| IdleNotice {
        before: ms(before),
        text: "soon".into(),
    });
    (
        maybe(1..90_000),
        any::<bool>(),
        prop::option::of(probe),
        any::<bool>(),
        prop::option::of(notice),
    )
        .prop_map(
            |(idle_time, message, probe, forward, idle_notice)| Heartbeat {
                idle_time,
                activity: if message {
                    Activity::Message
                } else {
                    Activity::Frame
                },
                probe,
                answer_pings: if forward {
                    AnswerPings::Forward
                } else {
                    AnswerPings::Local
                },
                idle_notice,
            },
        )
}

pub(super) fn any_policy() -> impl Strategy<Value = Policy> {
    let limits = (
        maybe(1..20_000),
        maybe(1..100_000),
        prop::option::of(1..20_u32),
    );
    (10..3000_u64, any_heartbeat(), any_heartbeat(), limits).prop_map(
        |(check, client, upstream, (stall, lifetime, pings))| {
            let mut policy = quiet();
            policy.check_interval = ms(check);
            policy.client = client;
            policy.upstream = upstream;
            policy.limits.write_stall_timeout = stall;
            policy.limits.max_lifetime = lifetime;
            policy.limits.pings_per_second = pings;
            policy
        },
    )
}

/// What no connection ends of by itself.
pub(super) fn alive() -> impl Strategy<Value = Happening> {
    prop_oneof![
        20 => (0..20_000_000_u64).prop_map(Happening::Wait),
        10 => (leg(), any::<bool>()).prop_map(|(leg, ends)| Happening::Data(leg, ends)),
        5 => leg().prop_map(Happening::Ping),
        3 => (leg(), any::<u8>()).prop_map(|(leg, len)| Happening::Pong(leg, len)),
        5 => leg().prop_map(Happening::Answer),
        3 => leg().prop_map(Happening::Measure),
        3 => leg().prop_map(Happening::AnswerMeasure),
        10 => leg().prop_map(Happening::Written),
        5 => (leg(), any::<bool>()).prop_map(|(leg, blocked)| Happening::Progress(leg, blocked)),
        3 => leg().prop_map(Happening::Paused),
        3 => leg().prop_map(Happening::Resumed),
        3 => Just(Happening::Timeout),
        2 => any_policy().prop_map(|policy| Happening::Policy(Box::new(policy))),
    ]
}

pub(super) fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        70 => alive(),
        1 => (leg(), 1000..1004_u16).prop_map(|(leg, code)| Happening::Close(leg, code)),
        1 => (leg(), any::<bool>()).prop_map(|(leg, mid)| Happening::Violation(leg, mid)),
        1 => (leg(), any::<bool>()).prop_map(|(leg, mid)| Happening::Lost(leg, mid)),
        1 => Just(Happening::Terminate),
    ]
}
