//! A second process on the same file: refused at once, let in when the first one is gone.

use std::time::{Duration, Instant};

use durable::OpenError;
use durable::prelude::*;
use durable::store::Error as StoreError;

use crate::block_on;
use crate::child::{Acknowledged, Child, Job, Promise, STEPS, store_file};
use crate::workload::{World, chain, id};

/// Far more than a refusal takes, and far less than any waiting for the lock would.
const AT_ONCE: Duration = Duration::from_secs(2);

#[test]
fn a_second_process_is_refused_at_once_and_let_in_after_the_first_was_killed() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let file = store_file(directory.path());
    let mut first = Child::spawn(directory.path(), 0, Job::Hold, Promise::Kept);
    assert!(first.says("started"), "the first process holds the store");
    block_on(async {
        let began = Instant::now();
        let refused = Engine::open(&file).await;
        let took = began.elapsed();
        match refused {
            Err(OpenError::Store(StoreError::Locked { path })) => assert_eq!(path, file),
            other => panic!("{other:?} in place of the store being in use"),
        }
        assert!(took < AT_ONCE, "it took {took:?} to be refused");
        // The control: it is the file that is taken, and nothing else stands in the way.
        let other = Engine::open(directory.path().join("other.redb")).await;
        drop(other.expect("another file opens"));

        first.kill().expect("the first process lived until it was killed");
        let engine = Engine::builder().path(&file).state(World::new(1 << 40, |_| {})).open().await;
        let engine = engine.expect("the store opens after its owner was killed");
        let started = Acknowledged::read(directory.path()).history.started;
        assert_eq!(started, [0], "the first process had started a workflow");
        let values = engine.handle(id(0)).of(chain).result().await.expect("it ends").expect("it ends well");
        assert_eq!(values.len(), STEPS as usize);
    });
}

#[test]
fn whoever_comes_second_leaves_the_first_one_unharmed() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    block_on(async {
        let world = World::new(0, |_| {});
        let first = Engine::builder().path(store_file(directory.path())).state(world).open().await;
        let first = first.expect("the store opens");
        let mut second = Child::spawn(directory.path(), 0, Job::Try, Promise::Kept);
        assert!(second.says("locked"), "the second process was to say something");
        second.wait().expect("the second process ends well");
        let result = first.run(chain(0, STEPS)).await.expect("the first goes on");
        assert_eq!(result.expect("it ends well").len(), STEPS as usize);
    });
}
