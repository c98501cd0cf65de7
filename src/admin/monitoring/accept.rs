//! Which format of metrics a request asks for (RFC 9110 section 12.5.1).

use hyper::HeaderMap;
use hyper::header::ACCEPT;

use crate::telemetry::metrics::Format;

/// OpenMetrics for a client that names it and does not prefer the text format; the text format for all others, even
/// those that accept neither: a page in another format is better than none.
pub(super) fn format(headers: &HeaderMap) -> Format {
    let ranges = headers.get_all(ACCEPT).into_iter();
    let ranges = ranges.filter_map(|value| value.to_str().ok());
    let ranges: Vec<Range<'_>> = ranges.flat_map(split).filter_map(Range::parse).collect();
    let quality = |which: &dyn Fn(&Range<'_>) -> bool| {
        let qualities = ranges.iter().filter(|range| which(range));
        qualities.map(|range| range.quality).reduce(f32::max)
    };
    let of_text = quality(&|range| range.takes("text/plain", "0.0.4"))
        .or_else(|| quality(&|range| range.is("text/*")))
        .or_else(|| quality(&|range| range.is("*/*")))
        .unwrap_or_default();
    match quality(&|range| range.takes("application/openmetrics-text", "1.0.0")) {
        Some(quality) if quality > 0.0 && quality >= of_text => Format::OpenMetrics,
        _ => Format::Prometheus,
    }
}

/// The items of a list; a comma in quotes is no end.
fn split(list: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    list.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

/// `text/plain;version=0.0.4;q=0.5`.
struct Range<'a> {
    media: &'a str,
    version: Option<&'a str>,
    quality: f32,
}

impl<'a> Range<'a> {
    /// None when its quality is none: what it means is anybody's guess.
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let mut range = Range {
            media: parts.next()?,
            version: None,
            quality: 1.0,
        };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            if name.eq_ignore_ascii_case("version") {
                range.version = Some(value.trim_matches('"'));
            } else if name.eq_ignore_ascii_case("q") {
                let quality = value.parse().ok();
                range.quality = quality.filter(|quality| (0.0..=1.0).contains(quality))?;
            }
        }
        Some(range)
    }

    fn is(&self, media: &str) -> bool {
        self.media.eq_ignore_ascii_case(media)
    }

    fn takes(&self, media: &str, version: &str) -> bool {
        self.is(media) && self.version.is_none_or(|asked| asked == version)
    }
}

#[cfg(test)]
mod tests;
