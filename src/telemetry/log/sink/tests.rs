use std::sync::mpsc;

use super::*;

/// A reader that takes one write each time it is allowed to, and records what it took.
struct Stalled {
    entered: mpsc::Sender<()>,
    allowed: mpsc::Receiver<()>,
    taken: Arc<Mutex<Vec<u8>>>,
}

impl Write for Stalled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.entered.send(());
        let _ = self.allowed.recv();
        self.taken.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn notice(count: u64) -> Vec<u8> {
    format!("{count} dropped\n").into_bytes()
}

const TIMEOUT: Duration = Duration::from_secs(10);

#[test]
fn a_stalled_writer_costs_lines_which_are_counted_once_at_the_gap() {
    let (entered, is_entered) = mpsc::channel();
    let (allow, allowed) = mpsc::channel();
    let taken = Arc::new(Mutex::new(Vec::new()));
    let out = Stalled {
        entered,
        allowed,
        taken: Arc::clone(&taken),
    };
    let sink = Sink::with_capacity(out, 16).unwrap();

    sink.append(b"one\n", notice);
    is_entered.recv_timeout(TIMEOUT).unwrap();
    sink.append(b"two\n", notice);
    sink.append(b"this has no room\n", |_| panic!("nothing was dropped yet"));
    for _ in 0..2 {
        sink.append(b"nor has this any room\n", notice);
    }
    allow.send(()).unwrap();
    is_entered.recv_timeout(TIMEOUT).unwrap();
    sink.append(b"six\n", notice);
    sink.append(b"7\n", notice);
    drop(allow);
    assert!(sink.flush(TIMEOUT));

    let taken = String::from_utf8(taken.lock().unwrap().clone()).unwrap();
    assert_eq!(taken, "one\ntwo\n3 dropped\nsix\n7\n");
}

#[test]
fn flush_gives_up_on_a_stalled_writer() {
    let (entered, is_entered) = mpsc::channel();
    let (_allow, allowed) = mpsc::channel();
    let sink = Sink::start(Stalled {
        entered,
        allowed,
        taken: Arc::default(),
    })
    .unwrap();
    sink.append(b"one\n", notice);
    is_entered.recv_timeout(TIMEOUT).unwrap();
    assert!(!sink.flush(Duration::from_millis(1)));
}

#[test]
fn a_broken_pipe_is_survived() {
    struct Broken(mpsc::Sender<()>);
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            let _ = self.0.send(());
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (tried, is_tried) = mpsc::channel();
    let sink = Sink::start(Broken(tried)).unwrap();
    for _ in 0..2 {
        sink.append(b"line\n", notice);
        is_tried.recv_timeout(TIMEOUT).unwrap();
    }
    assert!(!sink.flush(TIMEOUT), "nothing was written");
}

#[test]
fn the_thread_ends_with_its_sink() {
    struct Out(#[expect(dead_code, reason = "held to see it dropped")] mpsc::Sender<()>);
    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let (held, is_gone) = mpsc::channel();
    drop(Sink::start(Out(held)).unwrap());
    assert_eq!(
        is_gone.recv_timeout(TIMEOUT),
        Err(mpsc::RecvTimeoutError::Disconnected)
    );
}
