//! `select!` on the engine. What its bodies may do is tested with the compiler.

use durable::{
    prelude::*,
    testing::{self, mock},
};

use crate::support::{DAY, HOUR, MINUTE, since};

#[activity]
async fn slow_answer(what: &str) -> String {
    format!("answer to {what}")
}

#[activity(retry(max_attempts = 1))]
async fn may_refuse(what: &str) -> Result<u32, Error> {
    ensure!(!what.is_empty(), "nothing was asked");
    Ok(7)
}

#[workflow]
async fn reminded(every: std::time::Duration) -> (u32, String) {
    let mut reminders = 0;
    let mut answer = slow_answer("all");
    loop {
        select! {
            text = &mut answer => break (reminders, text),
            _ = sleep(every) => {
                reminders += 1;
                slow_answer("reminder").await;
            }
        }
    }
}

fn setup(builder: testing::TestBuilder) -> testing::TestBuilder {
    let delayed = |what: String| format!("answer to {what}");
    builder.mock(mock(slow_answer).delay(5 * MINUTE).then(delayed))
}

#[tokio::test]
async fn what_is_lent_goes_on_while_others_win() {
    let engine = setup(testing::engine()).open().await;
    let start = engine.now();
    let handle = engine.start("a", reminded(MINUTE)).await.unwrap();
    // The first reminder takes five minutes itself; the answer is there before it.
    assert_eq!(handle.result().await.unwrap(), (1, "answer to all".to_owned()));
    assert_eq!(since(&engine, start), 6 * MINUTE);
    assert!(engine.calls(slow_answer) == 2, "the answer was asked for once");
    testing::crash_at_every_step(|| reminded(MINUTE)).with(setup).await;
}

#[workflow]
async fn chosen(what: String, may_wait: bool) -> String {
    select! {
        Ok(number) = may_refuse(&what) => format!("{number}"),
        _ = sleep(HOUR), if may_wait => "an hour".to_owned(),
        else => "nobody".to_owned(),
    }
}

#[tokio::test]
async fn a_branch_whose_pattern_does_not_match_or_whose_condition_is_false_is_off() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(chosen("x".into(), false)).await.unwrap(), "7");
    assert_eq!(engine.run(chosen(String::new(), true)).await.unwrap(), "an hour");
    assert_eq!(engine.run(chosen(String::new(), false)).await.unwrap(), "nobody");
    testing::crash_at_every_step(|| chosen(String::new(), true)).await;
}

#[workflow]
async fn order_of_two(biased: bool) -> String {
    let (early, late) = (spawn(sleep(HOUR)), spawn(sleep(2 * HOUR)));
    sleep(DAY).await;
    if biased {
        select! {
            biased;
            _ = late => "late".to_owned(),
            _ = early => "early".to_owned(),
        }
    } else {
        select! {
            _ = late => "late".to_owned(),
            _ = early => "early".to_owned(),
        }
    }
}

#[tokio::test]
async fn what_was_committed_first_wins_and_biased_the_first_in_the_source() {
    let engine = testing::engine().open().await;
    assert_eq!(engine.run(order_of_two(false)).await.unwrap(), "early");
    assert_eq!(engine.run(order_of_two(true)).await.unwrap(), "late");
}

#[workflow]
async fn lent_or_lost() -> (usize, bool) {
    let mut kept = spawn(sleep(3 * HOUR));
    let lost = spawn(sleep(2 * HOUR));
    select! {
        _ = &mut kept => unreachable!(),
        _ = lost => unreachable!(),
        _ = sleep(HOUR) => {}
    }
    sleep(MINUTE).await;
    (1, kept.timeout(DAY).await.is_ok())
}

#[tokio::test]
async fn a_handle_that_is_given_away_is_cancelled_with_its_branch_and_a_lent_one_is_not() {
    let engine = testing::engine().open().await;
    let start = engine.now();
    let handle = engine.start("a", lent_or_lost()).await.unwrap();
    engine.advance(HOUR).await;
    let timers = handle.describe().await.unwrap().timers;
    assert_eq!(timers, [start + 3 * HOUR, start + HOUR + MINUTE], "the one of two hours is gone");
    assert_eq!(handle.result().await.unwrap(), (1, true));
    assert_eq!(since(&engine, start), 3 * HOUR);
}
