//! The page of metrics itself, put together from events that are told one by one.
//!
//! After an intended change, `SIDEBEAT_BLESS=1 cargo test --test it metrics::` writes the expected pages anew; read the
//! difference before committing it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime};

use sidebeat::config::HealthMode;
use sidebeat::config::{self, Config};
use sidebeat::per_leg::PerLeg;
use sidebeat::session::{Cause, Counters, Leg, LegClose, Session, Time};
use sidebeat::telemetry::events::HandshakeFailed;
use sidebeat::telemetry::metrics::{Format, render};
use sidebeat::telemetry::{
    Beginning, ClosingRecord, Handle, HandshakeFailure, Identity, Observer, Opened, Permit,
};

use super::scrape::Scrape;

const FILE: &str = r#"
listen: 127.0.0.1:1
upstream: ws://127.0.0.1:9501
limits: {max_connections: off}
heartbeat:
  app: [{preset: phoenix}, {name: 'quo"ted \ named', match: {text: hi}, reply: there}]
routes:
  - match: {path: /chat}
    upstream: unix:/run/chat.sock
"#;

fn configuration(text: &str) -> Config {
    config::parse(text, "test", &|_| None).unwrap().config
}

/// An established connection of a route, with a permit to end it by.
struct Connection {
    observer: Arc<Observer>,
    permit: Permit,
    handle: Arc<Handle>,
    session: Session,
}

impl Connection {
    fn open(observer: &Arc<Observer>, config: &Config, route: &str) -> Connection {
        let identity = Identity {
            conn: ulid::Ulid::generate().to_string().into(),
            request_id: "r".into(),
            client: "192.0.2.1:1".into(),
            headers: None,
            route: route.into(),
            host: "a".into(),
            path: "/".into(),
            subprotocol: None,
            upstream: "127.0.0.1:9501".into(),
        };
        let mut permit = observer.registry.admit(None, &config.process).unwrap();
        let beginning = Beginning {
            opened: Time::from_micros(1),
            opened_at: SystemTime::UNIX_EPOCH,
            compressed: false,
        };
        let handle = Handle::new(identity, beginning, None, &observer.process_stats);
        let handle = Arc::new(handle);
        let opened = Opened {
            identity: &handle.identity,
            compressed: false,
            handshake: Duration::from_millis(3),
        };
        observer.opened(&mut permit, &handle, &opened, false);
        let policy = Arc::clone(&config.default.policy);
        Connection {
            observer: Arc::clone(observer),
            permit,
            handle,
            session: Session::new(policy, 0, Time::from_micros(1)),
        }
    }

    /// A message of five bytes in each direction, and three more to the client.
    fn talk(&mut self) {
        for (from, bytes, messages) in [
            (Leg::Client, 5, 1),
            (Leg::Upstream, 5, 1),
            (Leg::Upstream, 3, 0),
        ] {
            let now = Time::from_micros(2);
            self.session.data(from, bytes, messages, now);
        }
        self.handle.stats.publish(&self.session);
    }

    fn close(mut self, cause: Cause) {
        let (nothing, counters) = (LegClose::default(), Counters::default());
        let record = ClosingRecord {
            identity: &self.handle.identity,
            cause,
            detail: "",
            mid_frame: false,
            closes: PerLeg::new(&nothing, &nothing),
            duration: Duration::from_secs(90),
            silence: PerLeg::default(),
            counters: PerLeg::new(&counters, &counters),
            app_heartbeats: 0,
            captured: BTreeMap::new(),
        };
        self.observer.closed(&mut self.permit, &record);
    }
}

fn fail(observer: &Observer, failure: HandshakeFailure) {
    let record = HandshakeFailed {
        request_id: None,
        client: "",
        headers: None,
        route: None,
        host: None,
        path: None,
        upstream: None,
        failure,
        phase: "opening",
        status: None,
        detail: "",
        duration_ms: 0,
    };
    observer.handshake_failed(&record);
}

/// Without what differs from process to process.
fn masked(page: &str) -> String {
    let varies = |line: &&str| {
        let named = ["process_", "sidebeat_config_last_reload_timestamp_seconds "];
        named.iter().any(|name| line.starts_with(name))
    };
    let lines = page.lines().map(|line| match varies(&line) {
        true => format!("{} …\n", line.split(' ').next().unwrap_or_default()),
        false => format!("{line}\n"),
    });
    let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
    lines.collect::<String>().replace(&version, "version=\"…\"")
}

#[test]
fn the_pages_are_as_expected() {
    let (observer, config) = (Arc::new(Observer::default()), configuration(FILE));
    let addresses = ["127.0.0.1:9501", "unix:/run/chat.sock"];
    let backends = addresses.map(|it| (it.to_owned(), HealthMode::Passive));
    observer.upstreams.follow(&backends);
    observer.upstream_reached(&addresses[0]);
    let mut living = Connection::open(&observer, &config, "/chat");
    living.talk();
    let mut over = Connection::open(&observer, &config, "default");
    over.talk();
    over.close(Cause::ClientIdle);
    fail(&observer, HandshakeFailure::OriginDenied);
    observer.process_stats.count_reload(false);
    for (format, name) in [
        (Format::Prometheus, "page.txt"),
        (Format::OpenMetrics, "page.openmetrics"),
    ] {
        let page = masked(&render(&observer, &config, format));
        let path = format!("{}/tests/it/metrics/{name}", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os("SIDEBEAT_BLESS").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap();
        let first = page
            .lines()
            .zip(expected.lines())
            .find(|(is, should)| is != should);
        assert!(page == expected, "{name} differs, first at {first:?}");
    }
    drop(living);
}

#[test]
fn every_cause_and_every_failure_has_a_series_of_its_own() {
    let (observer, config) = (Arc::new(Observer::default()), configuration(FILE));
    let scrape = || Scrape::parse(&render(&observer, &config, Format::Prometheus));
    for route in ["/chat", "default"] {
        for cause in Cause::ALL {
            let series = format!(
                "sidebeat_connections_closed_total{{route=\"{route}\",initiator=\"{}\",reason=\"{}\"}}",
                cause.initiator().label(),
                cause.label()
            );
            assert!(scrape().get(&series) == 0.0, "{series}");
            Connection::open(&observer, &config, route).close(cause);
            assert!(scrape().get(&series) == 1.0, "{series}");
        }
    }
    let closed = 2.0 * Cause::ALL.len() as f64;
    assert_eq!(scrape().sum("sidebeat_connections_closed_total"), closed);
    assert_eq!(scrape().sum("sidebeat_connections_opened_total"), closed);
    assert_eq!(scrape().sum("sidebeat_connections"), 0.0);
    assert_eq!(scrape().get("sidebeat_connections_admitted"), 0.0);
    assert_eq!(
        scrape().get("sidebeat_connection_duration_seconds_count"),
        closed
    );

    for failure in HandshakeFailure::ALL {
        let series = format!(
            "sidebeat_handshakes_failed_total{{reason=\"{}\"}}",
            failure.label()
        );
        assert!(scrape().get(&series) == 0.0, "{series}");
        fail(&observer, failure);
        assert!(scrape().get(&series) == 1.0, "{series}");
    }
    let failed = HandshakeFailure::ALL.len() as f64;
    assert_eq!(scrape().sum("sidebeat_handshakes_failed_total"), failed);
}

#[test]
fn routes_of_a_former_configuration_keep_their_counts() {
    let (observer, config) = (Arc::new(Observer::default()), configuration(FILE));
    Connection::open(&observer, &config, "/chat").close(Cause::ClientClosed);
    let config = configuration("{listen: ':1', upstream: ws://a}");
    let scrape = Scrape::parse(&render(&observer, &config, Format::Prometheus));
    assert_eq!(
        scrape.get("sidebeat_connections_opened_total{route=\"/chat\"}"),
        1.0
    );
    assert_eq!(
        scrape.get("sidebeat_connections_opened_total{route=\"default\"}"),
        0.0
    );
}

#[test]
fn no_counter_goes_back_while_connections_come_and_go() {
    const ROUNDS: usize = 300;
    let (observer, config) = (Arc::new(Observer::default()), configuration(FILE));
    thread::scope(|scope| {
        let coming_and_going = [0, 1].map(|_| {
            scope.spawn(|| {
                for round in 0..ROUNDS {
                    let mut connection = Connection::open(&observer, &config, "default");
                    connection.talk();
                    connection.close(Cause::ALL[round % Cause::ALL.len()]);
                }
            })
        });
        let mut before = Scrape::parse("");
        while !coming_and_going.iter().all(|thread| thread.is_finished()) {
            let now = Scrape::parse(&render(&observer, &config, Format::Prometheus));
            for ((name, value), (_, old)) in now.counters().zip(before.counters()) {
                assert!(value >= old, "{name}: {old} and then {value}");
            }
            let messages = "sidebeat_messages_total{direction=\"client_to_upstream\"}";
            assert!(now.get(messages) <= now.sum("sidebeat_connections_opened_total"));
            before = now;
        }
    });
    let scrape = Scrape::parse(&render(&observer, &config, Format::Prometheus));
    for direction in ["client_to_upstream", "upstream_to_client"] {
        let series = format!("sidebeat_messages_total{{direction=\"{direction}\"}}");
        assert_eq!(scrape.get(&series), 2.0 * ROUNDS as f64);
    }
}
