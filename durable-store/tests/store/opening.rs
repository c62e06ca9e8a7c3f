//! What can stand where a store should, and who else may have it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use durable_store::testing::{Model, sample};
use durable_store::{Error, MemoryImage, Options, RedbStore, Slot, Store};
use redb::{ReadableTable, TableDefinition};

use crate::open;

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// A file that is refused, and stays as it was.
fn refused(path: &Path) -> Error {
    let before = std::fs::read(path).unwrap();
    let error = RedbStore::open(path).unwrap_err();
    assert!(std::fs::read(path).unwrap() == before, "a refused file was changed");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    error
}

#[test]
fn a_missing_file_is_created_and_found_again() {
    let directory = directory();
    let path = directory.path().join("orders.redb");
    let store = RedbStore::open(&path).unwrap();
    assert_eq!((store.epoch(), store.path()), (1, path.as_path()));
    let slot = store.allocate().unwrap();
    store.commit(&sample::create(slot, sample::instance("a", 1)).into()).unwrap();
    drop(store);
    let store = RedbStore::open(&path).unwrap();
    assert_eq!(store.epoch(), 2);
    assert_eq!(store.instance(slot).unwrap(), Some(sample::instance("a", 1)));
}

#[test]
fn an_empty_file_is_taken_for_a_missing_one() {
    let directory = directory();
    let path = directory.path().join("orders.redb");
    std::fs::write(&path, b"").unwrap();
    assert_eq!(RedbStore::open(&path).unwrap().epoch(), 1);
}

#[test]
fn a_missing_directory_is_named() {
    let path = directory().path().join("nowhere").join("orders.redb");
    let error = RedbStore::open(&path).unwrap_err();
    assert!(matches!(&error, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound));
    assert!(error.to_string().contains("nowhere does not exist: create it first"), "{error}");
}

#[test]
fn a_directory_is_not_a_store() {
    let directory = directory();
    assert!(matches!(RedbStore::open(directory.path()), Err(Error::Io { .. })));
}

#[test]
fn a_file_of_something_else_is_foreign() {
    let directory = directory();
    let texts: [&[u8]; 5] =
        [b"x", b"id,total\n1,20\n", &[0; 5], &[0xFF; 9_000], b"SQLite format 3\0 and so on"];
    for (n, text) in texts.into_iter().enumerate() {
        let path = directory.path().join(format!("{n}.redb"));
        std::fs::write(&path, text).unwrap();
        // Zeros alone are what a creation that was cut off leaves: there is nothing to lose.
        if n == 2 {
            assert_eq!(RedbStore::open(&path).unwrap().epoch(), 1);
        } else {
            let error = refused(&path);
            assert!(matches!(error, Error::Foreign { .. }), "{error}");
        }
    }
}

#[test]
fn zeros_with_something_behind_them_are_foreign() {
    let directory = directory();
    let path = directory.path().join("disk.img");
    let mut bytes = vec![0; 1 << 20];
    bytes[700_000] = 1;
    std::fs::write(&path, bytes).unwrap();
    assert!(matches!(refused(&path), Error::Foreign { .. }));
}

#[test]
fn the_redb_file_of_another_program_is_foreign() {
    const THEIRS: TableDefinition<'_, &str, u64> = TableDefinition::new("theirs");
    const META: TableDefinition<'_, u64, u64> = TableDefinition::new("meta");
    let directory = directory();
    for (n, create) in [
        |txn: &redb::WriteTransaction| drop(txn.open_table(THEIRS).unwrap()),
        |txn: &redb::WriteTransaction| drop(txn.open_table(META).unwrap()),
    ]
    .into_iter()
    .enumerate()
    {
        let path = directory.path().join(format!("{n}.redb"));
        let db = redb::Database::create(&path).unwrap();
        let txn = db.begin_write().unwrap();
        create(&txn);
        txn.commit().unwrap();
        drop(db);
        assert!(matches!(refused(&path), Error::Foreign { .. }));
        redb::Database::open(&path).unwrap();
    }
}

/// Makes a store with what another version would write as its format, its checksum included.
fn rewrite_format(path: &Path, other: impl FnOnce(u64) -> u64) {
    const META: TableDefinition<'_, &str, (u64, u64)> = TableDefinition::new("meta");
    drop(RedbStore::open(path).unwrap());
    let db = redb::Database::open(path).unwrap();
    let txn = db.begin_write().unwrap();
    {
        let mut meta = txn.open_table(META).unwrap();
        let (version, sum) = meta.get("format").unwrap().unwrap().value();
        let spread = |version: u64| (version ^ (9 << 56)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        let other = other(version);
        meta.insert("format", (other, sum ^ spread(version) ^ spread(other))).unwrap();
    }
    txn.commit().unwrap();
}

#[test]
fn a_newer_format_is_refused_by_name() {
    let directory = directory();
    let path = directory.path().join("orders.redb");
    rewrite_format(&path, |version| version + 6);
    let error = refused(&path);
    assert!(matches!(error, Error::Newer { found: 10, supported: 4, .. }), "{error}");
}

/// Snapshots came with format 3, pieces of states with format 4.
#[test]
fn a_file_of_a_format_before_gets_the_tables_that_it_lacks() {
    for format in [2, 3] {
        let directory = directory();
        let path = directory.path().join("orders.redb");
        rewrite_format(&path, |_| format);
        {
            let db = redb::Database::create(&path).unwrap();
            let txn = db.begin_write().unwrap();
            let snapshots = redb::TableDefinition::<(u32, u64), &[u8]>::new("snapshots");
            assert!(format > 2 || txn.delete_table(snapshots).unwrap());
            let pieces = redb::TableDefinition::<(u64, u64), &[u8]>::new("pieces");
            assert!(txn.delete_table(pieces).unwrap());
            txn.commit().unwrap();
        }
        for n in 0..2 {
            let store = RedbStore::open(&path).unwrap();
            let number = durable_store::Number(7);
            assert!(store.snapshots(number).unwrap().is_empty());
            let slot = store.allocate().unwrap();
            let mut large = sample::instance(&format!("large {n}"), 100 + n);
            large.state = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
            store.commit(&sample::create(slot, large.clone()).into()).unwrap();
            assert!(store.instance(slot).unwrap() == Some(large));
        }
        rewrite_format(&path, |version| {
            assert_eq!(version, 4, "it says what it is now");
            version
        });
    }
}

#[test]
fn the_format_that_was_never_released_is_refused_by_name() {
    let directory = directory();
    let path = directory.path().join("orders.redb");
    rewrite_format(&path, |_| 1);
    let error = refused(&path);
    assert!(matches!(error, Error::Foreign { .. }), "{error}");
    assert!(error.to_string().contains("format version 1, which no release has written"), "{error}");
}

#[test]
fn a_creation_that_was_cut_off_anywhere_begins_again() {
    let disk = durable_store::testing::LossyDisk::new();
    drop(RedbStore::with_backend(disk.factory(), Options::default()).unwrap());
    let trace = disk.trace();
    for calls in 0..=trace.calls() {
        for seed in 0..10 {
            let (_, store) = open(&trace.image_at(calls, seed), &Options::default());
            let store = store.unwrap_or_else(|error| panic!("after {calls} calls: {error}"));
            assert!(Model::default().is_in(&store));
        }
    }
}

/// Whether redb has to read a whole file to repair it.
fn needs_repair(bytes: &[u8]) -> bool {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let repaired = std::rc::Rc::new(std::cell::Cell::new(false));
    let told = repaired.clone();
    redb::Builder::new().set_repair_callback(move |_| told.set(true)).open(file.path()).unwrap();
    repaired.get()
}

#[test]
fn a_settled_store_opens_after_a_crash_without_a_reading_of_the_whole_file() {
    let image = MemoryImage::new();
    let store = RedbStore::open_image(&image).unwrap();
    assert!(!needs_repair(&image.snapshot()), "after the opening");
    let create = |n: u64| sample::create(Slot(n), sample::instance(&format!("a{n}"), n));
    store.commit(&(0..2_000).map(create).collect::<Vec<_>>().into()).unwrap();
    assert!(!needs_repair(&image.snapshot()), "after a large batch");
    store.commit(&sample::update(Slot(7), sample::instance("a7", 7)).into()).unwrap();
    assert!(needs_repair(&image.snapshot()), "after a small batch: the price of its one sync");
    store.settle().unwrap();
    assert!(!needs_repair(&image.snapshot()), "after settling");
}

#[test]
fn a_second_opening_in_this_process_is_refused() {
    let directory = directory();
    let path = directory.path().join("orders.redb");
    let store = RedbStore::open(&path).unwrap();
    assert!(matches!(RedbStore::open(&path), Err(Error::Locked { .. })));
    assert_eq!(store.find("a").unwrap(), None, "the first one is unharmed");
    drop(store);
    RedbStore::open(&path).unwrap();

    let image = MemoryImage::new();
    let store = RedbStore::open_image(&image).unwrap();
    assert!(matches!(RedbStore::open_image(&image), Err(Error::Locked { .. })));
    image.cut_off();
    let again = RedbStore::open_image(&image).unwrap();
    assert!(store.allocate().is_ok(), "what needs no disk works");
    let batch = sample::create(Slot(0), sample::instance("a", 1)).into();
    assert!(store.commit(&batch).is_err(), "the image is no longer its own");
    again.commit(&batch).unwrap();
    drop(store);
    assert_eq!(again.instance(Slot(0)).unwrap(), Some(sample::instance("a", 1)));
}

/// Set for the process that [`hold_a_store`] is to be run in.
const HOLD: &str = "DURABLE_TEST_HOLD";

/// Not a test of its own: the other process of the tests below. It opens the store, says so, and
/// waits to be killed.
#[test]
fn hold_a_store() {
    let Some(path) = std::env::var_os(HOLD) else {
        return;
    };
    let store = RedbStore::open(PathBuf::from(path)).unwrap();
    let slot = store.allocate().unwrap();
    let id = format!("epoch {}", store.epoch());
    store.commit(&sample::create(slot, sample::instance(&id, store.epoch())).into()).unwrap();
    let mut out = std::io::stdout();
    writeln!(out, "\nholding").unwrap();
    out.flush().unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

fn holder(path: &Path) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "opening::hold_a_store", "--nocapture"])
        .env(HOLD, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.as_mut().unwrap());
    let said = out.lines().map_while(Result::ok).any(|line| line == "holding");
    assert!(said, "the other process did not open the store");
    child
}

#[test]
fn a_store_that_another_process_has_is_refused_until_that_is_killed() {
    let directory = directory();
    let path = directory.path().join("orders.redb");
    for round in 1..=3 {
        let mut child = holder(&path);
        let error = RedbStore::open(&path).unwrap_err();
        assert!(matches!(error, Error::Locked { .. }), "{error}");
        child.kill().unwrap();
        child.wait().unwrap();
        let store = RedbStore::open(&path).unwrap();
        assert_eq!(store.epoch(), 2 * round);
        // What the killed process had acknowledged is there.
        assert_eq!(store.scan(None, 10).unwrap().len() as u64, round);
    }
}

#[test]
fn a_store_reopens_while_it_is_in_use() {
    let store = std::sync::Arc::new(RedbStore::in_memory().unwrap());
    let slot = store.allocate().unwrap();
    store.commit(&sample::create(slot, sample::instance("a", 1)).into()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let store = store.clone();
            scope.spawn(move || {
                for _ in 0..50 {
                    store.commit(&sample::update(slot, sample::instance("a", 1)).into()).unwrap();
                    assert_eq!(store.instance(slot).unwrap(), Some(sample::instance("a", 1)));
                    store.allocate().unwrap();
                }
            });
        }
        for _ in 0..20 {
            store.reopen().unwrap();
        }
    });
    assert_eq!(store.epoch(), 21);
}

#[cfg(unix)]
#[test]
fn a_file_without_permission_is_an_error_of_access() {
    use std::os::unix::fs::PermissionsExt;
    let directory = directory();
    let path = directory.path().join("orders.redb");
    drop(RedbStore::open(&path).unwrap());
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o444)).unwrap();
    if std::fs::OpenOptions::new().write(true).open(&path).is_ok() {
        println!("this user may write everything: nothing to show here");
        return;
    }
    assert!(matches!(refused(&path), Error::Io { .. }));
}
