//! The conformance suite over every medium of the embedded store.

use durable_store::testing::conformance;
use durable_store::{Options, RedbStore};

#[test]
fn a_store_in_memory_conforms() {
    conformance::run(|| Box::new(RedbStore::in_memory().unwrap()));
}

#[test]
fn a_store_in_a_file_conforms() {
    let directory = tempfile::tempdir().unwrap();
    let files = std::sync::atomic::AtomicU32::new(0);
    conformance::run(|| {
        let n = files.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Box::new(RedbStore::open(directory.path().join(format!("{n}.redb"))).unwrap())
    });
}

#[test]
fn a_store_with_two_phase_commits_and_a_small_cache_conforms() {
    let mut options = Options::default();
    options.two_phase = true;
    options.verify = true;
    options.cache_bytes = 64 << 10;
    let directory = tempfile::tempdir().unwrap();
    let files = std::sync::atomic::AtomicU32::new(0);
    conformance::run(|| {
        let n = files.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = directory.path().join(format!("{n}.redb"));
        Box::new(RedbStore::open_with(path, options.clone()).unwrap())
    });
}
