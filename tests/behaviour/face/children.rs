//! Children, in every form in which they are started, awaited and talked to.

use durable::{prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, HOUR, MINUTE, since};

#[derive(Debug, Serialize, Deserialize, Signal)]
struct AddPart(u32);

#[derive(Debug, Serialize, Deserialize, Update)]
#[update(output = Result<u32, String>)]
struct CountParts {
    at_least: u32,
}

/// Sums what it is sent until it is told that the rest can wait.
#[workflow]
async fn face_collector(most: u32) -> Result<u32, Error> {
    let mut sum = 0;
    while sum < most {
        select! {
            part = recv::<AddPart>() => sum += part.0,
            asked = recv_update::<CountParts>() => {
                if asked.at_least > sum {
                    asked.reject(format!("only {sum}"));
                } else {
                    asked.reply(Ok(sum));
                }
            }
        }
    }
    Ok(sum)
}

#[workflow]
async fn face_parent() -> Result<(String, u32, String, u32), Error> {
    let collector: ChildHandle<Result<u32, Error>> = child("sum", face_collector(10)).start().await;
    let id = collector.id().to_owned();
    collector.signal(AddPart(3)).await?;
    collector.signal(AddPart(4)).await?;
    let so_far = collector.update(CountParts { at_least: 1 }).await?.map_err(Error::msg)?;
    let Err(UpdateError::Rejected { why }) = collector.update(CountParts { at_least: 99 }).await else {
        bail!("it has not so many")
    };
    collector.signal(AddPart(5)).await?;
    Ok((id, so_far, why, collector.await?))
}

#[tokio::test]
async fn a_parent_talks_to_its_child_through_the_handle() {
    let engine = testing::engine().open().await;
    let handle = engine.start("face", face_parent()).await.unwrap();
    let (id, so_far, why, sum) = handle.result().await.unwrap().unwrap();
    assert_eq!((id.as_str(), so_far, why.as_str(), sum), ("face/sum", 7, "only 7", 12));
    testing::crash_at_every_step(face_parent).await;
}

#[workflow]
async fn face_stops_child() -> Result<String, Error> {
    let collector = child("sum", face_collector(10)).start().await;
    sleep(HOUR).await;
    collector.cancel("enough").await?;
    Ok(match collector.outcome().await {
        Err(CallError::Cancelled { reason }) => reason,
        other => format!("{other:?}"),
    })
}

#[tokio::test]
async fn a_child_is_cancelled_through_its_handle() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(face_stops_child()).await.unwrap().unwrap(), "enough");
    testing::crash_at_every_step(face_stops_child).await;
}

#[workflow]
async fn face_never_fails(wait: std::time::Duration) -> u32 {
    sleep(wait).await;
    7
}

/// A child that can't fail is awaited by its outcome, in every place in which anything is awaited.
#[workflow]
async fn face_outcomes() -> Result<u32, CallError> {
    let one = child("one", face_never_fails(MINUTE)).outcome().await?;
    let (two, three) =
        (child("two", face_never_fails(MINUTE)).outcome(), child("three", face_never_fails(HOUR)).outcome())
            .join()
            .await;
    let late = child("late", face_never_fails(DAY)).outcome().timeout(HOUR).await;
    assert!(late.is_err());
    let first = vec![
        child("slow", face_never_fails(DAY)).outcome(),
        child("fast", face_never_fails(MINUTE)).outcome(),
    ]
    .race()
    .await?;
    let abandoned = child("left", face_never_fails(DAY)).on_close(OnClose::Abandon).start().await;
    assert!(abandoned.id().ends_with("/left"));
    Ok(one + two? + three? + first)
}

#[tokio::test]
async fn outcomes_are_awaited_joined_raced_and_timed() {
    let engine = testing::engine().open().await;
    let begun = engine.now();
    let handle = engine.start("o", face_outcomes()).await.unwrap();
    assert_eq!(handle.result().await.unwrap().unwrap(), 28);
    assert_eq!(since(&engine, begun), 2 * HOUR + 2 * MINUTE);
    assert!(matches!(
        engine.handle("o/late").of(face_never_fails).result().await,
        Err(RunError::Cancelled { .. })
    ));
    assert_eq!(engine.handle("o/left").of(face_never_fails).result().await.unwrap(), 7);
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum PartError {
    #[error("part {0} is broken")]
    Broken(u32),
    #[error(transparent)]
    Call(#[from] CallError),
}

#[workflow]
async fn face_part(number: u32) -> Result<u32, PartError> {
    sleep(u32::from(number != 3) * HOUR).await;
    if number == 3 { Err(PartError::Broken(number)) } else { Ok(number) }
}

/// Errors of a type of one's own, joined with `?`.
#[workflow]
async fn face_assembly(parts: Vec<u32>) -> Result<u32, PartError> {
    let children: Vec<_> = parts.iter().map(|n| child(format!("part-{n}"), face_part(*n))).collect();
    let made = children.try_join().limit(2).await?;
    Ok(made.into_iter().sum())
}

#[workflow]
async fn face_assembly_by_handles(parts: Vec<u32>) -> Result<u32, PartError> {
    let mut started = Vec::new();
    for number in parts {
        started.push(child(format!("part-{number}"), face_part(number)).start().await);
    }
    let mut sum = 0;
    for part in started {
        sum += part.await?;
    }
    Ok(sum)
}

/// All at once, and their handles joined.
#[workflow]
async fn face_assembly_at_once(parts: Vec<u32>) -> Result<u32, PartError> {
    let starts: Vec<_> = parts.iter().map(|n| child(format!("part-{n}"), face_part(*n)).start()).collect();
    let handles = starts.join().await;
    let made = handles.try_join().await?;
    Ok(made.iter().sum())
}

#[tokio::test]
async fn children_with_an_error_of_their_own_are_joined_and_awaited_by_handle() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(face_assembly(vec![1, 2, 4])).await.unwrap().unwrap(), 7);
    assert!(matches!(engine.run(face_assembly(vec![1, 2, 3])).await.unwrap(), Err(PartError::Broken(3))));
    assert_eq!(engine.run(face_assembly_by_handles(vec![1, 2])).await.unwrap().unwrap(), 3);
    assert!(engine.run(face_assembly_by_handles(vec![1, 3])).await.unwrap().is_err());
    assert_eq!(engine.run(face_assembly_at_once(vec![1, 2])).await.unwrap().unwrap(), 3);
    assert!(engine.run(face_assembly_at_once(vec![3, 1])).await.unwrap().is_err());
}

/// A helper that gets the handle and gives it back: it is a value as any other.
#[workflow]
async fn face_feeds(
    collector: ChildHandle<Result<u32, Error>>,
    part: u32,
) -> Result<ChildHandle<Result<u32, Error>>, Error> {
    collector.signal(AddPart(part)).await?;
    Ok(collector)
}

#[workflow]
async fn face_lends_handle() -> Result<(u32, u32), Error> {
    let mut collector = face_feeds(child("sum", face_collector(10)).start().await, 4).await?;
    let mut waited = 0;
    loop {
        select! {
            sum = &mut collector => break Ok((sum?, waited)),
            _ = sleep(MINUTE) => {
                waited += 1;
                collector.signal(AddPart(2)).await?;
            }
        }
    }
}

#[tokio::test]
async fn a_handle_is_passed_on_and_lent_to_a_select() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(face_lends_handle()).await.unwrap().unwrap(), (10, 3));
    testing::crash_at_every_step(face_lends_handle).await;
}

#[workflow]
async fn face_gives_up(which: u32) -> Result<String, Error> {
    let collector = child("sum", face_collector(10)).start().await;
    let answer = external::<u32>();
    let gave_up = match which {
        0 => collector.timeout(HOUR).await.is_err(),
        1 => collector.outcome().timeout(HOUR).await.is_err(),
        2 => answer.timeout(HOUR).await.is_err(),
        _ => {
            let mut collector = collector;
            select! {
                _ = &mut collector => false,
                _ = sleep(HOUR) => collector.timeout(HOUR).await.is_err(),
            }
        }
    };
    sleep(DAY).await;
    Ok(format!("{gave_up}"))
}

#[tokio::test]
async fn a_child_and_what_is_completed_outside_end_with_the_branch_that_waits_for_them() {
    let engine = testing::engine().open().await;
    for which in 0..4 {
        let id = format!("gives-up-{which}");
        let handle = engine.start(&id, face_gives_up(which)).await.unwrap();
        engine.advance(3 * HOUR).await;
        let kid = engine.handle(format!("{id}/sum")).of(face_collector);
        let status = kid.describe().await.unwrap().status;
        assert_eq!(status, if which == 2 { Status::Waiting } else { Status::Cancelled }, "{which}");
        assert_eq!(handle.result().await.unwrap().unwrap(), "true");
    }
    testing::crash_at_every_step(|| face_gives_up(0)).await;
}
