use std::os::unix::net;

use super::*;

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn the_file_has_its_mode_and_is_removed_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    for wanted in [0o600, 0o660, 0o777] {
        let (file, _listener) = bind(&path, Some(wanted)).unwrap();
        assert_eq!(mode(&path), wanted);
        net::UnixStream::connect(&path).unwrap();
        drop(file);
        assert!(!path.exists());
    }
    let (file, _listener) = bind(&path, None).unwrap();
    let default = mode(&path);
    file.0.set_mode(Some(0o700)).unwrap();
    assert_eq!(mode(&path), 0o700);
    file.0.set_mode(None).unwrap();
    assert_eq!(mode(&path), default);
}

#[tokio::test]
async fn a_file_that_is_another_process_s_by_now_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let (ours, _listener) = bind(&path, None).unwrap();
    fs::remove_file(&path).unwrap();
    let other = net::UnixListener::bind(&path).unwrap();
    assert!(ours.0.set_mode(Some(0o600)).is_err());
    drop(ours);
    assert!(path.exists());
    net::UnixStream::connect(&path).unwrap();
    drop(other);
}

#[tokio::test]
async fn only_a_socket_that_nobody_answers_on_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let in_use = |what: &str| {
        let error = bind(&path, None).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse, "{what}");
        assert!(fs::symlink_metadata(&path).is_ok(), "{what}");
        fs::remove_file(&path).unwrap();
    };
    drop(net::UnixListener::bind(&path).unwrap());
    drop(bind(&path, None).unwrap());

    fs::write(&path, "a file").unwrap();
    in_use("a file");
    fs::create_dir(folder.path().join("d")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("d"), &path).unwrap();
    in_use("a link");
    let _living = net::UnixListener::bind(&path).unwrap();
    in_use("a socket that answers");
    let _datagrams = net::UnixDatagram::bind(&path).unwrap();
    in_use("a socket of another kind");
    // Its queue is full: a connect that waits would never end.
    let busy = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    busy.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    busy.listen(0).unwrap();
    let _waiting = net::UnixStream::connect(&path).unwrap();
    in_use("a socket whose process is busy");
}
