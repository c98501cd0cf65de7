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
