//! What closed instances leave behind goes when their retention passes, and its room is used again.

use std::time::Duration;

use durable::prelude::*;
use durable::store::MemoryImage;
use durable::testing::{self, TestEngine};

use crate::times;

const HOUR: Duration = Duration::from_secs(3600);

#[activity]
async fn note(order: &str, part: u64) -> String {
    format!("{order}: part {part} of what has been said about it").repeat(16 + part as usize % 7)
}

/// Closes at once, with some history and a result of a few kilobytes: a file is a megabyte long before anything is in it.
#[workflow]
async fn handles(order: String) -> Vec<String> {
    let mut notes = Vec::new();
    for part in 0..3 {
        notes.push(note(&order, part).await);
    }
    notes
}

/// How long the file is after each hour, in which so many instances come and end.
async fn hours(
    image: &MemoryImage,
    hours: u64,
    per_hour: u64,
    retention: Duration,
) -> (TestEngine, Vec<usize>) {
    let engine = testing::engine().image(image).retention(retention).open().await;
    let mut lengths = Vec::new();
    for hour in 0..hours {
        for some in (0..per_hour).step_by(250) {
            let all = (some..(some + 250).min(per_hour)).map(|n| {
                let engine = &engine;
                async move {
                    let id = format!("order-{hour}-{n}");
                    engine
                        .start(&id, handles(id.clone()))
                        .await
                        .expect("it starts")
                        .result()
                        .await
                        .expect("it ends")
                }
            });
            futures::future::join_all(all).await;
        }
        engine.advance(HOUR).await;
        lengths.push(image.len());
    }
    (engine, lengths)
}

#[tokio::test]
async fn a_store_with_steady_traffic_has_a_steady_size() {
    let per_hour = times(62);
    let (_, lengths) = hours(&MemoryImage::new(), 30, per_hour, 4 * HOUR).await;
    println!("{per_hour} instances an hour, kept for 4 hours: the file has {lengths:?} bytes");
    let steady = lengths[12];
    assert!(lengths[12..].iter().all(|len| *len <= steady + steady / 10), "it grows: {lengths:?}");
}

/// The control: what is kept takes room.
#[tokio::test]
async fn a_store_that_keeps_everything_grows() {
    let (_, lengths) = hours(&MemoryImage::new(), 30, 62, 1_000 * HOUR).await;
    let steady = lengths[12];
    assert!(lengths[29] > steady + steady / 2, "{lengths:?}");
}

/// What was a busy store is compacted, and goes on.
#[tokio::test]
async fn compacting_gives_back_what_the_report_says_is_free() {
    let image = MemoryImage::new();
    let (engine, _) = hours(&image, 5, 300, 6 * HOUR).await;
    engine.advance(8 * HOUR).await;
    engine.start("kept", handles("kept".into())).await.unwrap().result().await.unwrap();
    engine.shutdown(Duration::from_secs(1)).await.unwrap();

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("orders.redb");
    std::fs::write(&path, image.snapshot()).unwrap();
    let engine = Engine::builder().path(&path).retention(1_000_000 * HOUR).open().await.unwrap();
    let usage = engine.disk_usage().await.unwrap();
    println!("{usage}");
    assert_eq!(usage.file_bytes, std::fs::metadata(&path).unwrap().len());
    let closed = usage.tables.iter().find(|table| table.name == "closed").unwrap();
    assert_eq!(closed.rows, 1);
    assert!(usage.free_bytes > usage.file_bytes / 2, "{usage}");
    // Not under a running engine.
    let locked = Engine::builder().path(&path).compact().await.unwrap_err();
    assert!(locked.to_string().contains("in use"), "{locked}");
    engine.shutdown(Duration::from_secs(1)).await.unwrap();

    let compacted = Engine::builder().path(&path).compact().await.unwrap();
    println!("{compacted:?}");
    assert_eq!(compacted.before_bytes, usage.file_bytes);
    // Closing the file may have added a page or two.
    let len = std::fs::metadata(&path).unwrap().len();
    assert!(len.abs_diff(compacted.after_bytes) < 64 << 10, "{len} bytes");
    let promised = usage.free_bytes;
    let given = compacted.given_back_bytes();
    assert!(given <= promised && given > promised / 2, "{given} of {promised} bytes were given back");

    let engine = Engine::open(&path).await.unwrap();
    let result = engine.handle("kept").of(handles).result().await.unwrap();
    assert_eq!(result.len(), 3);
    assert_eq!(engine.list(Filter::new()).await.unwrap().len(), 1);
    engine.shutdown(Duration::from_secs(1)).await.unwrap();
}
