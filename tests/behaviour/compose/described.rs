//! What `describe` shows of compositions.

use durable::{
    prelude::*,
    testing::{self, mock},
};

use crate::support::{DAY, HOUR, MINUTE};

#[activity(start_to_close = "1d")]
async fn part_of(whole: u32, part: u32) -> u32 {
    whole + part
}

#[activity]
async fn quick_part(part: u32) -> u32 {
    part
}

#[workflow]
async fn collects_parts(quick: u32, slow: u32) -> usize {
    let mut calls = Vec::new();
    for n in 0..quick {
        calls.push(pieces(n, false));
    }
    for n in 0..slow {
        calls.push(pieces(n, true));
    }
    let parts = (0..slow).map(|n| part_of(1, n)).collect::<Vec<_>>().join().await;
    calls.join().await.len() + parts.len()
}

#[workflow]
async fn pieces(number: u32, slow: bool) -> u32 {
    if slow {
        sleep(HOUR).await;
    }
    let piece = quick_part(number).await;
    sleep(DAY).await;
    piece
}

#[tokio::test]
async fn a_join_says_how_much_of_it_is_missing() {
    let setup = testing::engine().mock(mock(part_of).delay(HOUR).then(|whole, part| whole + part));
    let engine = setup.open().await;
    let handle = engine.start("a", collects_parts(1, 400)).await.unwrap();
    engine.idle().await;
    let described = handle.describe().await.unwrap();
    assert_eq!(described.waiting.unwrap().on, "join (400 of 400 missing)");
    engine.advance(2 * HOUR).await;
    let described = handle.describe().await.unwrap();
    // Of 401 called workflows each stands at its own place.
    assert_eq!(described.waiting.as_ref().unwrap().on, "join (401 of 401 missing)");
    assert_eq!(described.frames.len(), 402);
    let inner: Vec<_> = described.frames.iter().filter(|frame| frame.depth == 1).collect();
    assert_eq!(inner.len(), 401);
    assert!(inner.iter().all(|frame| frame.workflow == "pieces" && frame.line > 0));
    let outer = described.frames.last().unwrap();
    assert_eq!((outer.workflow.as_str(), outer.depth, outer.task), ("collects_parts", 0, None));
}

#[workflow]
async fn waits_for_timers() -> usize {
    let timers: Vec<_> = [MINUTE, HOUR, DAY].into_iter().map(sleep).collect();
    let task = spawn(pieces(7, true));
    let count = timers.join().await.len();
    task.await;
    count
}

#[tokio::test]
async fn what_is_done_counts_before_the_join_is_told_and_spawned_frames_come_last() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", waits_for_timers()).await.unwrap();
    engine.advance(2 * HOUR).await;
    let described = handle.describe().await.unwrap();
    assert_eq!(described.waiting.as_ref().unwrap().on, "join (1 of 3 missing)");
    let [main, spawned] = &described.frames[..] else { panic!("{described}") };
    assert_eq!((main.workflow.as_str(), main.task), ("waits_for_timers", None));
    assert_eq!((spawned.workflow.as_str(), spawned.task.is_some()), ("pieces", true));
    assert_eq!(spawned.locals, [("piece".to_owned(), serde_json::json!(7))]);
    assert!(described.to_string().contains("spawned, waits on sleep"), "{described}");
}
