//! Files of each format version open in this build, and every instance in them goes on to its right end.
//!
//! A file is made by a build that writes its format, and is not made again once that build is released: what a later build makes of it
//! is the test. Until the first release the file of the newest format follows what that build writes. [`places`] says where its
//! instances stand and how they end, [`program`] holds their workflows. A file is kept without the blocks that hold nothing, which are
//! most of it.
//!
//! ```text
//! DURABLE_GOLDEN=make cargo test --test golden       # writes tests/golden/v<format>.blocks anew
//! ```

mod places;
mod program;

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use durable::{
    Engine, OpenError,
    testing::{self, TestBuilder, mock},
};
use durable_store::{Error as StoreError, MemoryImage};
use program::{HOUR, charge, refund};
use redb::ReadableTable as _;

/// What a file is divided in to be kept.
const BLOCK: usize = 512;

fn engine(image: &MemoryImage) -> TestBuilder {
    testing::engine()
        .mock(mock(charge).delay(HOUR).then(|_: String, cents: u64| cents))
        .mock(mock(refund).then(|what: String| format!("refunded {what}")))
        .image(image)
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// The bytes without the blocks of zeros: the length, and each block behind its number.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut out = (bytes.len() as u64).to_le_bytes().to_vec();
    for (at, block) in bytes.chunks(BLOCK).enumerate() {
        if block.iter().any(|byte| *byte != 0) {
            out.extend((at as u32).to_le_bytes());
            out.extend(block);
            out.resize(out.len() + BLOCK - block.len(), 0);
        }
    }
    out
}

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let (len, blocks) = packed.split_first_chunk::<8>().expect("it begins with the length");
    let mut bytes = vec![0; u64::from_le_bytes(*len) as usize];
    for block in blocks.chunks_exact(4 + BLOCK) {
        let (at, block) = block.split_first_chunk::<4>().expect("it is longer");
        let start = u32::from_le_bytes(*at) as usize * BLOCK;
        let end = bytes.len().min(start + BLOCK);
        bytes[start..end].copy_from_slice(&block[..end - start]);
    }
    bytes
}

/// All kept files, by name.
fn kept() -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory()).expect("the directory of this test is there");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("it can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "blocks"))
        .map(|path| {
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            (name, unpacked(&fs::read(&path).expect("it can be read")))
        })
        .collect();
    files.sort();
    files
}

/// A store of this build with an instance in each place.
async fn made() -> Vec<u8> {
    let image = MemoryImage::new();
    let engine = engine(&image).open().await;
    places::stand(&engine).await;
    let _ = engine.shutdown(Duration::ZERO).await;
    image.snapshot()
}

/// One at a time: which build it is is the process's.
static BUILD: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The next build, when the file was left: a test's engine begins in 2030.
fn at_its_time(image: &MemoryImage) -> TestBuilder {
    let at = UNIX_EPOCH + Duration::from_secs(1_893_456_000) + 3 * HOUR + 3 * program::MINUTE;
    engine(image).starting_at(at).build(2)
}

async fn goes_on(bytes: Vec<u8>) {
    let format = format_of(&bytes);
    let engine = at_its_time(&MemoryImage::from_bytes(bytes)).open().await;
    places::go_on(&engine, format).await;
}

#[tokio::test]
async fn files_of_every_format_go_on_in_this_build() {
    let _build = BUILD.lock().await;
    let new = made().await;
    let format = format_of(&new);
    let newest = format!("v{format}.blocks");
    if std::env::var("DURABLE_GOLDEN").is_ok_and(|what| what == "make") {
        let path = directory().join(&newest);
        let bytes = packed(&new);
        fs::write(&path, &bytes).expect("the directory of this test can be written");
        println!("{} is made: {} bytes", path.display(), bytes.len());
    }
    let kept = kept();
    assert!(kept.iter().any(|(name, _)| *name == newest), "no file of format {format} is kept");
    for (name, bytes) in kept {
        println!("{name}: {} bytes", bytes.len());
        let format = format_of(&bytes);
        assert_eq!(name, format!("v{format}.blocks"), "it is of another format");
        goes_on(bytes).await;
    }
}

/// What the kept files are compared with: it is the program that is right, and not the file that fits it.
#[tokio::test]
async fn a_store_of_this_build_goes_on_too() {
    let _build = BUILD.lock().await;
    goes_on(made().await).await;
}

/// Opens bytes as a file.
async fn opened(bytes: &[u8]) -> Result<Engine, OpenError> {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("golden.redb");
    fs::write(&path, bytes).expect("there is room");
    let opened = Engine::open(&path).await;
    match &opened {
        Ok(engine) => engine.shutdown(Duration::ZERO).await.expect("it closes"),
        Err(_) => {
            assert!(fs::read(&path).expect("it can be read") == bytes, "what is refused is left as it was");
        }
    }
    opened
}

#[tokio::test]
async fn a_newer_format_and_a_file_that_is_cut_or_damaged_are_refused_by_name() {
    let today = {
        let _build = BUILD.lock().await;
        format_of(&made().await)
    };
    for (name, bytes) in kept() {
        opened(&bytes).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let (_, sum) = meta(&bytes);
        let newer = with_meta(&bytes, (99, sum ^ spread(format_of(&bytes)) ^ spread(99)));
        match opened(&newer).await.expect_err("it is newer") {
            OpenError::Store(StoreError::Newer { found, supported, .. }) => {
                assert_eq!((found, u64::from(supported)), (99, today), "{name}");
            }
            error => panic!("{name}: {error}"),
        }
        let damaged = |what: &str, error: OpenError| match error {
            OpenError::Store(StoreError::Damaged { reason, .. }) => reason,
            error => panic!("{name}, {what}: {error:?}"),
        };
        // The format of another file, with a sum that is not its own.
        let other = with_meta(&bytes, (99, sum));
        let reason = damaged("its format", opened(&other).await.expect_err("nobody wrote that"));
        assert!(reason.contains("format version"), "{name}: {reason}");
        let cut = &bytes[..bytes.len() / 3];
        damaged("cut", opened(cut).await.expect_err("it is cut off"));
        let mut foreign = bytes.clone();
        foreign[3] ^= 0x10;
        let error = opened(&foreign).await.expect_err("it does not say any more what it is");
        assert!(matches!(error, OpenError::Store(StoreError::Foreign { .. })), "{name}: {error:?}");
    }
}

/// One bit is another in the row of one instance: that one is not read, and the others go on.
#[tokio::test]
async fn damage_of_one_instance_is_found_and_is_its_own_affair() {
    let _build = BUILD.lock().await;
    for (name, mut bytes) in kept() {
        // A variable of the instance `activity`, wherever a page has it.
        let places: Vec<_> = (0..bytes.len() - 5).filter(|at| bytes[*at..].starts_with(b"<tea>")).collect();
        assert!(!places.is_empty(), "{name}: it is not there");
        for at in places {
            bytes[at + 2] ^= 1;
        }
        let engine = at_its_time(&MemoryImage::from_bytes(bytes)).open().await;
        let error = engine.handle("activity").describe().await.expect_err("its row is damaged").to_string();
        assert!(error.contains("damaged in one place"), "{name}: {error}");
        let result = engine.handle("paused").describe().await.expect("it is its own").result;
        assert!(result.is_none(), "{name}: {result:?}");
        assert_eq!(engine.handle("race").of(program::races).result().await.expect("it goes on"), 1, "{name}");
    }
}

const META: redb::TableDefinition<'_, &str, (u64, u64)> = redb::TableDefinition::new("meta");

/// What a version adds to the sum beside it, see `row::write_meta`.
fn spread(version: u64) -> u64 {
    (version ^ (9 << 56)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29)
}

fn format_of(bytes: &[u8]) -> u64 {
    meta(bytes).0
}

/// The format of a file, and its sum.
fn meta(bytes: &[u8]) -> (u64, u64) {
    changed(bytes, None).1
}

/// The same file with another format and sum.
fn with_meta(bytes: &[u8], format: (u64, u64)) -> Vec<u8> {
    changed(bytes, Some(format)).0
}

fn changed(bytes: &[u8], format: Option<(u64, u64)>) -> (Vec<u8>, (u64, u64)) {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("other.redb");
    fs::write(&path, bytes).expect("there is room");
    let database = redb::Database::open(&path).expect("it is a redb file");
    let change = database.begin_write().expect("nobody else writes");
    let before = {
        let mut meta = change.open_table(META).expect("every format has it");
        let before = meta.get("format").expect("it can be read").expect("it has one").value();
        if let Some(format) = format {
            meta.insert("format", format).expect("there is room");
        }
        before
    };
    change.commit().expect("there is room");
    drop(database);
    (fs::read(&path).expect("it can be read"), before)
}
