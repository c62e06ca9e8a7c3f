//! A back-up is the store at one moment, whatever that has done before and does meanwhile.

use durable_store::testing::{Batches, Model};
use durable_store::{Error, Options, RedbStore, Store};

use super::{seed, times};

/// Commits random batches, and makes a back-up after each `every`-th: with the models of the moment before, at and after it.
fn back_ups(
    store: &RedbStore,
    seed: u64,
    every: u64,
    directory: &std::path::Path,
) -> Vec<(String, [Model; 2])> {
    let mut batches = Batches::new(seed);
    let mut made = Vec::new();
    for n in 1..=40 {
        let batch = batches.next_batch(|| store.allocate().expect("there is a slot"));
        store.commit(&batch).expect("it is committed");
        if n % every == 0 {
            let path = directory.join(format!("{seed}-{n}.redb"));
            store.backup(&path).expect("it is made");
            let at = batches.model().clone();
            let batch = batches.next_batch(|| store.allocate().expect("there is a slot"));
            store.commit(&batch).expect("it is committed");
            made.push((path.to_string_lossy().into_owned(), [at, batches.model().clone()]));
        }
    }
    assert!(batches.model().is_in(store), "the store is none the worse for it");
    made
}

#[test]
fn a_back_up_holds_what_was_committed_and_nothing_that_came_later() {
    let directory = tempfile::tempdir().unwrap();
    let seed = seed();
    let (mut compared, mut told_apart) = (0, 0);
    for seed in seed..seed + times(3) {
        let store = RedbStore::in_memory().unwrap();
        for (path, [at, later]) in back_ups(&store, seed, 10, directory.path()) {
            let mut options = Options::default();
            options.verify = true;
            let copy = RedbStore::open_with(&path, options).unwrap();
            assert!(at.judge(&copy).is_right(), "{path}: {:?}", at.judge(&copy));
            compared += 1;
            told_apart += u32::from(!later.judge(&copy).is_right());
        }
    }
    assert_eq!(compared, told_apart, "the comparison would find one that came too late");
}

#[test]
fn a_file_that_is_there_is_kept_and_a_copy_that_fails_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = RedbStore::in_memory().unwrap();
    let taken = directory.path().join("taken.redb");
    std::fs::write(&taken, b"mine").unwrap();
    assert!(matches!(store.backup(&taken), Err(Error::Io { path, .. }) if path == taken));
    assert_eq!(std::fs::read(&taken).unwrap(), b"mine");
    assert!(store.backup(&directory.path().join("nowhere").join("copy.redb")).is_err());
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
    store.find("anything").expect("the store goes on");
}
