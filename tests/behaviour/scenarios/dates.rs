//! Scenario 13: a timer until a date, cancelled and set anew when a signal moves the date, across restarts.

use std::time::Duration;

use durable::{prelude::*, testing};
use serde::{Deserialize, Serialize};

use crate::support::{DAY, HOUR, since};

#[derive(Serialize, Deserialize, Signal)]
struct StartMoves {
    to_day: u32,
}

#[activity]
async fn kick_off(project: &str, moved: u32) -> String {
    format!("{project} has begun, moved {moved} times")
}

#[workflow]
async fn project(name: String, day: u32) -> String {
    let signed = durable::now();
    let mut moved = 0;
    let mut start = spawn(sleep_until(signed + day * Duration::from_secs(86_400)));
    loop {
        select! {
            _ = &mut start => break,
            moves = recv::<StartMoves>() => {
                moved += 1;
                let _ = start.cancel().await;
                start = spawn(sleep_until(signed + moves.to_day * Duration::from_secs(86_400)));
            }
        }
    }
    kick_off(&name, moved).await
}

#[tokio::test]
async fn the_date_is_moved_back_and_forth_across_restarts() {
    let engine = testing::engine().open().await;
    let signed = engine.now();
    engine.start("bridge", project("bridge".into(), 30)).await.unwrap();
    engine.advance(5 * DAY).await;
    engine.signal("bridge", StartMoves { to_day: 90 }).await.unwrap();
    engine.idle().await;
    engine.crash_and_reopen().await;

    engine.advance(30 * DAY).await;
    let description = engine.handle("bridge").describe().await.unwrap();
    assert_eq!(description.timers, [signed + 90 * DAY], "the first date has passed, and nothing began");
    engine.signal("bridge", StartMoves { to_day: 40 }).await.unwrap();
    engine.crash_and_reopen().await;

    engine.advance(4 * DAY + 23 * HOUR).await;
    assert!(engine.calls(kick_off) == 0);
    let handle = engine.handle("bridge").of(project);
    assert_eq!(handle.result().await.unwrap(), "bridge has begun, moved 2 times");
    assert_eq!(since(&engine, signed), 40 * DAY);
    assert!(engine.calls(kick_off) == 1);
}

#[tokio::test]
async fn a_date_that_nobody_moves_holds_whatever_crashes() {
    testing::crash_at_every_step(|| project("tunnel".into(), 30)).await;
}
