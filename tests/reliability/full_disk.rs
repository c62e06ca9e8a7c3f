//! A disk that is full: whoever asks gets an error that says so, what is there can be read, and when there is room again everything goes on.
//!
//! Under the whole engine, with threads: on a disk with a quota, at many sizes, and on a real file system that is too small, if this machine lets us
//! mount one.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use durable::{
    prelude::*,
    store::{Options, RedbStore, Store},
};
use durable_store::testing::{FullDisk, Room};

use crate::{block_on, times, watched::Watched};

/// More instances than fit.
const MANY: u32 = 400;
/// What each is given.
const BYTES: usize = 30_000;
/// Everything happens within this, unless something hangs.
const PATIENCE: Duration = Duration::from_secs(30);
const KIB: u64 = 1_024;

#[activity]
async fn length_of(text: String) -> usize {
    text.len()
}

/// Keeps a text until it is told that it may go on.
#[workflow]
async fn hoard(text: String) -> usize {
    let length = length_of(text.clone()).await;
    let ThereIsRoom = recv::<ThereIsRoom>().await;
    length + text.len()
}

#[derive(Debug, serde::Serialize, serde::Deserialize, Signal)]
struct ThereIsRoom;

fn id(number: u32) -> String {
    format!("hoard-{number}")
}

/// Fills a store until somebody is refused, looks at what is there, makes room, and sees everything to its end. Gives how many instances fitted in.
async fn fill(engine: Engine, most: u32, make_room: impl FnOnce()) -> Result<u32, String> {
    let mut fitted = 0;
    let refused = loop {
        if fitted == most {
            return Err("it was never full".into());
        }
        match engine.start(id(fitted), hoard("x".repeat(BYTES))).await {
            Ok(_) => fitted += 1,
            // Also if it was somebody else who has met the full disk, and the store was opened again since.
            Err(error) => break error.to_string(),
        }
    };
    if !["space", "full", "room"].iter().any(|word| refused.contains(word)) {
        return Err(format!("the error does not say that the disk is full: {refused}"));
    }
    // What is there can be read, as soon as the store was opened again.
    let began = Instant::now();
    for number in 0..fitted {
        while let Err(error) = engine.handle(id(number)).describe().await {
            if began.elapsed() > PATIENCE {
                return Err(format!("`{}` can't be read while the disk is full: {error}", id(number)));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    make_room();
    for number in 0..=fitted {
        let began = Instant::now();
        let handle = loop {
            let started = engine.start(id(number), hoard("x".repeat(BYTES))).await;
            let signalled = match started {
                Ok(handle) => {
                    handle.signal(ThereIsRoom).await.map(|()| handle).map_err(|error| error.to_string())
                }
                Err(error) => Err(error.to_string()),
            };
            match signalled {
                Ok(handle) => break handle,
                Err(error) if began.elapsed() > PATIENCE => {
                    return Err(format!("`{}` does not go on when there is room: {error}", id(number)));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        };
        let result = tokio::time::timeout(PATIENCE, handle.result()).await;
        match result {
            Ok(Ok(length)) if length == 2 * BYTES => {}
            other => return Err(format!("`{}` has come to {other:?}", id(number))),
        }
    }
    engine.shutdown(Duration::from_secs(10)).await.map_err(|error| error.to_string())?;
    Ok(fitted)
}

/// The same on a disk with a quota. Nothing if the store itself does not fit. A store may keep its errors to itself.
fn fill_quota(room: Room, limit: u64, swallows: bool) -> Result<Option<u32>, String> {
    let disk = FullDisk::new(limit, room);
    let mut options = Options::default();
    options.cache_bytes = 1 << 20;
    let store = match RedbStore::with_backend(disk.factory(), options) {
        Ok(store) => store,
        Err(error) if error.to_string().contains("space") => return Ok(None),
        Err(error) => return Err(format!("a store that does not fit does not say so: {error}")),
    };
    let store = Watched::new(store, move |store, batch| match store.commit(batch) {
        Err(_) if swallows => store.reopen(),
        committed => committed,
    });
    block_on(async {
        let engine = match Engine::builder().store(store).open().await {
            Ok(engine) => engine,
            Err(error) if error.to_string().contains("space") => return Ok(None),
            Err(error) => return Err(error.to_string()),
        };
        fill(engine, if swallows { MANY / 10 } else { MANY }, || disk.set_limit(u64::MAX)).await.map(Some)
    })
}

#[test]
fn a_full_disk_is_an_error_and_no_loss() {
    let began = Instant::now();
    let (mut fitted, mut too_small, mut sizes) = (0, 0, 0);
    for nth in 0..times(8) {
        for (room, first) in [(Room::Blocks, 64), (Room::Length, 1_000)] {
            let limit = (first + nth * 260 + nth % 3 * 4) * KIB;
            sizes += 1;
            match fill_quota(room, limit, false) {
                Ok(Some(number)) => fitted += number,
                Ok(None) => too_small += 1,
                Err(why) => panic!("{room:?} of {limit} bytes: {why}"),
            }
        }
    }
    println!(
        "{sizes} sizes in {:.1?}: {fitted} instances fitted, {too_small} sizes too small",
        began.elapsed()
    );
    assert!(
        fitted > 10 && too_small < sizes / 2,
        "{fitted} instances fitted, {too_small} of {sizes} sizes too small"
    );
}

/// The control: over a store that keeps its errors to itself the same test must notice it.
#[test]
fn a_full_disk_that_nobody_is_told_of_is_found_out() {
    let found = fill_quota(Room::Blocks, 500 * KIB, true);
    assert!(found.is_err(), "it was not noticed: {found:?}");
}

/// A file system of this size, unless the machine does not let us.
struct Mounted(tempfile::TempDir);

impl Mounted {
    fn new(kib: u64) -> Result<Mounted, String> {
        let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
        let size = format!("size={kib}k");
        let mount = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "none"])
            .arg(directory.path())
            .output()
            .map_err(|error| error.to_string())?;
        if mount.status.success() {
            Ok(Mounted(directory))
        } else {
            Err(String::from_utf8_lossy(&mount.stderr).trim().to_owned())
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

#[test]
fn a_real_file_system_that_is_full_is_an_error_and_no_loss() {
    let mounted = match Mounted::new(4 * KIB) {
        Ok(mounted) => mounted,
        Err(why) => {
            println!("SKIPPED: no small file system can be mounted here, so nothing was shown: {why}");
            return;
        }
    };
    let ballast = mounted.path().join("ballast");
    std::fs::write(&ballast, vec![1; 2 << 20]).expect("the ballast fits");
    let fitted = block_on(async {
        let engine = Engine::open(mounted.path().join("orders.redb")).await.expect("an empty store fits");
        let room = || std::fs::remove_file(&ballast).expect("the ballast goes");
        fill(engine, MANY, room).await
    });
    let fitted = fitted.unwrap_or_else(|why| panic!("{why}"));
    println!("{fitted} instances fitted into a file system of 4 MiB");
    assert!(fitted > 0);
}
