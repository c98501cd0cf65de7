use super::*;

const NOTHING: Environment = Environment {
    admin: None,
    token: None,
    config: None,
};

fn environment(admin: &str, token: &str, config: &str) -> Environment {
    Environment {
        admin: Some(admin.into()),
        token: Some(token.into()),
        config: Some(config.into()),
    }
}

fn options(admin: Option<&str>, secret: Option<&str>, config: Option<&str>) -> Whereabouts {
    Whereabouts {
        admin: admin.map(|url| address::read(url).unwrap()),
        token: secret.map(|secret| token(secret).unwrap()),
        config: config.map(PathBuf::from),
    }
}

/// Where it is, the token, and what was told on the way.
type Found = Result<(String, Option<String>, String), String>;

fn find(options: Whereabouts, environment: Environment) -> Found {
    let mut told = String::new();
    let remote = options
        .find_with(ConfigFile::default(), environment, &mut |line| {
            told += &line;
        })
        .map_err(|error| error.to_string())?;
    let secret = remote.secret().map(ToOwned::to_owned);
    Ok((remote.address().to_string(), secret, told))
}

fn told(found: Found) -> String {
    match found {
        Ok(found) => panic!("{found:?}"),
        Err(error) => error,
    }
}

/// A file of this text, by its name.
fn file(folder: &tempfile::TempDir, text: &str) -> String {
    let path = folder.path().join("p.yaml");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

fn quiet(address: &str, token: Option<&str>) -> Found {
    let token = token.map(|token| format!("Bearer {token}"));
    Ok((address.to_owned(), token, String::new()))
}

#[test]
fn the_option_goes_before_the_variable_and_that_before_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let text = "listen: :1\nupstream: ws://a\nadmin: {listen: '127.0.0.1:3', token: filed}";
    let path = file(&folder, text);
    let all = || environment("127.0.0.1:2", "surrounding", &path);
    assert_eq!(
        find(options(Some("[::1]:1"), Some("given"), None), all()),
        quiet("http://[::1]:1", Some("given"))
    );
    assert_eq!(
        find(options(None, None, None), all()),
        quiet("http://127.0.0.1:2", Some("surrounding"))
    );
    let only_file = || environment("", "", &path);
    assert_eq!(
        find(options(None, None, None), only_file()),
        quiet("http://127.0.0.1:3", Some("filed"))
    );
    assert_eq!(
        find(options(None, None, Some(&path)), NOTHING),
        quiet("http://127.0.0.1:3", Some("filed"))
    );
}

#[test]
fn a_file_s_token_goes_nowhere_else_unless_one_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "admin: {token: filed}");
    let elsewhere = || Some("http://192.0.2.1:9901");
    assert_eq!(
        find(options(elsewhere(), None, None), environment("", "", &path)),
        quiet("http://192.0.2.1:9901", None)
    );
    assert_eq!(
        find(options(elsewhere(), None, Some(&path)), NOTHING),
        quiet("http://192.0.2.1:9901", Some("filed"))
    );
}

#[test]
fn without_a_file_the_default_is_taken_and_a_named_one_must_be_there() {
    let nowhere = "/nonexistent/p.yaml";
    assert_eq!(
        find(options(None, None, None), environment("", "", nowhere)),
        quiet("http://127.0.0.1:9901", None)
    );
    let error = told(find(options(None, None, Some(nowhere)), NOTHING));
    assert!(error.contains("no such file"), "{error}");
}

#[test]
fn what_is_wrong_elsewhere_in_a_file_does_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "lisen: 5\nlimits: {max_frame: ''}\nlog: ${NO_SUCH_VARIABLE}\nadmin: {listen: 'unix:/s'}";
    let path = file(&folder, text);
    let found = find(options(None, None, Some(&path)), NOTHING);
    assert_eq!(found, quiet("unix:/s", None));
    for text in ["admin: {listn: ':1'}", "admin: [", "- admin"] {
        let path = file(&folder, text);
        let (address, token, told) = find(options(None, None, Some(&path)), NOTHING).unwrap();
        assert_eq!(
            (&*address, token),
            ("http://127.0.0.1:9901", None),
            "{text}"
        );
        assert!(told.contains("p.yaml:"), "{told}");
        assert!(
            told.ends_with("the default is tried: http://127.0.0.1:9901"),
            "{told}"
        );
    }
}

#[test]
fn every_interface_is_this_machine_and_some_addresses_lead_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let found = |listen: &str| {
        let path = file(&folder, &format!("admin: {listen}"));
        find(options(None, None, Some(&path)), NOTHING)
    };
    for (listen, address) in [
        ("{listen: '0.0.0.0:7'}", "http://127.0.0.1:7"),
        ("{listen: ':7'}", "http://127.0.0.1:7"),
        ("{listen: '[::]:7'}", "http://127.0.0.1:7"),
        ("{listen: '[::1]:7'}", "http://[::1]:7"),
        ("{listen: '192.0.2.1:7'}", "http://192.0.2.1:7"),
        ("", "http://127.0.0.1:9901"),
    ] {
        assert_eq!(found(listen), quiet(address, None), "{listen}");
    }
    assert!(told(found("off")).contains("`admin: off`"));
    assert!(told(found("{listen: '127.0.0.1:0'}")).contains("port 0"));
}

#[test]
fn urls_are_read() {
    for (text, address) in [
        ("http://localhost:9901", "http://localhost:9901"),
        ("http://localhost:9901/", "http://localhost:9901"),
        ("HTTP://a", "http://a:80"),
        ("127.0.0.1:1", "http://127.0.0.1:1"),
        ("unix:/run/s", "unix:/run/s"),
    ] {
        let read = address::read(text).map(|address| address.to_string());
        assert_eq!(read.as_deref(), Ok(address));
    }
    for (text, why) in [
        ("https://a", "no TLS"),
        ("ws://a", "http://host:port"),
        ("http://a/api", "no path"),
        ("unix:", "unix:/path"),
        ("", "http://host:port"),
        ("a b", "http://host:port"),
    ] {
        let error = address::read(text).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
    let wrong = environment("https://a", "", "");
    assert!(told(find(options(None, None, None), wrong)).starts_with("SIDEBEAT_ADMIN: "));
    let wrong = environment("", "a b", "");
    assert!(told(find(options(None, None, None), wrong)).starts_with("SIDEBEAT_TOKEN: "));
}
