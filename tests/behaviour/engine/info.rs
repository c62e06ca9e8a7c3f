//! What a workflow knows of its instance.

use durable::{prelude::*, testing};

use crate::support::HOUR;

#[workflow(name = "self-aware")]
async fn knows_itself() -> (String, String, Option<String>, bool) {
    let before = durable::instance();
    let (id, started) = (before.id, before.started);
    sleep(HOUR).await;
    let info = durable::instance();
    assert_eq!((info.id, info.started), (id, started), "a wait changes nothing of it");
    (durable::instance().id, info.workflow, info.parent, durable::now() >= started + HOUR)
}

#[tokio::test]
async fn a_workflow_knows_its_instance_also_after_a_restart() {
    let engine = testing::engine().open().await;
    engine.start("aware-1", knows_itself()).await.unwrap();
    engine.idle().await;
    let engine = engine.crash_and_reopen().await;
    let found = engine.start("aware-1", knows_itself()).await.unwrap().result().await.unwrap();
    assert_eq!(found, ("aware-1".into(), "self-aware".into(), None, true));
}

#[test]
#[should_panic(expected = "instance()")]
fn outside_of_a_workflow_there_is_none() {
    let _ = durable::instance();
}
