//! Workflows that take the process with them.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use durable::ParkReason;
use durable::prelude::*;
use durable::store::RedbStore;
use serde::{Deserialize, Serialize};

use super::neighbours_go_on;
use crate::block_on;

const JOB: &str = "DURABLE_POISON";
const DIRECTORY: &str = "DURABLE_POISON_DIRECTORY";
const WITHOUT: &str = "DURABLE_POISON_WITHOUT_A_SIDE_FILE";
const RETRY: &str = "DURABLE_POISON_RETRIED";

/// What a workflow does to its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Poison {
    Abort,
    Overflow,
    /// In the first step, before anything of the instance is stored.
    AtOnce,
    /// While a value is written.
    InSerialize,
}

impl Poison {
    const ALL: [(Poison, &str); 4] = [
        (Poison::Abort, "abort"),
        (Poison::Overflow, "overflow"),
        (Poison::AtOnce, "at once"),
        (Poison::InSerialize, "in serialize"),
    ];

    fn take(self) -> u64 {
        match self {
            Poison::Overflow => overflow(1),
            _ => std::process::abort(),
        }
    }
}

#[allow(unconditional_recursion)]
fn overflow(depth: u64) -> u64 {
    std::hint::black_box(depth) + overflow(std::hint::black_box(depth + 1))
}

/// A value whose writing ends the process.
#[derive(Deserialize)]
struct Deadly(#[allow(dead_code)] u64);

impl Serialize for Deadly {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        std::process::abort()
    }
}

/// Writes down that it ran: what it gives must not be lost.
#[activity]
async fn charge(State(directory): State<PathBuf>, context: ActivityContext) -> u64 {
    let mut charges = std::fs::OpenOptions::new().create(true).append(true).open(directory.join("charges"));
    let charges = charges.as_mut().expect("the file opens");
    std::io::Write::write_all(charges, format!("{}\n", context.idempotency_key()).as_bytes())
        .expect("a line is appended");
    4_200
}

#[workflow]
async fn poisoned(poison: Poison) -> u64 {
    if poison == Poison::AtOnce {
        poison.take();
    }
    let paid = charge().await;
    let last = if poison == Poison::InSerialize {
        let deadly = Deadly(paid);
        sleep(std::time::Duration::from_secs(1)).await;
        deadly.0
    } else {
        poison.take()
    };
    paid + last
}

fn store_file(directory: &Path) -> PathBuf {
    directory.join("store.redb")
}

fn side_file(directory: &Path) -> PathBuf {
    directory.join("store.redb.suspects")
}

/// The way into a child process. In an ordinary run of the tests there is nothing to do.
#[test]
fn a_poisoned_child_does_its_job() {
    let Ok(name) = std::env::var(JOB) else { return };
    let (poison, _) = Poison::ALL.into_iter().find(|(_, known)| *known == name).expect("a known poison");
    let directory = PathBuf::from(std::env::var_os(DIRECTORY).expect("a child has a directory"));
    std::thread::spawn(|| {
        std::thread::sleep(super::LONG);
        eprintln!("this child hangs, or was forgotten");
        std::process::exit(3);
    });
    block_on(async {
        let builder = Engine::builder().state(directory.clone());
        let file = store_file(&directory);
        let builder = if std::env::var_os(WITHOUT).is_some() {
            builder.store(Arc::new(RedbStore::open(&file).expect("the store opens")))
        } else {
            builder.path(&file)
        };
        let engine = builder.open().await.expect("the engine opens");
        if std::env::var_os(RETRY).is_some() {
            engine.handle("poisoned").retry_now().await.expect("it is tried again");
        }
        for number in 0..20 {
            engine.start(format!("other-{number}"), super::neighbour(100)).await.expect("it starts");
        }
        let started = engine.start("poisoned", poisoned(poison)).await.expect("it starts");
        let reason = super::parked(&engine, started.id()).await;
        assert_eq!(reason, ParkReason::ProcessDied, "{reason}");
        for number in 0..20 {
            let other = engine.handle(format!("other-{number}")).of(super::neighbour);
            assert_eq!(other.result().await.expect("it ends"), 100);
        }
        engine.shutdown(super::LONG).await.expect("the engine stops");
    });
}

fn child(directory: &Path, poison: Poison, told: &[&str]) -> Output {
    let mut command = Command::new(std::env::current_exe().expect("a test has an executable"));
    let name = "poison::deadly::a_poisoned_child_does_its_job";
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]);
    let (_, word) = Poison::ALL.into_iter().find(|(known, _)| *known == poison).expect("all have one");
    command.env(JOB, word).env(DIRECTORY, directory);
    for told in told {
        command.env(told, "1");
    }
    command.output().expect("a child runs")
}

/// How often the process dies before it lives.
fn deaths(directory: &Path, poison: Poison, side_file: bool, most: u32) -> u32 {
    for deaths in 0..most {
        let output = child(directory, poison, if side_file { &[] } else { &[WITHOUT] });
        if output.status.success() {
            return deaths;
        }
        let died = output.status.signal().is_some();
        assert!(died, "{}", String::from_utf8_lossy(&output.stderr));
    }
    most
}

#[test]
fn a_workflow_takes_the_process_down_at_most_twice_and_its_result_is_kept() {
    for (poison, word) in Poison::ALL {
        let directory = tempfile::tempdir().expect("a directory for the test");
        let deaths = deaths(directory.path(), poison, true, 5);
        println!("{word}: {deaths} deaths");
        assert_eq!(deaths, 2, "{word}");
        assert!(!side_file(directory.path()).exists(), "after a clean stop nobody is suspected");

        // It is seen by whoever opens the store next, too, and neither stepped nor charged again.
        let charges = || std::fs::read_to_string(directory.path().join("charges")).unwrap_or_default();
        let before = charges();
        block_on(async {
            let engine =
                Engine::builder().path(store_file(directory.path())).state(directory.path().to_path_buf());
            let engine = engine.open().await.expect("the engine opens");
            let listed = engine.list(Filter::new().parked()).await.expect("a list");
            assert_eq!(listed.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["poisoned"]);
            let said = listed[0].status.to_string();
            assert!(said.contains("the process died twice while this instance was stepped"), "{said}");
            let description = engine.handle("poisoned").describe().await.expect("a description");
            assert!(description.activities.is_empty(), "the charge is done: {description}");
            neighbours_go_on(&engine, "new").await;
        });
        assert_eq!(charges(), before, "it is not charged again");
        // The attempt whose end came with the first death, and the one whose result was committed before the second.
        assert_eq!(before.lines().count(), if poison == Poison::AtOnce { 0 } else { 2 }, "{word}");
    }
}

/// The control: without the side file the process dies for as long as somebody starts it.
#[test]
fn without_a_side_file_the_process_dies_again_and_again() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    assert_eq!(deaths(directory.path(), Poison::Abort, false, 4), 4);
}

#[test]
fn a_side_file_may_be_deleted_or_hold_anything() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    assert_eq!(deaths(directory.path(), Poison::Abort, true, 1), 1);
    std::fs::remove_file(side_file(directory.path())).expect("a side file was left");
    assert_eq!(deaths(directory.path(), Poison::Abort, true, 1), 1, "the suspicion is forgotten");
    let garbage: Vec<u8> = (0..300_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    std::fs::write(side_file(directory.path()), &garbage).expect("it is written");
    assert_eq!(deaths(directory.path(), Poison::Abort, true, 1), 1, "garbage is no suspicion");
    assert_eq!(std::fs::read(side_file(directory.path())).ok(), Some(garbage), "another file is left alone");
    std::fs::remove_file(side_file(directory.path())).expect("it is there");
    assert_eq!(deaths(directory.path(), Poison::Abort, true, 5), 2);
}

#[test]
fn whoever_tries_it_again_stakes_one_process_on_it() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    assert_eq!(deaths(directory.path(), Poison::Abort, true, 5), 2);
    let retried = child(directory.path(), Poison::Abort, &[RETRY]);
    assert!(retried.status.signal().is_some(), "it is stepped once more, and dies once more");
    assert_eq!(deaths(directory.path(), Poison::Abort, true, 5), 0, "it is parked again");
}
