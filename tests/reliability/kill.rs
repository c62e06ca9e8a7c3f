//! `kill -9` at a random moment: nothing that was acknowledged is lost, and nothing that was
//! counted is done again.

use std::path::Path;
use std::time::{Duration, Instant};

use durable_store::testing::Rng;

use crate::child::{Acknowledged, Child, Job, Promise, chains};
use crate::{seed, times};

/// The longest that a child lives after it has opened its store.
const LIFE_MS: u64 = 60;
/// The longest that a child lives which is killed around its opening.
const BIRTH_MS: u64 = 60;

/// Kills children of one directory, then lets one finish; answers with what was acknowledged.
fn kill_children(directory: &Path, kills: u64, promise: Promise, seed: u64) -> Acknowledged {
    let mut rng = Rng::new(seed);
    let mut wrong = Vec::new();
    for number in 0..kills {
        let mut child = Child::spawn(directory, number, Job::Run, promise);
        // A quarter dies before or while it opens the store and takes up what is there.
        if rng.chance(25) {
            std::thread::sleep(Duration::from_millis(rng.below(BIRTH_MS)));
        } else if child.says("open") {
            std::thread::sleep(Duration::from_millis(rng.below(LIFE_MS)));
        }
        if let Err(ended) = child.kill() {
            wrong.push(format!("at kill {number}: {ended}"));
            break;
        }
    }
    if let Err(reason) = Child::spawn(directory, kills, Job::Drain, promise).wait() {
        wrong.push(reason);
    }
    let mut acknowledged = Acknowledged::read(directory);
    acknowledged.wrong.extend(wrong);
    acknowledged
}

#[test]
fn a_kill_loses_nothing_and_repeats_nothing_that_was_counted() {
    let kills = times(200);
    let directory = tempfile::tempdir().expect("a directory for the test");
    let began = Instant::now();
    let Acknowledged { history, mut wrong, absolved } =
        kill_children(directory.path(), kills, Promise::Kept, seed());
    wrong.extend(history.violations());
    println!(
        "{kills} kills in {:.1?}: {} workflows ended, {} attempts, {} of them repeated because they were cut off, {absolved} instances parked because two kills hit their steps",
        began.elapsed(),
        history.results.len(),
        history.entries.len(),
        history.repeated(),
    );
    if !wrong.is_empty() {
        let kept = directory.keep();
        panic!(
            "{} violations, files in {}:\n{}",
            wrong.len(),
            kept.display(),
            wrong[..wrong.len().min(20)].join("\n")
        );
    }
    // It would be no proof if the children had died without having done anything.
    assert!(history.results.len() as u64 > kills / 10, "too little was done");
    assert!(history.repeated() as u64 > kills / 10, "too few attempts were cut off");
    assert!(chains(&history).values().any(|times| *times > 2), "no workflow outlived a kill");
}

/// The control: over a store that acknowledges before it is durable the same test must notice it.
#[test]
fn a_store_that_breaks_its_promise_is_found_out() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let Acknowledged { history, mut wrong, .. } =
        kill_children(directory.path(), 20, Promise::Broken, seed());
    wrong.extend(history.violations());
    let noticed = |what: &str| wrong.iter().filter(|wrong| wrong.contains(what)).count();
    println!("{} violations noticed in 20 kills", wrong.len());
    assert!(noticed("a completed activity ran again") > 0, "{wrong:?}");
    assert!(noticed("created once more") > 0, "{wrong:?}");
}
