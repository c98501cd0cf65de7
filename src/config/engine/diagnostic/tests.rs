use super::*;

#[test]
fn a_diagnostic_prints_its_position_its_key_and_what_to_do() {
    let mut problem = Diagnostic {
        file: "proxy.yaml".into(),
        line: 12,
        column: 5,
        path: "heartbeat.client.idle_tme".into(),
        severity: Severity::Error,
        message: "unknown key; did you mean idle_time?".into(),
    };
    let line =
        "proxy.yaml:12:5: error: heartbeat.client.idle_tme: unknown key; did you mean idle_time?";
    assert_eq!(problem.to_string(), line);
    problem.file = "a\u{1b}[2J.yaml".into();
    problem.message = "\u{202e}\u{9b}x\ny".into();
    let line = "a\\u001b[2J.yaml:12:5: error: heartbeat.client.idle_tme: \\u202e\\u009bx\\ny";
    assert_eq!(problem.to_string(), line);
    problem.file = "proxy.yaml".into();
    problem.message = "unknown key; did you mean idle_time?".into();
    problem.path.clear();
    problem.severity = Severity::Warning;
    assert_eq!(
        problem.to_string(),
        "proxy.yaml:12:5: warning: unknown key; did you mean idle_time?"
    );
}
