use super::*;

fn backends(addresses: &[&str], mode: HealthMode) -> Vec<(String, HealthMode)> {
    let with_mode = |address: &&str| ((*address).to_owned(), mode);
    addresses.iter().map(with_mode).collect()
}

fn following(addresses: &[&str], mode: HealthMode) -> Upstreams {
    let upstreams = Upstreams::default();
    upstreams.follow(&backends(addresses, mode));
    upstreams
}

fn dialled(upstreams: &Upstreams, address: &str, outcome: Result<(), &str>) -> Option<Change> {
    upstreams.record(address, outcome, Evidence::Connection)
}

#[test]
fn only_changes_are_reported() {
    let upstreams = Upstreams::default();
    assert!(!upstreams.any_down());
    upstreams.follow(&backends(&["a", "b"], HealthMode::Passive));
    assert!(upstreams.any_down(), "none of them was tried");
    assert_eq!(dialled(&upstreams, "a", Ok(())), None);
    assert_eq!(dialled(&upstreams, "b", Err("refused")), Some(Change::Down));
    assert_eq!(dialled(&upstreams, "b", Err("no route")), None);
    let b = &upstreams.all()[1];
    assert_eq!((b.up, b.detail.as_deref()), (false, Some("no route")));
    let change = dialled(&upstreams, "b", Ok(()));
    assert!(matches!(change, Some(Change::Up(_))));
    assert!(!upstreams.any_down());
    assert_eq!(upstreams.all()[1].detail, None);
    assert_eq!(dialled(&upstreams, "a", Ok(())), None);
    assert_eq!(dialled(&upstreams, "c", Err("of no route any more")), None);
}

#[test]
fn what_is_known_survives_a_reload() {
    let upstreams = following(&["a", "b"], HealthMode::Passive);
    dialled(&upstreams, "a", Ok(()));
    dialled(&upstreams, "b", Err("refused"));
    let before = upstreams.all();
    upstreams.follow(&backends(&["c", "b", "a"], HealthMode::Tcp));
    let after = upstreams.all();
    assert_eq!([&after[2], &after[1]], [&before[0], &before[1]]);
    assert_eq!(after[0].detail.as_deref(), Some("not tried yet"));
    upstreams.follow(&backends(&["a"], HealthMode::Passive));
    assert!(!upstreams.any_down());
}

#[test]
fn a_backend_that_is_never_checked_is_never_down() {
    let upstreams = following(&["a"], HealthMode::Off);
    assert!(upstreams.is_up("a") && !upstreams.any_down());
    assert_eq!(dialled(&upstreams, "a", Err("refused")), None);
    assert!(upstreams.is_up("a"));
    upstreams.follow(&backends(&["a"], HealthMode::Passive));
    assert!(!upstreams.is_up("a"), "it was not tried yet");
    dialled(&upstreams, "a", Err("refused"));
    upstreams.follow(&backends(&["a"], HealthMode::Off));
    assert!(upstreams.is_up("a"));
}

#[test]
fn with_http_checks_a_connection_does_not_prove_a_backend_up() {
    let upstreams = following(&["a"], HealthMode::Http);
    let checked = |outcome| upstreams.record("a", outcome, Evidence::Check);
    assert_eq!(checked(Err("GET /: 500")), Some(Change::Down));
    assert_eq!(dialled(&upstreams, "a", Ok(())), None);
    assert!(!upstreams.is_up("a"));
    assert!(matches!(checked(Ok(())), Some(Change::Up(_))));
    // Where there is no connection, there is no answer either.
    let change = dialled(&upstreams, "a", Err("refused"));
    assert_eq!(change, Some(Change::Down));
}

#[tokio::test]
async fn a_task_that_waits_for_a_backend_to_go_down_is_woken() {
    let upstreams = following(&["a"], HealthMode::Passive);
    upstreams.wait_until_down("a").await;
    dialled(&upstreams, "a", Ok(()));
    let (waiting, ()) = tokio::join!(
        tokio::time::timeout(Duration::from_secs(10), upstreams.wait_until_down("a")),
        async {
            tokio::task::yield_now().await;
            dialled(&upstreams, "a", Err("refused"));
        }
    );
    waiting.unwrap();
}
