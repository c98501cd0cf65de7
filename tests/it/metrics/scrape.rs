//! A page of metrics, taken apart: only as much of the format as the sidecar uses. Real parsers are in `tests/e2e/peers`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::{get, request};

/// Series by their name with labels, as they are written.
#[derive(Debug)]
pub(crate) struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    pub(crate) fn of(address: SocketAddr) -> Scrape {
        let answer = get(address, "/metrics");
        assert_eq!(answer.status, 200);
        Scrape::parse(&String::from_utf8(answer.body).unwrap())
    }

    pub(crate) fn parse(page: &str) -> Scrape {
        let mut series = BTreeMap::new();
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let value = value.parse().unwrap_or_else(|_| panic!("{line}"));
            assert!(series.insert(name.to_owned(), value).is_none(), "{line}");
        }
        Scrape(series)
    }

    /// A series that must be there.
    pub(crate) fn get(&self, name: &str) -> f64 {
        *self
            .0
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in {:#?}", self.0))
    }

    /// The sum over all labels of a metric.
    pub(crate) fn sum(&self, metric: &str) -> f64 {
        let prefix = format!("{metric}{{");
        let series = self.0.iter();
        let series = series.filter(|(name, _)| name.starts_with(&prefix));
        series.map(|(_, value)| value).sum()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Series that must never go back.
    pub(crate) fn counters(&self) -> impl Iterator<Item = (&str, f64)> {
        let grows = |name: &str| {
            let metric = name.split('{').next().unwrap_or_default();
            ["_total", "_bucket", "_count", "_sum"]
                .iter()
                .any(|end| metric.ends_with(end))
        };
        let series = self.0.iter().filter(move |(name, _)| grows(name));
        series.map(|(name, value)| (name.as_str(), *value))
    }
}

/// The page as it is, in OpenMetrics.
pub(crate) fn open_metrics(address: SocketAddr) -> String {
    let request = request("GET /metrics").header("Accept", "application/openmetrics-text");
    let answer = super::Wire::connect(address).ask(&request);
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    String::from_utf8(answer.body).unwrap()
}
