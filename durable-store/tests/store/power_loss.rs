//! A loss of power at any call of the store to its disk.
//!
//! What is left is opened again, often with further losses of power in the middle of that, and must
//! hold exactly what was acknowledged, or the one batch more that was under way.

use durable_store::testing::{Batches, LossyDisk, Model, Rng, Trace, sample};
use durable_store::{Batch, MemoryImage, Options, RedbStore, Store};

use crate::{seed, times};

/// A run of a store on a recorded disk.
struct Run {
    trace: Trace,
    /// After how many calls which contents were acknowledged.
    acknowledged: Vec<(usize, Model)>,
}

fn run(disk: &LossyDisk, seed: u64, options: &Options) -> Run {
    let mut rng = Rng::new(seed);
    let mut batches = Batches::new(rng.next_u64());
    let mut acknowledged = Vec::new();
    let store = RedbStore::with_backend(disk.factory(), options.clone()).unwrap();
    acknowledged.push((disk.calls(), batches.model().clone()));
    for _ in 0..12 {
        if rng.chance(10) {
            store.settle().unwrap();
        }
        let batch = batches.next_batch(|| store.allocate().unwrap());
        store.commit(&batch).unwrap();
        acknowledged.push((disk.calls(), batches.model().clone()));
    }
    drop(store);
    Run { trace: disk.trace(), acknowledged }
}

impl Run {
    /// Loses power after `calls` and opens what is left; says what is wrong with it.
    fn judge(&self, calls: usize, rng: &mut Rng, options: &Options) -> Result<(), String> {
        let done = self.acknowledged.iter().take_while(|(at, _)| *at <= calls).count();
        let nothing = Model::default();
        let last = done.checked_sub(1).map_or(&nothing, |last| &self.acknowledged[last].1);
        let next = self.acknowledged.get(done).map_or(last, |next| &next.1);
        let mut bytes = self.trace.image_at(calls, rng.next_u64());
        // The power fails again while the store opens, up to three times.
        while rng.chance(30) {
            let disk = LossyDisk::from_bytes(bytes);
            let opened = RedbStore::with_backend(disk.factory(), options.clone());
            drop(opened.map_err(|error| format!("the store does not open: {error}"))?);
            let trace = disk.trace();
            bytes = trace.image_at(rng.below(trace.calls() as u64 + 1) as usize, rng.next_u64());
        }
        let image = MemoryImage::from_bytes(bytes);
        let store = RedbStore::open_image_with(&image, options.clone())
            .map_err(|error| format!("the store does not open: {error}"))?;
        if store.epoch() <= u64::from(done > 0) {
            return Err(format!("epoch {} was given before", store.epoch()));
        }
        let verdict = last.judge(&store);
        let before = if verdict.is_right() { last } else { next };
        if !verdict.is_right() && !next.is_in(&store) {
            return Err(format!("{verdict:?}"));
        }
        // A quarter of them, because it costs as much as all of the above.
        if rng.chance(25) { go_on(&store, before) } else { Ok(()) }
    }
}

/// The store goes on from where it is.
fn go_on(store: &RedbStore, before: &Model) -> Result<(), String> {
    let slot = store.allocate().map_err(|error| error.to_string())?;
    let batch = Batch::from(sample::create(slot, sample::instance("after the loss", 1_000_000)));
    let mut after = before.clone();
    after.apply(&batch);
    store.commit(&batch).map_err(|error| error.to_string())?;
    store.reopen().map_err(|error| error.to_string())?;
    let verdict = after.judge(store);
    if verdict.is_right() { Ok(()) } else { Err(format!("after one more batch: {verdict:?}")) }
}

/// Loses power `losses` times in runs on disks from `disk`; answers with what was wrong.
fn lose_power(losses: u64, disk: impl Fn() -> LossyDisk, options: &Options) -> Vec<String> {
    const LOSSES_PER_RUN: u64 = 50;
    let mut rng = Rng::new(seed());
    let mut wrong = Vec::new();
    for _ in 0..losses / LOSSES_PER_RUN {
        let run = run(&disk(), rng.next_u64(), options);
        for _ in 0..LOSSES_PER_RUN {
            let calls = rng.below(run.trace.calls() as u64 + 1) as usize;
            if let Err(reason) = run.judge(calls, &mut rng, options) {
                wrong.push(format!("power lost after call {calls}: {reason}"));
            }
        }
    }
    wrong
}

#[test]
fn a_loss_of_power_loses_nothing_that_was_acknowledged() {
    let wrong = lose_power(times(800), LossyDisk::new, &Options::default());
    assert!(wrong.is_empty(), "{} losses, the first: {}", wrong.len(), wrong[0]);
}

#[test]
fn a_loss_of_power_loses_nothing_with_two_phase_commits() {
    let mut options = Options::default();
    options.two_phase = true;
    let wrong = lose_power(times(200), LossyDisk::new, &options);
    assert!(wrong.is_empty(), "{} losses, the first: {}", wrong.len(), wrong[0]);
}

/// The control: on a disk whose syncs do nothing the same test must find losses.
#[test]
fn a_disk_that_lies_about_its_syncs_is_found_out() {
    let wrong = lose_power(times(100), || LossyDisk::new().lying(), &Options::default());
    assert!(wrong.len() > 10, "only {} losses were noticed", wrong.len());
}
