//! Damaged files under the whole engine: bytes that were flipped, cut off, added, or are another program's. The engine refuses the file and leaves it as
//! it is; or says of an instance that it can't be read; or comes to a right end. Never to a wrong one, and nothing panics or hangs.
//!
//! The store's own part of this, record by record, is in `durable-store/tests/store/damage.rs`.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Instant};

use durable::{
    prelude::*,
    store::{Error as StoreError, MemoryImage, Options, RedbStore},
};
use durable_core::simulation::{Move, Simulated, SimulatedClock};
use durable_store::testing::Rng;

use crate::{
    seed,
    simulation::{
        run::{INSTANCES, half_way, spec},
        script::{contradiction, id, play, script},
        world::World,
    },
    times,
};

/// How many files the cases are made of.
const FILES: u64 = 6;
/// What is done with each.
const MOVES: u32 = 80;

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Refused,
    /// Something in it could not be read, and was said to be so.
    Error,
    Right,
}

/// Where the file holds anything.
fn used(bytes: &[u8]) -> Vec<usize> {
    let pages = bytes.chunks(4_096).enumerate();
    pages.filter(|(_, page)| page.iter().any(|byte| *byte != 0)).map(|(page, _)| page * 4_096).collect()
}

fn damage(bytes: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let pages = used(&bytes);
    match rng.below(8) {
        0 => bytes.truncate(rng.below(bytes.len() as u64) as usize),
        1 => bytes.extend((0..rng.below(9_000)).map(|n| n as u8)),
        2 => bytes = (0..=rng.below(9_000)).map(|_| rng.next_u64() as u8).collect(),
        3 => {
            let page = pages[rng.below(pages.len() as u64) as usize];
            let end = bytes.len().min(page + 4_096);
            bytes[page..end].fill(0);
        }
        kind => {
            for _ in 0..=rng.below(3) {
                let page = if kind == 4 { 0 } else { pages[rng.below(pages.len() as u64) as usize] };
                let within = if page == 0 { 320 } else { 4_096.min(bytes.len() - page) };
                bytes[page + rng.below(within as u64) as usize] ^= 1 + rng.below(255) as u8;
            }
        }
    }
    bytes
}

/// Opens a file and goes on with it as far as that goes; what is wrong, if something is.
fn go_on(bytes: &[u8], now_ms: u64, of: u64) -> Result<Outcome, String> {
    let mut options = Options::default();
    options.cache_bytes = 1 << 20;
    let image = MemoryImage::from_bytes(bytes.to_vec());
    let store = match RedbStore::open_image_with(&image, options) {
        Ok(store) => Arc::new(store),
        Err(StoreError::Damaged { .. } | StoreError::Foreign { .. } | StoreError::Newer { .. }) => {
            let same = image.snapshot() == bytes;
            return if same { Ok(Outcome::Refused) } else { Err("a refused file was changed".into()) };
        }
        Err(other) => return Err(format!("it is refused with {other}")),
    };
    let clock = SimulatedClock::new(now_ms);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime is made");
    let world = World::default();
    let builder = Engine::builder().state(world.clone());
    let Ok(mut simulated) = Simulated::open(builder, store, &clock, of, runtime.handle()) else {
        return Ok(Outcome::Error);
    };
    let mut outcome = Outcome::Right;
    for _ in 0..MOVES {
        let moves = simulated.moves();
        if moves.contains(&Move::Reopen) {
            // The store has said that it is damaged, and the engine says so to everybody: it would open it again until that works.
            return Ok(Outcome::Error);
        }
        let next = moves.iter().find(|next| **next == Move::Recover).or(moves.last());
        match next {
            Some(next) => simulated.make(*next),
            None if world.waiting() > 0 => drop(world.release(0, Some(0))),
            None => {
                let next = simulated.next_deadline().into_iter().chain(simulated.next_sleeper()).min();
                let Some(next) = next else { break };
                clock.set(next.max(clock.now_ms()));
                simulated.fire();
            }
        }
        runtime.block_on(async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        });
    }
    for number in 0..INSTANCES {
        let handle = simulated.engine().handle(id(number)).of(play);
        match runtime.block_on(handle.try_result()) {
            Ok(Some(Ok(got))) => {
                if let Some(why) = contradiction(script(spec(of, number)), &got) {
                    return Err(format!("`{}` has come to what it can't have come to: {why}", id(number)));
                }
            }
            Ok(Some(Err(_)) | None) => {}
            Err(_) => outcome = Outcome::Error,
        }
    }
    Ok(outcome)
}

#[test]
fn a_damaged_file_is_refused_or_its_instances_say_so() {
    let (cases, began) = (times(900), Instant::now());
    let mut rng = Rng::new(seed());
    let files: Vec<_> = (1..=FILES).map(half_way).collect();
    let (mut refused, mut errors, mut wrong) = (0, 0, Vec::new());
    for case in 0..cases {
        let of = rng.below(FILES);
        let (bytes, now_ms) = &files[of as usize];
        let damaged = damage(bytes, &mut rng);
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| go_on(&damaged, *now_ms, of + 1)));
        match outcome {
            Ok(Ok(outcome)) => {
                refused += u64::from(outcome == Outcome::Refused);
                errors += u64::from(outcome == Outcome::Error);
            }
            Ok(Err(why)) => wrong.push(format!("case {case}: {why}")),
            Err(_) => wrong.push(format!("case {case}: a panic")),
        }
    }
    println!(
        "{cases} damaged files in {:.1?}: {refused} refused, {errors} with typed errors",
        began.elapsed()
    );
    assert!(wrong.is_empty(), "{} violations:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
    assert!(refused > cases / 10 && errors > 0, "the damage did nothing: the test shows nothing");
}

/// The control: a file that is another one, and sound, is taken for a wrong end.
#[test]
fn a_file_with_other_ends_is_found_out() {
    let others = (1..=FILES)
        .map(half_way)
        .zip(2..)
        .filter(|((bytes, now_ms), of)| go_on(bytes, *now_ms, *of).is_err());
    assert!(others.count() > 1, "nobody noticed that the ends were those of other instances");
}

#[test]
fn a_file_that_may_only_be_read_is_an_error_and_stays_as_it_is() {
    let directory = tempfile::tempdir().expect("a directory for the test");
    let path = directory.path().join("store.redb");
    std::fs::write(&path, half_way(1).0).expect("the file is written");
    let before = std::fs::read(&path).expect("it can be read");
    let mut permissions = std::fs::metadata(&path).expect("it is there").permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(&path, permissions).expect("it is ours");
    let opened = crate::block_on(Engine::builder().path(&path).state(World::default()).open());
    if std::fs::OpenOptions::new().write(true).open(&path).is_ok() {
        println!("SKIPPED: this user may write to a file that is read-only");
        return;
    }
    assert!(matches!(opened, Err(durable::OpenError::Store(StoreError::Io { .. }))), "{opened:?}");
    assert!(std::fs::read(&path).expect("it can be read") == before, "it was changed");
}
