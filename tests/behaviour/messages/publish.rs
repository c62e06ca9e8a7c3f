//! Published values: what an instance shows, to be read at any time without running its code.

use durable::{EngineError, prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::HOUR;

#[derive(Debug, PartialEq, Serialize, Deserialize, Publish)]
struct Progress {
    done: u32,
    total: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Publish)]
struct Title(String);

#[workflow]
async fn copier(total: u32) {
    publish(&Title("copying".into()));
    for done in 0..=total {
        publish(&Progress { done, total });
        sleep(HOUR).await;
    }
}

#[tokio::test]
async fn the_last_value_of_each_type_is_shown_also_after_a_crash_and_after_the_end() {
    let engine = testing::engine().open().await;
    let handle = engine.start("copy", copier(2)).await.unwrap();
    assert_eq!(handle.published().await.unwrap(), Some(Progress { done: 0, total: 2 }));
    engine.advance(HOUR).await;
    let engine = engine.crash_and_reopen().await;
    let handle = engine.handle("copy").of(copier);
    assert_eq!(handle.published().await.unwrap(), Some(Progress { done: 1, total: 2 }));
    assert_eq!(handle.published().await.unwrap(), Some(Title("copying".into())));
    let described = handle.describe().await.unwrap();
    assert!(described.to_string().contains("published Progress = {\"done\":1,\"total\":2}"), "{described}");
    handle.result().await.unwrap();
    assert_eq!(handle.published().await.unwrap(), Some(Progress { done: 2, total: 2 }));
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Publish)]
struct NeverShown;

#[tokio::test]
async fn what_was_never_published_is_none_and_whoever_is_not_there_says_so() {
    let engine = testing::engine().open().await;
    let handle = engine.start("copy", copier(0)).await.unwrap();
    assert_eq!(handle.published::<NeverShown>().await.unwrap(), None);
    let missing = engine.handle("nobody").published::<Title>().await;
    assert!(matches!(missing, Err(EngineError::NotFound { .. })));
}

#[test]
#[should_panic(expected = "`publish` works in a #[workflow] only")]
fn outside_of_a_workflow_there_is_nobody_to_publish() {
    publish(&NeverShown);
}
