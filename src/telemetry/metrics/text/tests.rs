use super::*;

static COUNTER: Family = Family {
    name: "x_seconds",
    kind: Kind::Counter,
    labels: &["a", "b"],
    help: "Some.",
};
static INFO: Family = Family {
    name: "x_build",
    kind: Kind::Info,
    labels: &["version"],
    help: "Which.",
};
static HISTOGRAM: Family = Family {
    name: "x_bytes",
    kind: Kind::Histogram,
    labels: &[],
    help: "How many.",
};

fn page(format: Format) -> String {
    let mut page = Page::new(format);
    page.family(&COUNTER)
        .sample(&["/chat", "é"], 1)
        .sample(&["\"\\\n", ""], 0.25);
    page.family(&INFO).sample(&["1.0"], 1);
    let it = Distribution {
        up_to: vec![(0.0001, 1), (1.0, 2), (f64::INFINITY, 3)],
        sum: 12.5,
    };
    page.family(&HISTOGRAM).distribution(&[], &it);
    page.finish()
}

#[test]
fn the_text_format() {
    assert_eq!(
        page(Format::Prometheus),
        "# HELP x_seconds_total Some.\n\
         # TYPE x_seconds_total counter\n\
         x_seconds_total{a=\"/chat\",b=\"é\"} 1\n\
         x_seconds_total{a=\"\\\"\\\\\\n\",b=\"\"} 0.25\n\
         # HELP x_build_info Which.\n\
         # TYPE x_build_info gauge\n\
         x_build_info{version=\"1.0\"} 1\n\
         # HELP x_bytes How many.\n\
         # TYPE x_bytes histogram\n\
         x_bytes_bucket{le=\"0.0001\"} 1\n\
         x_bytes_bucket{le=\"1.0\"} 2\n\
         x_bytes_bucket{le=\"+Inf\"} 3\n\
         x_bytes_sum 12.5\n\
         x_bytes_count 3\n"
    );
}

#[test]
fn open_metrics() {
    assert_eq!(
        page(Format::OpenMetrics),
        "# HELP x_seconds Some.\n\
         # TYPE x_seconds counter\n\
         # UNIT x_seconds seconds\n\
         x_seconds_total{a=\"/chat\",b=\"é\"} 1\n\
         x_seconds_total{a=\"\\\"\\\\\\n\",b=\"\"} 0.25\n\
         # HELP x_build Which.\n\
         # TYPE x_build info\n\
         x_build_info{version=\"1.0\"} 1\n\
         # HELP x_bytes How many.\n\
         # TYPE x_bytes histogram\n\
         # UNIT x_bytes bytes\n\
         x_bytes_bucket{le=\"0.0001\"} 1\n\
         x_bytes_bucket{le=\"1.0\"} 2\n\
         x_bytes_bucket{le=\"+Inf\"} 3\n\
         x_bytes_sum 12.5\n\
         x_bytes_count 3\n\
         # EOF\n"
    );
}
