//! The two text formats of Prometheus.
//!
//! They differ in how families are named (OpenMetrics leaves `_total` to the samples), in `# UNIT`, in `# EOF`, and in
//! that only OpenMetrics knows the type `info`.

use std::fmt::{self, Write as _};

use super::families::{Family, Kind};
use crate::telemetry::histogram::Distribution;

/// One of the two formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text format, version 0.0.4.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl Format {
    /// The value of Content-Type.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Format::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Format::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// A page of metrics that is being written.
pub(super) struct Page {
    format: Format,
    text: String,
}

/// A family of the page whose samples are being written.
pub(super) struct Samples<'p> {
    page: &'p mut Page,
    family: &'static Family,
}

/// A figure.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Whole(u64),
    Real(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Value::Whole(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Value::Real(value)
    }
}

/// `None` is no limit.
impl From<Option<u64>> for Value {
    fn from(limit: Option<u64>) -> Self {
        limit.map_or(Value::Real(f64::INFINITY), Value::Whole)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Whole(value.into())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Whole(value) => write!(f, "{value}"),
            Value::Real(value) if *value == f64::INFINITY => f.write_str("+Inf"),
            // With its point, so that a bound reads the same in both formats: `1.0`.
            Value::Real(value) => write!(f, "{value:?}"),
        }
    }
}

impl Page {
    pub(super) fn new(format: Format) -> Self {
        Page {
            format,
            text: String::with_capacity(16 * 1024),
        }
    }

    /// Begins a family, all of whose samples must follow at once.
    pub(super) fn family(&mut self, family: &'static Family) -> Samples<'_> {
        let (name, kind) = match self.format {
            Format::OpenMetrics => (family.name.to_owned(), family.kind.label()),
            Format::Prometheus => match family.kind {
                Kind::Counter => (family.series(), "counter"),
                Kind::Info => (family.series(), "gauge"),
                kind => (family.name.to_owned(), kind.label()),
            },
        };
        self.line(format_args!("# HELP {name} {}", family.help));
        self.line(format_args!("# TYPE {name} {kind}"));
        if let (Format::OpenMetrics, Some(unit)) = (self.format, family.unit()) {
            self.line(format_args!("# UNIT {name} {unit}"));
        }
        Samples { page: self, family }
    }

    pub(super) fn finish(mut self) -> String {
        if self.format == Format::OpenMetrics {
            self.line(format_args!("# EOF"));
        }
        self.text
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "{line}");
    }
}

impl Samples<'_> {
    /// A counter's, gauge's or info's sample; the labels' values in the order of [`Family::labels`].
    pub(super) fn sample(&mut self, labels: &[&str], value: impl Into<Value>) -> &mut Self {
        let (name, value) = (self.family.series(), value.into());
        let labels = Labels(self.family.labels, labels, None);
        self.page.line(format_args!("{name}{labels} {value}"));
        self
    }

    /// A histogram's samples.
    pub(super) fn distribution(&mut self, labels: &[&str], it: &Distribution) -> &mut Self {
        let (name, names) = (self.family.name, self.family.labels);
        for (bound, count) in &it.up_to {
            let labels = Labels(names, labels, Some(Value::Real(*bound)));
            self.page
                .line(format_args!("{name}_bucket{labels} {count}"));
        }
        let labels = Labels(names, labels, None);
        let (sum, count) = (Value::Real(it.sum), it.count());
        self.page.line(format_args!("{name}_sum{labels} {sum}"));
        self.page.line(format_args!("{name}_count{labels} {count}"));
        self
    }
}

/// Names, values, and a bucket's bound: `{route="default",le="0.5"}`.
struct Labels<'a>(&'a [&'a str], &'a [&'a str], Option<Value>);

impl fmt::Display for Labels<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Labels(names, values, bound) = self;
        let mut before = '{';
        for (name, value) in names.iter().zip(*values) {
            write!(f, "{before}{name}=\"")?;
            write_escaped(f, value)?;
            f.write_char('"')?;
            before = ',';
        }
        if let Some(bound) = bound {
            write!(f, "{before}le=\"{bound}\"")?;
            before = ',';
        }
        if before == ',' {
            f.write_char('}')
        } else {
            Ok(())
        }
    }
}

/// A label's value: everything but a backslash, a quote and a newline stands for itself.
fn write_escaped(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    for c in value.chars() {
        match c {
            '\\' => f.write_str("\\\\")?,
            '"' => f.write_str("\\\"")?,
            '\n' => f.write_str("\\n")?,
            c => f.write_char(c)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
