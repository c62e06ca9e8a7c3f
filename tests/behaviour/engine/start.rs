//! Starting is idempotent by id.

use durable::{EngineError, MAX_ID_BYTES, prelude::*, testing};

use crate::support::{DAY, HOUR, SECOND};

#[activity]
async fn add_one(n: u32) -> u32 {
    n + 1
}

#[workflow]
async fn count(n: u32) -> Result<u32, Error> {
    let n = add_one(n).await;
    sleep(HOUR).await;
    ensure!(n < 100, "{n} is too many");
    Ok(n)
}

#[workflow]
async fn another(n: u32) -> u32 {
    n
}

/// Ends in its first step.
#[workflow]
async fn at_once(a: u32, b: String) -> String {
    format!("{b}{a}")
}

#[tokio::test]
async fn starting_twice_is_starting_once() {
    let engine = testing::engine().open().await;
    let first = engine.start("a", count(1)).await.unwrap();
    let second = engine.start("a", count(50)).await.unwrap();
    assert!(first.created() && !second.created());
    assert_eq!(first.id(), "a");
    assert_eq!(first.result().await.unwrap().unwrap(), 2);
    assert_eq!(second.result().await.unwrap().unwrap(), 2, "the second one's arguments do not count");
    let closed = engine.start("a", count(50)).await.unwrap();
    assert!(!closed.created(), "nor does its end make the id free");
    assert_eq!(closed.result().await.unwrap().unwrap(), 2);
    assert!(engine.calls(add_one) == 1);

    engine.crash_and_reopen().await;
    let reopened = engine.start("a", count(50)).await.unwrap();
    assert!(!reopened.created());
    assert_eq!(reopened.result().await.unwrap().unwrap(), 2);
    assert!(engine.calls(add_one) == 1);
}

#[tokio::test]
async fn of_many_starts_of_one_id_at_once_one_creates_the_instance() {
    let engine = testing::engine().open().await;
    let starts: Vec<_> = (0..50)
        .map(|n| {
            let engine = engine.clone();
            tokio::spawn(async move { engine.start("same", count(n)).await.unwrap() })
        })
        .collect();
    let mut handles = Vec::new();
    for start in starts {
        handles.push(start.await.unwrap());
    }
    assert_eq!(handles.iter().filter(|handle| handle.created()).count(), 1);
    let result = handles[0].result().await.unwrap().unwrap();
    for handle in handles {
        assert_eq!(handle.result().await.unwrap().unwrap(), result);
    }
    assert!(engine.calls(add_one) == 1);
    assert_eq!(engine.list(Filter::new()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn on_existing_fail_refuses_an_id_that_is_taken_open_or_closed() {
    let engine = testing::engine().open().await;
    let fail = |n| engine.start("a", count(n)).on_existing(OnExisting::Fail);
    let handle = fail(1).await.unwrap();
    assert!(handle.created());
    for _ in 0..2 {
        let refused = fail(2).await.unwrap_err();
        assert!(matches!(&refused, StartError::Exists { id } if id == "a"), "{refused:?}");
        assert_eq!(handle.result().await.unwrap().unwrap(), 2);
    }
}

#[tokio::test]
async fn restart_if_closed_takes_an_open_one_and_starts_a_closed_one_anew() {
    let engine = testing::engine().open().await;
    let restart = |n| engine.start("a", count(n)).on_existing(OnExisting::RestartIfClosed);
    let first = restart(1).await.unwrap();
    assert!(!restart(50).await.unwrap().created());
    assert_eq!(first.result().await.unwrap().unwrap(), 2);
    let second = restart(50).await.unwrap();
    assert!(second.created());
    assert_eq!(second.result().await.unwrap().unwrap(), 51);
    assert_eq!(first.result().await.unwrap().unwrap(), 2, "a handle stays with the run it was given");
    let newest = engine.handle("a").of(count);
    assert_eq!(newest.result().await.unwrap().unwrap(), 51);
}

#[tokio::test]
async fn another_workflow_under_the_id_is_refused_with_both_names() {
    let engine = testing::engine().open().await;
    engine.start("a", count(1)).await.unwrap();
    for on_existing in [OnExisting::Attach, OnExisting::Fail, OnExisting::RestartIfClosed] {
        let refused = engine.start("a", another(1)).on_existing(on_existing).await.unwrap_err();
        match &refused {
            StartError::OtherWorkflow { id, found, wanted } => {
                assert_eq!((id.as_str(), found.as_str(), *wanted), ("a", "count", "another"));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_id_has_one_to_200_bytes() {
    let engine = testing::engine().open().await;
    for id in [String::new(), "x".repeat(MAX_ID_BYTES + 1), "ü".repeat(101)] {
        let refused = engine.start(id.clone(), another(1)).await.unwrap_err();
        assert!(matches!(refused, StartError::BadId { len } if len == id.len()), "{refused:?}");
    }
    for id in ["x".repeat(MAX_ID_BYTES), "ü".repeat(100), "a/b c\n#".into()] {
        let handle = engine.start(id.clone(), another(7)).await.unwrap();
        assert_eq!(handle.result().await.unwrap(), 7);
        assert_eq!(engine.handle(id).of(another).result().await.unwrap(), 7);
    }
}

#[tokio::test]
async fn run_starts_under_a_fresh_id_and_waits() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(count(1)).await.unwrap().unwrap(), 2);
    assert_eq!(engine.run(count(1)).await.unwrap().unwrap(), 2);
    assert!(engine.calls(add_one) == 2);
    let error = engine.run(count(99)).await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "100 is too many");
    let ids: Vec<String> = engine.list(Filter::new()).await.unwrap().into_iter().map(|one| one.id).collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| id.starts_with("count-")), "{ids:?}");
}

#[tokio::test]
async fn a_workflow_may_end_in_its_first_step() {
    let engine = testing::engine().open().await;
    let handle = engine.start("now", at_once(1, "n".into())).await.unwrap();
    assert_eq!(handle.result().await.unwrap(), "n1");
    assert_eq!(handle.describe().await.unwrap().status, Status::Completed);
    engine.crash_and_reopen().await;
    assert_eq!(engine.handle("now").of(at_once).result().await.unwrap(), "n1");
    let report = testing::crash_at_every_step(|| at_once(1, "n".into())).await;
    assert!(report.crashes >= 1);
}

#[tokio::test]
async fn a_result_can_be_asked_for_without_waiting() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", count(1)).await.unwrap();
    engine.idle().await;
    assert!(handle.try_result().await.unwrap().is_none());
    engine.advance(DAY).await;
    assert_eq!(handle.try_result().await.unwrap().unwrap().unwrap(), 2);
}

#[tokio::test]
async fn a_handle_of_nothing_says_so() {
    let engine = testing::engine().open().await;
    let handle = engine.handle("nobody").of(count);
    let describe = handle.describe().await.unwrap_err();
    assert!(matches!(&describe, EngineError::NotFound { id } if id == "nobody"), "{describe:?}");
    let result = handle.result().await.unwrap_err();
    assert!(matches!(result, RunError::Engine(EngineError::NotFound { .. })), "{result:?}");
    assert!(matches!(handle.terminate("why").await, Err(EngineError::NotFound { .. })));
    assert!(matches!(handle.retry_now().await, Err(EngineError::NotFound { .. })));
    assert!(matches!(handle.history().await, Err(EngineError::NotFound { .. })));
}

#[tokio::test]
async fn a_result_read_as_another_type_is_an_error_that_says_so() {
    let engine = testing::engine().open().await;
    let handle = engine.start("text", at_once(1, "n".into())).await.unwrap();
    handle.result().await.unwrap();
    let wrong = engine.handle("text").of(another).result().await.unwrap_err();
    assert!(matches!(wrong, RunError::Result { .. }), "{wrong:?}");
    assert!(wrong.to_string().contains("u32"), "{wrong}");
}

#[tokio::test]
async fn a_result_may_be_waited_for_by_many() {
    let engine = testing::engine().open().await;
    let handle = engine.start("a", count(1)).await.unwrap();
    let waiters: Vec<_> = (0..10)
        .map(|_| {
            let handle = handle.clone();
            tokio::spawn(async move { handle.result().await.unwrap().unwrap() })
        })
        .collect();
    engine.advance(HOUR + SECOND).await;
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap(), 2);
    }
}
