//! Scenario 14: a free trial and a mortgage on a virtual clock. Scenario 16: three days of waiting
//! without a task, and on at once.

use std::time::{Duration, SystemTime};

use durable::{HistoryKind, prelude::*, testing};

use crate::support::{DAY, HOUR, MILLISECOND, ms, since};

#[activity]
async fn email(to: &str, text: &str) -> Result<(), Error> {
    ensure!(!to.is_empty() && !text.is_empty());
    Ok(())
}

#[activity]
async fn collect(from: &str, cents: u64) -> Result<u64, Error> {
    ensure!(!from.is_empty());
    Ok(cents)
}

#[workflow]
async fn free_trial(user: String) -> Result<u64, Error> {
    email(&user, "welcome").await?;
    sleep(27 * DAY).await;
    email(&user, "your trial ends in three days").await?;
    sleep(3 * DAY).await;
    let paid = collect(&user, 1_900).await?;
    email(&user, &format!("thank you for {paid} cents")).await?;
    Ok(paid)
}

#[tokio::test]
async fn a_free_trial_of_thirty_days_ends_after_thirty_days() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let handle = engine.start("ann", free_trial("ann".into())).await.unwrap();
    engine.advance(27 * DAY - MILLISECOND).await;
    assert!(engine.calls(email) == 1);
    engine.advance(MILLISECOND).await;
    assert!(engine.calls(email) == 2);
    engine.advance(2 * DAY).await;
    engine.crash_and_reopen().await;
    engine.advance(DAY - MILLISECOND).await;
    assert!(engine.calls(collect) == 0, "nothing is collected during the trial");
    drop(handle);
    assert_eq!(engine.handle("ann").of(free_trial).result().await.unwrap().unwrap(), 1_900);
    assert_eq!(since(&engine, start), 30 * DAY);
    let texts: Vec<String> = engine.calls(email).iter().map(|(_, text)| text.clone()).collect();
    assert_eq!(texts, ["welcome", "your trial ends in three days", "thank you for 1900 cents"]);
}

#[workflow]
async fn mortgage(house: String, first: SystemTime, payments: u32) -> Result<u64, Error> {
    let mut paid = 0;
    for month in 0..payments {
        sleep_until(first + 30 * DAY * month).await;
        paid += collect(&house, 120_000).await?;
    }
    Ok(paid)
}

#[tokio::test]
async fn a_mortgage_of_360_payments_is_paid_off_on_a_virtual_clock() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let first = start + 30 * DAY;
    let handle = engine.start("house", mortgage("house 4".into(), first, 360)).await.unwrap();
    // Half of it, and the process is replaced.
    engine.advance(180 * 30 * DAY).await;
    assert!(engine.calls(collect) == 180);
    let early = handle.describe().await.unwrap();
    engine.crash_and_reopen().await;

    let handle = engine.handle("house").of(mortgage);
    assert_eq!(handle.result().await.unwrap().unwrap(), 360 * 120_000);
    assert!(engine.calls(collect) == 360);
    assert_eq!(since(&engine, start), 360 * 30 * DAY);
    assert!(early.snapshot_bytes < 200, "{} bytes", early.snapshot_bytes);
    for event in handle.history().await.unwrap() {
        if let HistoryKind::TimerFired { due_ms } = event.kind {
            assert_eq!(event.at_ms, due_ms, "a payment is made when it is due");
        }
    }
}

#[workflow]
async fn approval(expense: String) -> Result<(), Error> {
    email("manager", &expense).await?;
    sleep(3 * DAY).await;
    email("clerk", &expense).await
}

#[tokio::test]
async fn a_wait_of_three_days_takes_no_task_and_then_goes_on_at_once() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    engine.idle().await;
    let tasks = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = tasks();
    for n in 0..200 {
        engine.start(format!("expense-{n}"), approval(format!("expense {n}"))).await.unwrap();
    }
    engine.idle().await;
    assert!(engine.calls(email) == 200);
    assert_eq!(tasks(), before, "200 waiting instances are no tasks");

    engine.advance(HOUR).await;
    let handle = engine.handle("expense-77");
    let description = handle.describe().await.unwrap();
    assert_eq!(description.status, Status::Waiting);
    let waiting = description.waiting.expect("it waits");
    assert_eq!((waiting.on.as_str(), waiting.since), ("sleep", start));
    assert_eq!(description.timers, [start + 3 * DAY]);
    assert!(description.activities.is_empty());
    let waiting = Filter::new().status(Status::Waiting).waiting_longer_than(HOUR - MILLISECOND);
    assert_eq!(engine.list(waiting).await.unwrap().len(), 200);

    // Nor does a restart read them or give them a task.
    engine.crash_and_reopen().await;
    engine.idle().await;
    assert_eq!(tasks(), before);
    let handle = engine.handle("expense-77").of(approval);
    handle.result().await.unwrap().unwrap();
    assert_eq!(since(&engine, start), 3 * DAY);
    let completed = handle.history().await.unwrap().into_iter().rev().find_map(|event| match event.kind {
        HistoryKind::ActivityCompleted { took_ms, .. } => Some((event.at_ms, took_ms)),
        _ => None,
    });
    assert_eq!(completed, Some((ms(start + 3 * DAY), 0)), "the moment it is due");
    for n in 0..200 {
        let handle = engine.handle(format!("expense-{n}")).of(approval);
        handle.result().await.unwrap().unwrap();
    }
    assert!(engine.calls(email) == 400);
    assert_eq!(since(&engine, start), 3 * DAY, "all of them at once");
}

#[activity]
async fn glance() {}

#[workflow]
async fn until_deadline(patience: Duration) -> (u32, SystemTime) {
    let deadline = durable::now() + patience;
    let mut looks = 0;
    while durable::now() < deadline {
        glance().await;
        looks += 1;
        sleep(HOUR).await;
    }
    (looks, durable::now())
}

#[tokio::test]
async fn a_workflow_reads_the_clock_that_its_timers_run_on() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let (looks, end) = engine.run(until_deadline(DAY)).await.unwrap();
    assert_eq!(looks, 24);
    assert_eq!(end, start + DAY);
    testing::crash_at_every_step(|| until_deadline(3 * HOUR)).await;
}
