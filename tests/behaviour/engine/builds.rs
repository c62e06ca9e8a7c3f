//! What is in the store and not in this build.

use durable::{
    ParkReason,
    prelude::*,
    store::{Batch, Change, Found, Instance, MemoryImage, RedbStore, Store, Transition},
    testing,
};

use crate::support::HOUR;

#[activity(retry(initial = "1h", jitter = 0))]
async fn renamed_activity(n: u32) -> Result<u32, Error> {
    ensure!(n != 7, "not yet");
    Ok(n)
}

#[workflow]
async fn renamed_workflow(n: u32) -> Result<u32, Error> {
    sleep(HOUR).await;
    renamed_activity(n).await
}

/// Changes the record of an instance, as if another program had written it.
fn edit(image: &MemoryImage, id: &str, change: impl FnOnce(&mut Instance)) {
    let store = RedbStore::open_image(image).unwrap();
    let Some(Found::Live(slot)) = store.find(id).unwrap() else { panic!("`{id}` is not live") };
    let mut instance = store.instance(slot).unwrap().expect("it was just found");
    change(&mut instance);
    let transition =
        Transition::new(slot, instance.number, Change::Update { instance, active_changed: false });
    store.commit(&Batch { transitions: vec![transition], ..Batch::default() }).unwrap();
}

#[tokio::test]
async fn a_workflow_that_is_not_in_the_build_parks_its_instances_by_name() {
    let image = MemoryImage::new();
    let engine = testing::engine().image(&image).open().await;
    engine.start("old", renamed_workflow(1)).await.unwrap();
    engine.start("new", renamed_workflow(2)).await.unwrap();
    engine.idle().await;
    drop(engine);

    let image = image.fork();
    edit(&image, "old", |instance| instance.workflow = "old_workflow".into());
    let engine = testing::engine().image(&image).build(2).open().await;
    assert_eq!(engine.handle("new").of(renamed_workflow).result().await.unwrap().unwrap(), 2);
    engine.advance(HOUR).await;
    let description = engine.handle("old").describe().await.unwrap();
    let expected = ParkReason::NotInBuild { name: "workflow `old_workflow`".into() };
    assert_eq!(description.parked(), Some(&expected), "{description}");
    drop(engine);

    // A build that has it goes on.
    let image = image.fork();
    edit(&image, "old", |instance| instance.workflow = "renamed_workflow".into());
    let engine = testing::engine().image(&image).build(3).open().await;
    assert_eq!(engine.handle("old").of(renamed_workflow).result().await.unwrap().unwrap(), 1);
}

#[tokio::test]
async fn an_activity_that_is_not_in_the_build_parks_its_instances_by_name() {
    let image = MemoryImage::new();
    let engine = testing::engine().image(&image).open().await;
    engine.start("old", renamed_workflow(7)).await.unwrap();
    engine.advance(2 * HOUR).await;
    drop(engine);

    // A name of the same length, so that the record stays sound.
    let (name, other) = (b"renamed_activity", b"removed_activity");
    let image = image.fork();
    edit(&image, "old", |instance| {
        let at = instance.state.windows(name.len()).position(|window| window == name).expect("it is pending");
        instance.state[at..at + name.len()].copy_from_slice(other);
    });
    let engine = testing::engine().image(&image).build(2).open().await;
    engine.advance(HOUR * 10).await;
    let parked = engine.handle("old").of(renamed_workflow).result().await.unwrap_err().to_string();
    assert!(parked.contains("activity `removed_activity`"), "{parked}");
}
