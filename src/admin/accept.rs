//! Which format of metrics a request asks for (RFC 9110 section 12.5.1).

use hyper::HeaderMap;
use hyper::header::ACCEPT;

use crate::telemetry::metrics::Format;

/// OpenMetrics goes to those who name it and do not like the text format better; everybody else gets the text format,
/// even one who asks for neither: better a page in another format than none.
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
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn of(accept: &[&str]) -> Format {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        format(&headers)
    }

    #[test]
    fn openmetrics_is_for_those_who_ask_for_it() {
        for accept in [
            "application/openmetrics-text",
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            "APPLICATION/OpenMetrics-Text;Version=\"1.0.0\"",
            // As Prometheus asks, version 2 and version 3.
            "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;\
             escaping=allow-utf-8;q=0.4,application/openmetrics-text;version=0.0.1;q=0.3,text/plain;version=0.0.4;q=0.2,\
             */*;q=0.1",
            "text/plain;q=0.5, application/openmetrics-text;q=0.5",
            "text/plain;q=0, application/openmetrics-text;q=0.001",
        ] {
            assert_eq!(of(&[accept]), Format::OpenMetrics, "{accept}");
        }
        let two_headers = ["text/plain;q=0.1", "application/openmetrics-text"];
        assert_eq!(of(&two_headers), Format::OpenMetrics);
    }

    #[test]
    fn all_others_get_the_text_format() {
        assert_eq!(of(&[]), Format::Prometheus);
        for accept in [
            "",
            "*/*",
            "text/*",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "application/*",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=much",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;version=2.0.0;q=1",
            "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;q=0.5",
            "application/openmetrics-text;q=0.5, text/*;q=0.6",
            "application/openmetrics-text;q=0.5, */*",
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
            "x/y;a=\",application/openmetrics-text\"",
            ";;,,=;q",
        ] {
            assert_eq!(of(&[accept]), Format::Prometheus, "{accept}");
        }
    }
}
