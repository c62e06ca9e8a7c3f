//! A disk that fails, and a disk that is full.

use durable_store::testing::{Batches, FailingDisk, Failure, FullDisk, Model, Room};
use durable_store::{Error, Options, RedbStore, Store};

use crate::{seed, times};

/// Commits a few batches until one fails. Answers with what was acknowledged, what would have come
/// next, and the error.
fn commit_until_error(
    store: &RedbStore,
    mut batches: Batches,
    limit: usize,
) -> (Model, Model, Option<Error>) {
    for n in 0..limit {
        let acknowledged = batches.model().clone();
        let mut failed = None;
        let batch = batches.next_batch(|| {
            store.allocate().unwrap_or_else(|error| {
                failed = Some(error);
                durable_store::Slot(u64::MAX)
            })
        });
        if let Some(error) = failed {
            return (acknowledged.clone(), acknowledged, Some(error));
        }
        if let Err(error) = store.commit(&batch) {
            return (acknowledged, batches.model().clone(), Some(error));
        }
        if n == limit / 2
            && let Err(error) = store.settle()
        {
            return (batches.model().clone(), batches.model().clone(), Some(error));
        }
    }
    (batches.model().clone(), batches.model().clone(), None)
}

/// Everything is refused, with the first reason, whatever is asked.
fn assert_poisoned(store: &RedbStore, reason: &Error) {
    let answers = [
        store.find("a").map(|_| ()),
        store.commit(&durable_store::Batch::default()),
        store.settle(),
        store.allocate().map(|_| ()),
        store.scan(None, 1).map(|_| ()),
        store.timers(None, 1, 1).map(|_| ()),
    ];
    for answer in answers {
        match answer {
            Err(Error::Poisoned { reason: said }) => assert_eq!(said, reason.to_string()),
            other => panic!("{other:?} from a store that failed with {reason}"),
        }
    }
}

fn fail_everywhere(failure: Failure) {
    let seed = seed();
    let whole = FailingDisk::new();
    let store = RedbStore::with_backend(whole.factory(), small_cache()).unwrap();
    let opened = whole.calls();
    let (_, _, error) = commit_until_error(&store, Batches::new(seed), 4);
    assert!(error.is_none());
    let calls = whole.calls();
    drop(store);

    for call in 0..calls {
        let disk = FailingDisk::new();
        disk.fail_at(call, failure);
        let store = match RedbStore::with_backend(disk.factory(), small_cache()) {
            Ok(store) => store,
            Err(error) => {
                assert!(call < opened, "{error}");
                assert!(matches!(error, Error::Io { .. }), "{error}");
                disk.heal();
                let store = RedbStore::with_backend(disk.factory(), small_cache()).unwrap();
                assert!(Model::default().is_in(&store));
                continue;
            }
        };
        let (acknowledged, next, error) = commit_until_error(&store, Batches::new(seed), 4);
        let Some(error) = error else { continue };
        assert!(matches!(error, Error::Io { .. }), "{error}");
        assert_poisoned(&store, &error);
        if failure == Failure::ForGood {
            assert!(store.reopen().is_err());
            assert!(matches!(store.find("a"), Err(Error::Poisoned { .. })));
            disk.heal();
        }
        store.reopen().unwrap();
        let verdict = acknowledged.judge(&store);
        assert!(verdict.is_right() || next.is_in(&store), "call {call}: {verdict:?}");
    }
}

/// Small, so that readings reach the disk and can fail.
fn small_cache() -> Options {
    let mut options = Options::default();
    options.cache_bytes = 16 << 10;
    options
}

#[test]
fn one_failing_call_loses_nothing_that_was_acknowledged() {
    fail_everywhere(Failure::Once);
}

#[test]
fn a_disk_that_fails_for_good_loses_nothing_that_was_acknowledged() {
    fail_everywhere(Failure::ForGood);
}

fn fill(room: Room, limit: u64, seed: u64) -> bool {
    let disk = FullDisk::new(limit, room);
    let store = match RedbStore::with_backend(disk.factory(), Options::default()) {
        Ok(store) => store,
        Err(error) => {
            assert!(full(&error), "{error}");
            disk.set_limit(u64::MAX);
            RedbStore::with_backend(disk.factory(), Options::default()).unwrap();
            return false;
        }
    };
    let (acknowledged, next, error) =
        commit_until_error(&store, Batches::new(seed).with_state_bytes(20_000), 60);
    let Some(error) = error else {
        return false;
    };
    assert!(full(&error), "{error}");
    // What is stored can be read although there is no room.
    store.reopen().unwrap();
    let kept = if next.is_in(&store) { &next } else { &acknowledged };
    let verdict = kept.judge(&store);
    assert!(verdict.is_right(), "{limit} bytes: {verdict:?}");
    // Work goes on when there is.
    disk.set_limit(u64::MAX);
    let slot = match store.allocate() {
        Ok(slot) => slot,
        Err(error) => panic!("{error}"),
    };
    let batch = durable_store::testing::sample::create(
        slot,
        durable_store::testing::sample::instance("there is room", 1_000_000),
    )
    .into();
    store.commit(&batch).unwrap();
    let mut more = kept.clone();
    more.apply(&batch);
    let epoch = store.epoch();
    store.reopen().unwrap();
    assert!(more.is_in(&store));
    assert!(store.epoch() > epoch);
    true
}

fn full(error: &Error) -> bool {
    matches!(error, Error::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull)
}

#[test]
fn a_full_disk_refuses_clearly_can_be_read_and_goes_on_when_there_is_room() {
    let seed = seed();
    // A file is a megabyte long from the start, most of it never written.
    for (room, from) in [(Room::Blocks, 8), (Room::Length, 1_100)] {
        let full = (0..times(12)).filter(|n| fill(room, (from + n * 60) << 10, seed)).count();
        println!("{room:?}: {full} disks were full");
        assert!(full > 0, "no disk was full: the test shows nothing");
    }
}
