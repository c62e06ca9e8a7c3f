//! A fork, a rewind and an import are one transaction each: a crash leaves all of it or nothing. An export changes nothing.

use std::time::Duration;

use durable::HistoryKind;

use super::{MINUTE, charge, history, order, slow, steps};

const RESULT: &str = "mailed reserved tea for 15, 15";
const ROUNDS: u64 = 40;

/// In the first rounds the crash comes at once, so that the request may not even be heard; in the last ones it comes behind its end.
async fn some_time(round: u64) {
    const AT_ONCE: u64 = 10;
    for _ in 0..round.min(AT_ONCE) {
        tokio::task::yield_now().await;
    }
    if let Some(later) = round.checked_sub(AT_ONCE) {
        tokio::time::sleep(Duration::from_micros(250 * later)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_in_the_middle_of_a_fork_leaves_both_or_one() {
    let (mut both, mut one) = (0, 0);
    for round in 0..ROUNDS {
        let engine = slow().seed(round).open().await;
        let handle = engine.start("it", order("tea".into(), 10)).await.unwrap();
        engine.advance(MINUTE + MINUTE / 2).await;
        let forking = tokio::spawn({
            let handle = handle.clone();
            async move { handle.fork_at(2, "fork").await.is_ok() }
        });
        some_time(round).await;
        let engine = engine.crash_and_reopen().await;
        let acknowledged = forking.await.unwrap();
        engine.idle().await;
        let is_there = engine.handle("fork").describe().await.is_ok();
        let is_told =
            history(&engine, "it").await.contains(&HistoryKind::ForkedAs { id: "fork".into(), step: 2 });
        assert!(is_there || !acknowledged, "what was acknowledged is there");
        assert_eq!(is_there, is_told, "in both histories or in none, in round {round}");
        if is_there {
            both += 1;
            assert_eq!(engine.handle("fork").of(order).result().await.unwrap(), RESULT);
            assert_eq!(steps(&engine, "fork").await, [2, 3], "with what it keeps itself");
        } else {
            one += 1;
        }
        assert_eq!(engine.handle("it").of(order).result().await.unwrap(), RESULT);
    }
    println!("{both} forked, {one} not");
    assert!(both > 0, "the later crashes come too late to undo it");
    assert!(one > 0, "the first crashes come before it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_in_the_middle_of_a_rewind_leaves_it_before_or_after() {
    let mut back = 0;
    for round in 0..ROUNDS {
        let engine = slow().seed(round).open().await;
        let handle = engine.start("it", order("tea".into(), 10)).await.unwrap();
        engine.advance(2 * MINUTE + MINUTE / 2).await;
        let rewinding = tokio::spawn({
            let handle = handle.clone();
            async move { handle.rewind_to(1).await.is_ok() }
        });
        some_time(round).await;
        let engine = engine.crash_and_reopen().await;
        let acknowledged = rewinding.await.unwrap();
        let is_back = history(&engine, "it").await.contains(&HistoryKind::Rewound { to: 1 });
        assert!(is_back || !acknowledged, "what was acknowledged is done");
        let expected: &[u64] = if is_back { &[0, 1, 4] } else { &[0, 1, 2, 3] };
        assert_eq!(steps(&engine, "it").await, expected, "in round {round}");
        back += u64::from(is_back);
        assert_eq!(engine.handle("it").of(order).result().await.unwrap(), RESULT);
        assert_eq!(engine.calls(charge).len(), 1 + usize::from(is_back));
    }
    println!("{back} of {ROUNDS} rewound");
    assert!(back > 0, "the later crashes come too late to undo it");
    assert!(back < ROUNDS, "the first crashes come before it");
}

/// What is kept is kept with its step: after a crash at any moment the snapshots are those of the steps that were made.
#[tokio::test]
async fn snapshots_are_those_of_the_steps_that_were_committed() {
    let mut engine = slow().open().await;
    engine.start("it", order("tea".into(), 10)).await.unwrap();
    for expected in [vec![0, 1], vec![0, 1, 2], vec![0, 1, 2, 3]] {
        while steps(&engine, "it").await.len() < expected.len() {
            // After a crash the attempt takes its time anew.
            engine.advance(MINUTE).await;
        }
        engine = engine.crash_and_reopen().await;
        assert_eq!(steps(&engine, "it").await, expected);
    }
    assert_eq!(engine.handle("it").of(order).result().await.unwrap(), RESULT);
    let fork = engine.handle("it").of(order).fork_at(1, "fork").await.unwrap();
    let engine = engine.crash_and_reopen().await;
    assert_eq!(engine.handle("fork").of(order).result().await.unwrap(), RESULT, "{}", fork.id());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_in_the_middle_of_an_import_leaves_an_instance_or_none() {
    let engine = slow().open().await;
    let handle = engine.start("it", order("tea".into(), 10)).await.unwrap();
    engine.advance(MINUTE + MINUTE / 2).await;
    let exported = handle.export().await.unwrap();
    let mut there = 0;
    for round in 0..ROUNDS {
        let other = slow().seed(round).open().await;
        let importing = tokio::spawn({
            let (other, exported) = (other.clone(), exported.clone());
            async move { other.import(&exported).await.is_ok() }
        });
        some_time(round).await;
        let other = other.crash_and_reopen().await;
        let acknowledged = importing.await.unwrap();
        other.idle().await;
        let is_there = other.handle("it").describe().await.is_ok();
        assert!(is_there || !acknowledged, "what was acknowledged is there, in round {round}");
        there += u64::from(is_there);
        if is_there {
            let imported = HistoryKind::Imported { from: "it".into(), step: 2 };
            assert!(history(&other, "it").await.contains(&imported), "with its history, in round {round}");
        } else {
            // Layouts may be left, which are named by their content: the next try is not disturbed by them.
            other.import(&exported).await.unwrap();
        }
        assert_eq!(other.handle("it").of(order).result().await.unwrap(), RESULT, "in round {round}");
    }
    println!("{there} of {ROUNDS} imported");
    assert!(there > 0, "the later crashes come too late to undo it");
    assert!(there < ROUNDS, "the first crashes come before it");
}
