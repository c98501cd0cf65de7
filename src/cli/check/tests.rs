use super::*;

fn check(text: &str) -> (String, bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.yaml");
    std::fs::write(&path, text).unwrap();
    let report = Report::of(&path);
    let text = report.text();
    (
        text.replace(&format!("{}/", folder.path().display()), ""),
        report.is_valid(),
    )
}

#[test]
fn the_summary_counts() {
    let good = "listen: :1\nupstream: ws://a\n";
    assert_eq!(check(good), ("p.yaml is valid\n".to_owned(), true));
    let (report, usable) = check(&format!(
        "{good}heartbeat: {{client: {{ping_interval: 100s}}}}\n"
    ));
    assert!(
        usable && report.ends_with("p.yaml is valid (2 warnings)\n"),
        "{report}"
    );
    let (report, usable) = check(&format!("{good}limits: {{max_frame: 1GiB}}\nextra: 1\n"));
    assert!(
        !usable && report.ends_with("\np.yaml: 1 error, 1 warning\n"),
        "{report}"
    );
    assert_eq!(report.lines().count(), 3);
    let (report, _) = check("x1: 1\nx2: 2\nlisten: :1\nupstream: ws://a\n");
    assert!(report.ends_with("\np.yaml: 2 errors\n"), "{report}");
}

#[test]
fn a_missing_file_says_how_to_name_one() {
    let report = Report::of(Path::new("/nonexistent/p.yaml"));
    assert!(!report.is_valid() && report.text().contains("-c FILE"));
    let json = report.json();
    assert_eq!(json["valid"], false);
    assert_eq!(json["errors"], 1);
    assert_eq!(json["problems"][0]["line"], Json::Null);
}
