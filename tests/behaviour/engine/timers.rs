//! Timers: never early, once, across crashes, and many of them.

use std::time::{Duration, SystemTime};

use durable::{HistoryKind, prelude::*, testing};

use crate::support::{DAY, HOUR, MILLISECOND, SECOND, ms, since};

#[workflow]
async fn rest(time: Duration) -> Duration {
    sleep(time).await;
    time
}

#[workflow]
async fn rest_until(time: SystemTime) -> SystemTime {
    sleep_until(time).await;
    time
}

#[tokio::test]
async fn a_sleep_is_never_early() {
    let engine = testing::engine().open().await;
    for time in [HOUR, MILLISECOND, SECOND + MILLISECOND] {
        let handle = engine.start(format!("{time:?}"), rest(time)).await.unwrap();
        engine.advance(time - MILLISECOND).await;
        assert!(handle.try_result().await.unwrap().is_none(), "{time:?} is not over");
        engine.advance(MILLISECOND).await;
        assert_eq!(handle.try_result().await.unwrap(), Some(time));
    }
    // Less than the clock can tell is rounded up.
    let start = engine.now();
    engine.run(rest(Duration::from_nanos(1))).await.unwrap();
    assert_eq!(since(&engine, start), MILLISECOND);
}

#[tokio::test]
async fn no_time_and_a_time_that_has_passed_are_no_wait() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    engine.run(rest(Duration::ZERO)).await.unwrap();
    engine.run(rest_until(start - DAY)).await.unwrap();
    engine.run(rest_until(start)).await.unwrap();
    engine.run(rest_until(SystemTime::UNIX_EPOCH)).await.unwrap();
    assert_eq!(engine.now(), start);
    engine.run(rest_until(start + DAY)).await.unwrap();
    assert_eq!(since(&engine, start), DAY);
}

#[tokio::test]
async fn a_sleep_counts_from_when_it_began_and_not_from_the_restart() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    engine.start("rest", rest(HOUR)).await.unwrap();
    for _ in 0..5 {
        engine.advance(HOUR / 6).await;
        engine.crash_and_reopen().await;
    }
    let handle = engine.handle("rest").of(rest);
    engine.advance(HOUR / 6 - MILLISECOND).await;
    assert!(handle.try_result().await.unwrap().is_none());
    handle.result().await.unwrap();
    assert_eq!(since(&engine, start), HOUR);
}

#[workflow]
async fn rest_twice(first: Duration, second: Duration) -> u32 {
    let mut rested = 0;
    sleep(first).await;
    rested += 1;
    sleep(second).await;
    rested + 1
}

#[tokio::test]
async fn five_thousand_timers_fire_once_each_and_none_early_over_two_crashes() {
    const TIMERS: u64 = 5_000;
    let engine = testing::engine().open().await;
    let start = engine.now();
    let times = |n: u64| (Duration::from_secs(n * 7_919 % TIMERS), Duration::from_secs(n % 50));
    let starts: Vec<_> = (0..TIMERS)
        .map(|n| {
            let engine = engine.clone();
            tokio::spawn(async move {
                let (first, second) = times(n);
                engine.start(format!("timer-{n}"), rest_twice(first, second)).await.unwrap();
            })
        })
        .collect();
    for start in starts {
        start.await.unwrap();
    }
    for _ in 0..2 {
        engine.advance(Duration::from_secs(1_000)).await;
        engine.crash_and_reopen().await;
    }
    engine.advance(Duration::from_secs(3_100)).await;

    for n in 0..TIMERS {
        let handle = engine.handle(format!("timer-{n}")).of(rest_twice);
        assert_eq!(handle.try_result().await.unwrap(), Some(2), "timer {n}");
        if n % 10 == 0 {
            let (first, second) = times(n);
            let due = [ms(start + first), ms(start + first + second)];
            let history = handle.history().await.unwrap().into_iter();
            let fired: Vec<(u64, u64)> = history
                .filter_map(|event| match event.kind {
                    HistoryKind::TimerFired { due_ms } => Some((due_ms, event.at_ms)),
                    _ => None,
                })
                .collect();
            assert_eq!(fired, [(due[0], due[0]), (due[1], due[1])], "timer {n}");
        }
    }
}

#[tokio::test]
async fn a_real_clock_is_never_early_either() {
    let directory = tempfile::tempdir().unwrap();
    let engine = Engine::open(directory.path().join("clock.redb")).await.unwrap();
    let time = Duration::from_millis(120);
    let began = std::time::Instant::now();
    engine.run(rest(time)).await.unwrap();
    assert!(began.elapsed() >= time, "{:?}", began.elapsed());
    assert!(began.elapsed() < 20 * time, "nor is it late: {:?}", began.elapsed());
}
