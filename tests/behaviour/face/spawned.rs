//! `spawn`, handles and sets in the forms that programs use.

use durable::{
    prelude::*,
    testing::{self, mock},
};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, HOUR, MINUTE, since};

#[activity(retry(max_attempts = 2))]
async fn face_fetch(url: &str) -> Result<usize, Error> {
    ensure!(!url.contains("broken"), "{url} is broken");
    Ok(url.len())
}

#[activity]
async fn face_size(text: &str) -> usize {
    text.len()
}

#[workflow]
async fn face_fetch_after(url: String, wait: std::time::Duration) -> Result<usize, Error> {
    sleep(wait).await;
    face_fetch(&url).await
}

/// Handles of every kind in locals, one after the other and together.
#[workflow]
async fn face_all_kinds() -> Result<usize, Error> {
    let activity = spawn(face_fetch("abc"));
    let workflow = spawn(face_fetch_after("abcd".into(), MINUTE));
    let child_of_it = spawn(child("kid", face_fetch_after("abcde".into(), HOUR)));
    let timer = spawn(sleep(HOUR));
    let (a, b, c, ()) = (activity, workflow, child_of_it, timer).join().await;
    Ok(a? + b? + c?)
}

/// What is kept with other state, in a struct of the user's.
#[derive(Serialize, Deserialize)]
struct Crawl {
    pending: Vec<Handle<Result<usize, Error>>>,
    sizes: JoinSet<usize>,
    reminder: Option<Handle<()>>,
}

#[workflow]
async fn face_kept_in_a_struct(urls: Vec<String>) -> Result<(usize, usize), Error> {
    let mut crawl = Crawl { pending: vec![], sizes: JoinSet::new(), reminder: None };
    for url in &urls {
        crawl.pending.push(spawn(face_fetch(url).retry(Retry::attempts(3))));
        crawl.sizes.spawn(face_size(url));
    }
    crawl.reminder = Some(spawn(sleep(DAY)));
    sleep(HOUR).await;
    let mut fetched = 0;
    while let Some(handle) = crawl.pending.pop() {
        fetched += handle.await?;
    }
    let mut sizes = 0;
    while let Some(size) = crawl.sizes.join_next().await {
        sizes += size;
    }
    if let Some(reminder) = crawl.reminder.take() {
        let _ = reminder.cancel().await;
    }
    Ok((fetched, sizes))
}

#[tokio::test]
async fn what_is_spawned_is_kept_and_awaited_in_any_form() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(face_all_kinds()).await.unwrap().unwrap(), 12);
    let urls = || vec!["a".to_owned(), "bb".to_owned()];
    let begun = engine.now();
    assert_eq!(engine.run(face_kept_in_a_struct(urls())).await.unwrap().unwrap(), (3, 3));
    assert_eq!(since(&engine, begun), HOUR);
    testing::crash_at_every_step(face_all_kinds).await;
    testing::crash_at_every_step(move || face_kept_in_a_struct(urls())).await;
}

/// The first error of a set, and the rest cancelled.
#[workflow]
async fn face_until_error(urls: Vec<String>) -> Result<Vec<usize>, Error> {
    let mut set = JoinSet::new();
    for (at, url) in urls.into_iter().enumerate() {
        set.spawn(face_fetch_after(url, at as u32 * MINUTE));
    }
    let mut sizes = Vec::new();
    while let Some(size) = set.join_next().await {
        match size {
            Ok(size) => sizes.push(size),
            Err(error) => {
                set.cancel_all().await;
                return Err(error.context(format!("after {}", sizes.len())));
            }
        }
    }
    Ok(sizes)
}

#[workflow]
async fn face_collected(urls: Vec<String>) -> Result<usize, Error> {
    let mut set = JoinSet::new();
    for url in urls {
        set.spawn(face_fetch(&url));
    }
    let all = set.collect().await;
    let sizes = all.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(sizes.iter().sum())
}

#[tokio::test]
async fn a_set_is_drained_with_question_marks() {
    let engine = testing::engine().open().await;
    let good = || vec!["a".to_owned(), "bb".to_owned(), "ccc".to_owned()];
    let bad = || vec!["a".to_owned(), "broken".to_owned(), "ccc".to_owned()];
    assert_eq!(engine.run(face_until_error(good())).await.unwrap().unwrap(), [1, 2, 3]);
    let error = engine.run(face_until_error(bad())).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "after 1");
    assert_eq!(engine.run(face_collected(good())).await.unwrap().unwrap(), 6);
    assert!(engine.run(face_collected(bad())).await.unwrap().is_err());
}

/// Tuples up to eight, vectors, arrays, windows, and all of it inside of each other.
#[workflow]
async fn face_compositions() -> Result<usize, Error> {
    let eight = (
        face_size("1"),
        face_fetch("22"),
        sleep(MINUTE),
        face_fetch_after("333".into(), MINUTE),
        face_size("4444").timeout(HOUR),
        (face_size("a"), face_size("b")).join(),
        vec![face_fetch("x"), face_fetch("yy")].try_join(),
        [face_size("1"), face_size("2")].race(),
    )
        .join()
        .await;
    let (one, two, (), three, four, (a, b), xy, first) = eight;
    let sum = one + two? + three? + four? + a + b + xy?.len() + first;
    let windowed = (0..10).map(|n| face_fetch_after("z".repeat(n), MINUTE)).collect::<Vec<_>>();
    let windowed: Vec<usize> = windowed.try_join().limit(3).await?;
    let (left, right) = (face_fetch("l"), face_fetch("rr")).try_join().await?;
    let raced = (
        face_fetch_after("slow".into(), DAY),
        face_fetch_after("quick".into(), MINUTE).timeout(HOUR).timeout(DAY),
    );
    let quick = match (raced.0.timeout(HOUR), raced.1).join().await {
        (Err(Elapsed), Ok(quick)) => quick??,
        other => bail!("{other:?}"),
    };
    let nested = vec![vec![face_size("a"), face_size("bb")].join(), vec![face_size("ccc")].join()];
    let nested: usize = nested.join().await.into_iter().flatten().sum();
    let none: Vec<usize> = Vec::<Handle<usize>>::new().join().await;
    Ok(sum + windowed.iter().sum::<usize>() + left + right + quick + nested + none.len())
}

#[tokio::test]
async fn compositions_nest_at_will() {
    let engine = testing::engine().open().await;
    assert_eq!(
        engine.run(face_compositions()).await.unwrap().unwrap(),
        1 + 2 + 3 + 4 + 2 + 2 + 1 + 45 + 3 + 5 + 6
    );
}

/// An activity that is told to end and says something last.
#[activity]
async fn face_endless(context: ActivityContext) -> Result<String, Error> {
    context.cancelled().await;
    Ok("a last word".into())
}

#[workflow]
async fn face_cancels() -> Result<String, Error> {
    let running = spawn(face_endless());
    // So that it has begun.
    sleep(std::time::Duration::from_millis(300)).await;
    let word = running.cancel().await??;
    let mut timers = JoinSet::new();
    timers.spawn(sleep(DAY));
    timers.spawn(sleep(2 * DAY));
    ensure!(timers.len() == 2 && !timers.is_empty(), "{}", timers.len());
    timers.cancel_all().await;
    ensure!(timers.is_empty(), "{}", timers.len());
    Ok(word)
}

#[tokio::test]
async fn what_is_spawned_is_cancelled_with_its_last_word() {
    let engine =
        testing::engine().mock(mock(face_endless).then(|| Ok("a last word".into())).delay(DAY)).open().await;
    drop(engine);
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(directory.path().join("store.redb")).await.unwrap();
    assert_eq!(engine.run(face_cancels()).await.unwrap().unwrap(), "a last word");
}
