//! What an instance may grow to: each limit has an option at the builder and an error that says so.

use durable::{prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::DAY;

#[derive(Debug, Serialize, Deserialize, Signal)]
struct Letter(String);

#[derive(Debug, Serialize, Deserialize, Update)]
#[update(output = String)]
struct Copy(usize);

#[derive(Debug, Serialize, Deserialize, Publish)]
struct Poster(String);

#[workflow]
async fn reads_letter() -> usize {
    recv::<Letter>().await.0.len()
}

#[workflow]
async fn sends_letter(to: String, bytes: usize) -> Result<(), SignalError> {
    signal(to, Letter("x".repeat(bytes))).await
}

#[workflow]
async fn copies() -> usize {
    let asked = recv_update::<Copy>().await;
    let bytes = asked.0;
    asked.reply("x".repeat(bytes));
    bytes
}

#[workflow]
async fn hangs_poster(bytes: usize) -> usize {
    publish(&Poster("x".repeat(bytes)));
    bytes
}

#[tokio::test]
async fn a_message_an_answer_and_a_published_value_have_a_largest_size() {
    let engine = testing::engine().max_message_bytes(1_000).open().await;
    let reader = engine.start("reader", reads_letter()).await.unwrap();
    let long = reader.signal(Letter("x".repeat(1_001))).await.unwrap_err();
    assert!(matches!(long, SignalError::TooLarge { bytes: 1_001.., most: 1_000 }), "{long:?}");
    assert!(long.to_string().contains("1000 are the limit"), "{long}");
    let sent = engine.run(sends_letter("reader".into(), 2_000)).await.unwrap();
    assert!(matches!(sent, Err(SignalError::TooLarge { most: 1_000, .. })), "{sent:?}");
    assert_eq!(engine.run(sends_letter("reader".into(), 900)).await.unwrap(), Ok(()));
    assert_eq!(reader.result().await.unwrap(), 900);

    let poster = engine.start("poster", hangs_poster(2_000)).await.unwrap();
    let parked = poster.result().await.unwrap_err().to_string();
    assert!(
        parked.contains("the published `Poster` has 20") && parked.contains("max_message_bytes"),
        "{parked}"
    );
    assert_eq!(engine.run(hangs_poster(900)).await.unwrap(), 900);

    let copier = engine.start("copier", copies()).await.unwrap();
    let asking = {
        let engine = engine.clone();
        tokio::spawn(async move { engine.update("copier", Copy(2_000)).await })
    };
    let parked = loop {
        if let Status::Parked(reason) = copier.describe().await.unwrap().status {
            break reason.to_string();
        }
        tokio::task::yield_now().await;
    };
    assert!(parked.contains("the answer to an update `Copy`"), "{parked}");
    copier.terminate("too long").await.unwrap();
    assert!(matches!(asking.await.unwrap(), Err(UpdateError::Unanswered { .. })));
}

#[workflow]
async fn fans_out(wide: u32) -> usize {
    let timers: Vec<_> = (0..wide).map(|_| spawn(sleep(DAY))).collect();
    timers.join().await.len()
}

/// As many in all, and never more than a few at once.
#[workflow]
async fn fans_out_in_turn(wide: usize) -> usize {
    let mut timers = JoinSet::new();
    let mut done = 0;
    while done < wide {
        while timers.len() < 5 {
            timers.spawn(sleep(DAY));
        }
        done += usize::from(timers.join_next().await.is_some());
    }
    done
}

#[tokio::test]
async fn a_fan_out_has_a_largest_width() {
    let engine = testing::engine().max_operations(10).open().await;
    let parked = engine.run(fans_out(11)).await.unwrap_err().to_string();
    assert!(parked.contains("10 operations open at once") && parked.contains("max_operations"), "{parked}");
    assert_eq!(engine.run(fans_out(10)).await.unwrap(), 10);
    assert_eq!(engine.run(fans_out_in_turn(50)).await.unwrap(), 50);
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(fans_out(200)).await.unwrap(), 200);
}

#[workflow]
async fn grows(steps: usize) -> usize {
    let mut kept = String::new();
    for _ in 0..steps {
        kept.push_str(&"x".repeat(100));
        sleep(DAY).await;
    }
    kept.len()
}

#[tokio::test]
async fn a_snapshot_has_a_largest_size_and_the_one_before_stays() {
    let engine = testing::engine().max_snapshot_bytes(1_000).open().await;
    let handle = engine.start("grows", grows(20)).await.unwrap();
    let parked = handle.result().await.unwrap_err().to_string();
    assert!(parked.contains("the snapshot of workflow `grows` has 1"), "{parked}");
    assert!(parked.contains("1000 are the limit"), "{parked}");
    let description = handle.describe().await.unwrap();
    let steps = description.steps;
    assert!(steps > 5 && description.snapshot_bytes <= 1_100, "{description}");
    // It is where it was, and goes on with an engine that allows for more.
    let kept = description.frames[0].locals.iter().find(|(name, _)| name == "kept").unwrap();
    assert!(kept.1.to_string().len() > 500);
    assert_eq!(engine.run(grows(5)).await.unwrap(), 500);
}

#[workflow]
async fn descends(floors: u32) -> u32 {
    if floors == 0 { 0 } else { descends(floors - 1).await + 1 }
}

#[tokio::test]
async fn calls_have_a_largest_depth() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(descends(durable::MAX_DEPTH - 2)).await.unwrap(), durable::MAX_DEPTH - 2);
    let parked = engine.run(descends(durable::MAX_DEPTH + 1)).await.unwrap_err().to_string();
    assert!(
        parked.contains("`descends` is called 64 calls deep") && parked.contains("into a loop"),
        "{parked}"
    );
}

#[tokio::test]
async fn a_mailbox_has_a_largest_number_of_messages_and_takes_more_once_some_are_read() {
    let engine = testing::engine().max_messages(3).open().await;
    let reader = engine.start("late", reads_letter()).delay(DAY).await.unwrap();
    for _ in 0..3 {
        reader.signal(Letter("a".into())).await.unwrap();
    }
    let full = reader.signal(Letter("b".into())).await.unwrap_err();
    assert_eq!(full, SignalError::Full { id: "late".into(), most: 3 });
    assert_eq!(reader.result().await.unwrap(), 1);
}

/// Takes every question, and answers none.
#[workflow]
async fn hoards() -> usize {
    let mut asked = Vec::new();
    while asked.len() < 10 {
        asked.push(recv_update::<Copy>().await);
    }
    asked.len()
}

#[workflow]
async fn asks_hoard(to: String) -> Result<String, UpdateError> {
    durable::update(to, Copy(1)).await
}

#[tokio::test]
async fn an_instance_has_so_many_updates_that_it_has_not_answered_and_no_more() {
    let engine = testing::engine().max_messages(3).open().await;
    let hoard = engine.start("hoard", hoards()).await.unwrap();
    for n in 0..4 {
        assert_eq!(hoard.describe().await.unwrap().status, Status::Waiting, "after {n}");
        engine.start(format!("asks-{n}"), asks_hoard("hoard".into())).await.unwrap();
        engine.idle().await;
    }
    let parked = hoard.result().await.unwrap_err().to_string();
    assert!(parked.contains("4 updates that it has not answered, and 3 are the limit"), "{parked}");
}
