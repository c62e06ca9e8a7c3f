//! Files that were written by each format version open in this build, and every instance in them goes on to its right end.
//!
//! A file is made by the build that first writes its format, and is never made again once that build is released: what a later build
//! makes of it is the test. [`places`] says where its instances stand and how they end, [`program`] holds their workflows. A file is kept
//! without the blocks that hold nothing, which are most of it.
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
use durable_store::MemoryImage;
use program::{HOUR, charge, refund};
use redb::ReadableTable as _;

/// The format that this build writes: a file of it is kept, and a test says if it is not.
const FORMAT: u32 = 4;

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

async fn goes_on(bytes: Vec<u8>, format: u32) {
    let image = MemoryImage::from_bytes(bytes);
    // When it was left: a test's engine begins in 2030.
    let at = UNIX_EPOCH + Duration::from_secs(1_893_456_000) + 3 * HOUR + 3 * program::MINUTE;
    let engine = engine(&image).starting_at(at).build(2).open().await;
    places::go_on(&engine, format).await;
}

#[tokio::test]
async fn files_of_every_format_go_on_in_this_build() {
    let _build = BUILD.lock().await;
    if std::env::var("DURABLE_GOLDEN").is_ok_and(|what| what == "make") {
        let path = directory().join(format!("v{FORMAT}.blocks"));
        let bytes = packed(&made().await);
        fs::write(&path, &bytes).expect("the directory of this test can be written");
        println!("{} is made: {} bytes", path.display(), bytes.len());
    }
    let kept = kept();
    assert!(
        kept.iter().any(|(name, _)| *name == format!("v{FORMAT}.blocks")),
        "no file of format {FORMAT} is kept"
    );
    for (name, bytes) in kept {
        println!("{name}: {} bytes", bytes.len());
        let format = name.strip_prefix('v').and_then(|name| name.strip_suffix(".blocks"));
        goes_on(bytes, format.and_then(|format| format.parse().ok()).expect("its name says its format"))
            .await;
    }
}

/// What the kept files are compared with: it is the program that is right, and not the file that fits it.
#[tokio::test]
async fn a_store_of_this_build_goes_on_too() {
    let _build = BUILD.lock().await;
    goes_on(made().await, FORMAT).await;
}

/// Opens bytes as a file.
async fn opened(bytes: &[u8]) -> Result<Engine, OpenError> {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("golden.redb");
    fs::write(&path, bytes).expect("there is room");
    let opened = Engine::open(&path).await;
    if let Ok(engine) = &opened {
        engine.shutdown(Duration::ZERO).await.expect("it closes");
    }
    opened
}

#[tokio::test]
async fn a_newer_format_and_damaged_bytes_are_refused_by_name() {
    for (name, bytes) in kept() {
        opened(&bytes).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let newer = of_format(&bytes, 99);
        let error = opened(&newer).await.expect_err("it is newer").to_string();
        assert!(error.contains("99") && error.contains(&FORMAT.to_string()), "{name}: {error}");
        let mut cut = bytes.clone();
        cut.truncate(bytes.len() / 3);
        let error = opened(&cut).await.expect_err("it is cut off");
        assert!(!error.to_string().is_empty(), "{name}");
        let mut damaged = bytes.clone();
        damaged[3] ^= 0x10;
        opened(&damaged).await.expect_err("it is no store any more");
    }
}

/// The same file, as if a build of this format had written it.
fn of_format(bytes: &[u8], format: u64) -> Vec<u8> {
    const META: redb::TableDefinition<'_, &str, (u64, u64)> = redb::TableDefinition::new("meta");
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("other.redb");
    fs::write(&path, bytes).expect("there is room");
    let database = redb::Database::open(&path).expect("it is a redb file");
    let change = database.begin_write().expect("nobody else writes");
    {
        let mut meta = change.open_table(META).expect("every format has it");
        let (version, sum) = meta.get("format").expect("it can be read").expect("it has one").value();
        // The sum that belongs to it, see `row::write_meta`.
        let spread = |version: u64| (version ^ (9 << 56)).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        meta.insert("format", (format, sum ^ spread(version) ^ spread(format))).expect("there is room");
    }
    change.commit().expect("there is room");
    drop(database);
    fs::read(&path).expect("it can be read")
}
