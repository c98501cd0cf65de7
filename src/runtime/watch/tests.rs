use super::*;

/// Another file under the same name for each inode; a renamed one was written before.
fn state(content: &str, inode: u64, is_renamed: bool) -> FileState {
    FileState {
        content: Ok(content.into()),
        file: Some(File {
            path: PathBuf::from("/p.yaml"),
            device: 1,
            inode,
            is_renamed,
        }),
    }
}

fn missing() -> FileState {
    let path = PathBuf::from("/p.yaml");
    FileState {
        content: Err(LoadError::NotFound { path }),
        file: None,
    }
}

struct Watching {
    watch: Watch,
    now: Instant,
}

impl Watching {
    fn new() -> Self {
        let watch = Watch::new(Path::new("/p.yaml"), &state("old", 1, false));
        let now = Instant::now();
        Watching { watch, now }
    }

    /// The next reading, a quarter of a second after the one before.
    fn settles(&mut self, state: &FileState) -> bool {
        self.now += INTERVAL;
        self.watch.settles(state, self.now)
    }
}

#[test]
fn a_file_written_in_place_is_taken_when_it_was_quiet_for_a_second() {
    let mut watching = Watching::new();
    for half in ["ne", "new", "new and mo"] {
        for _ in 0..4 {
            assert!(!watching.settles(&state(half, 1, false)), "{half}");
        }
    }
    for _ in 0..4 {
        assert!(!watching.settles(&state("new and more", 1, false)));
    }
    assert!(watching.settles(&state("new and more", 1, false)));
    assert!(
        !watching.settles(&state("new and more", 1, false)),
        "told once"
    );
}

#[test]
fn a_file_that_was_renamed_or_swapped_is_taken_at_once() {
    let mut watching = Watching::new();
    assert!(watching.settles(&state("renamed", 2, true)));
    let mut swapped = state("swapped", 2, false);
    if let Some(file) = &mut swapped.file {
        file.path = PathBuf::from("/..2026_2/p.yaml");
    }
    assert!(watching.settles(&swapped));
    // Written and renamed in the same moment.
    let mut watching = Watching::new();
    assert!(!watching.settles(&state("new", 2, false)));
    assert!(watching.settles(&state("new", 2, false)));
}

#[test]
fn a_rename_that_changes_nothing_makes_the_next_write_one_in_place() {
    let mut watching = Watching::new();
    assert!(!watching.settles(&state("old", 2, true)));
    assert!(!watching.settles(&state("new", 2, true)));
    assert!(!watching.settles(&state("new", 2, true)));
}

#[test]
fn a_process_out_of_files_does_not_take_the_file_for_changed() {
    let mut watching = Watching::new();
    for _ in 0..20 {
        let state = FileState {
            content: Err(LoadError::Read {
                path: PathBuf::new(),
                source: io::ErrorKind::Other.into(),
            }),
            file: None,
        };
        assert!(!watching.settles(&state));
    }
}

#[test]
fn a_file_that_is_missing_for_a_moment_is_not_missed() {
    let mut watching = Watching::new();
    for _ in 0..8 {
        assert!(!watching.settles(&missing()));
    }
    assert!(!watching.settles(&state("old", 1, false)));
    for _ in 0..8 {
        assert!(!watching.settles(&missing()));
    }
    assert!(watching.settles(&missing()));
    assert!(!watching.settles(&state("old", 1, false)));
    assert!(watching.settles(&state("old", 1, false)), "it came back");
}
