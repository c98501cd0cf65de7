//! The process at a glance: as many lines as its figures need in this width.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::figures::{bytes, count, millis, rate, span};
use super::super::state::State;
use super::Theme;
use crate::admin::types::{Quantiles, Summary};
use crate::printable::escaped;

/// Between two figures.
const GAP: usize = 3;

/// A figure with its name.
struct Figure {
    name: &'static str,
    value: String,
    tone: Tone,
}

enum Tone {
    Plain,
    Good,
    Bad,
}

/// Each group begins a line of its own; at most `height` lines.
pub(super) fn flow(state: &State, theme: Theme, width: u16, height: u16) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for group in groups(state) {
        let mut line = Line::default();
        for figure in group {
            let spans = figure.spans(theme);
            let wide: usize = spans.iter().map(Span::width).sum();
            if !line.spans.is_empty() {
                if line.width() + GAP + wide <= usize::from(width) {
                    line.push_span(" ".repeat(GAP));
                } else {
                    lines.push(std::mem::take(&mut line));
                }
            }
            line.spans.extend(spans);
        }
        lines.push(line);
    }
    lines.truncate(usize::from(height.max(1)));
    lines
}

/// The same as text, a line for each group.
pub(in super::super) fn lines(state: &State) -> Vec<String> {
    let theme = Theme { colours: false };
    let lines = flow(state, theme, u16::MAX, u16::MAX);
    lines.iter().map(Line::to_string).collect()
}

impl Figure {
    fn spans(self, theme: Theme) -> Vec<Span<'static>> {
        let style = match self.tone {
            Tone::Plain => theme.strong(),
            Tone::Good => theme.good(),
            Tone::Bad => theme.bad(),
        };
        let value = Span::styled(escaped(&self.value).into_owned(), style);
        match self.name {
            "" => vec![value],
            name => vec![Span::styled(format!("{name} "), Style::new()), value],
        }
    }
}

fn figure(name: &'static str, value: String) -> Figure {
    let tone = Tone::Plain;
    Figure { name, value, tone }
}

fn groups(state: &State) -> Vec<Vec<Figure>> {
    let Some(summary) = &state.summary else {
        return vec![vec![figure("sidebeat top", state.place.clone())]];
    };
    vec![
        process(state, summary),
        connections(state, summary),
        traffic(state, summary),
    ]
}

fn process(state: &State, summary: &Summary) -> Vec<Figure> {
    let mut figures = vec![
        figure("sidebeat", summary.version.clone()),
        figure("at", state.place.clone()),
        figure("up", span(summary.uptime_ms)),
    ];
    if let Some(draining) = &summary.draining {
        let (left, of) = (count(draining.remaining as u64), count(draining.of as u64));
        let seconds = span(draining.left_ms);
        figures.push(Figure {
            name: "draining",
            value: format!("{}, {left} of {of} left, {seconds} more", draining.phase),
            tone: Tone::Bad,
        });
    }
    figures.extend(upstreams(summary));
    figures
}

fn upstreams(summary: &Summary) -> Vec<Figure> {
    let (up, down): (Vec<_>, Vec<_>) = summary.upstreams.iter().partition(|it| it.up);
    let good = |value| Figure {
        name: "upstream",
        value,
        tone: Tone::Good,
    };
    let up = match &up[..] {
        [] => None,
        [one] if down.is_empty() => Some(good(format!("{} up", one.address))),
        several => Some(good(format!("{} up", several.len()))),
    };
    let down = down.into_iter().map(|it| Figure {
        name: "upstream",
        value: match &it.detail {
            Some(detail) => format!("{} down: {detail}", it.address),
            None => format!("{} down", it.address),
        },
        tone: Tone::Bad,
    });
    up.into_iter().chain(down).collect()
}

fn connections(state: &State, summary: &Summary) -> Vec<Figure> {
    let connections = &summary.connections;
    let now = count(connections.established);
    let now = match connections.max {
        Some(max) => format!("{now} / {}", count(max as u64)),
        None => now,
    };
    let mut figures = vec![figure("connections", now)];
    match state.rates.now() {
        Some(per_second) => figures.extend([
            figure("opened", rate(per_second.opened)),
            figure("closed", rate(per_second.closed)),
            Figure {
                name: "failed",
                value: rate(per_second.failed),
                tone: match per_second.failed > 0.0 {
                    true => Tone::Bad,
                    false => Tone::Plain,
                },
            },
        ]),
        // Counted once, there are no rates.
        None => {
            let failed = summary.handshakes_failed.iter();
            figures.extend([
                figure(
                    "opened",
                    count(summary.routes.iter().map(|it| it.opened).sum()),
                ),
                figure(
                    "closed",
                    count(summary.closed.iter().map(|it| it.count).sum()),
                ),
                figure("failed", count(failed.map(|it| it.count).sum())),
            ]);
        }
    }
    figures
}

fn traffic(state: &State, summary: &Summary) -> Vec<Figure> {
    let mut figures = match state.rates.now() {
        Some(per_second) => vec![
            figure("messages", rate(per_second.messages)),
            figure("bytes", format!("{}/s", bytes(per_second.bytes))),
        ],
        None => vec![
            figure(
                "messages",
                count(summary.client.counters.messages + summary.upstream.counters.messages),
            ),
            figure(
                "bytes",
                bytes((summary.client.counters.bytes + summary.upstream.counters.bytes) as f64),
            ),
        ],
    };
    figures.extend(
        summary
            .client
            .rtt_ms
            .map(|rtt| figure("rtt p50/95/99", quantiles(rtt))),
    );
    figures.extend(
        summary
            .upstream
            .rtt_ms
            .map(|rtt| figure("upstream rtt", quantiles(rtt))),
    );
    figures
}

fn quantiles(Quantiles { p50, p95, p99 }: Quantiles) -> String {
    let [p50, p95, p99] = [p50, p95, p99].map(millis);
    format!("{p50} {p95} {p99} ms")
}
