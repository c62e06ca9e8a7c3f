//! Rows of the table in docs/evolution.md that no other module has: small edits, each by itself.

use std::time::Duration;

use durable::{Retry, prelude::*};
use serde::{Deserialize, Serialize};

use super::{MINUTE, charge, deployed, goes_on, is_parked, reserve};

#[workflow]
async fn paid() -> String {
    let reserved = reserve("a").await;
    let paid = charge("a", 5).await;
    sleep(MINUTE).await;
    format!("{reserved}, {paid}")
}

/// Comments, a log line, other logic, a policy and another delay.
#[workflow]
async fn paid_and_logged() -> String {
    let reserved = reserve("a").await;
    println!("reserved: {reserved}");
    // It may be tried three times.
    let paid = charge("a", 5).retry(Retry::attempts(3)).await;
    if paid > 100 {
        return "too much".into();
    }
    sleep(3 * MINUTE).await;
    format!("{reserved}, {paid}")
}

#[workflow]
async fn paid_under_another_name() -> String {
    let reserved = reserve("a").await;
    let cents = charge("b", 6).await;
    sleep(MINUTE).await;
    format!("{reserved}, {cents}")
}

#[workflow]
async fn paid_in_a_loop() -> String {
    let reserved = reserve("a").await;
    let mut sum = 0;
    while sum < 5 {
        sum += charge("a", 5).await;
    }
    sleep(MINUTE).await;
    format!("{reserved}, {sum}")
}

/// The call is removed, and another one of the same activity is added elsewhere.
#[workflow]
async fn paid_elsewhere() -> String {
    let reserved = reserve("a").await;
    if reserved.is_empty() {
        charge("tip", 2).await;
    }
    sleep(MINUTE).await;
    reserved
}

#[tokio::test]
async fn what_is_no_await_and_no_variable_at_it_may_change() {
    goes_on!(paid() as paid_and_logged => "reserved a, 5");
    // Also where it stands at the timer: that one fires when it was due.
    let engine = super::engine().await;
    engine.start("it", paid()).await.unwrap();
    engine.advance(MINUTE + MINUTE / 2).await;
    let engine = deployed!(engine, paid as paid_and_logged);
    engine.advance(MINUTE).await;
    let done = engine.handle("it").of(paid_and_logged).try_result().await.unwrap();
    assert_eq!(done.as_deref(), Some("reserved a, 5"));
}

#[tokio::test]
async fn the_only_call_of_its_place_may_have_other_arguments_and_another_binding() {
    goes_on!(paid() as paid_under_another_name => "reserved a, 5");
}

#[tokio::test]
async fn a_call_that_moves_into_a_loop_or_is_another_one_now_is_not_guessed() {
    is_parked!(paid() as paid_in_a_loop, "`charge(\"a\", 5)`", "charge#1" => "reserved a, 5");
    is_parked!(paid() as paid_elsewhere, "`charge(\"a\", 5)`", "charge#1" => "reserved a, 5");
}

#[workflow]
async fn two_calls() -> u64 {
    let deposit = charge("deposit", 1).await;
    let rest = charge("rest", 5).await;
    10 * deposit + rest
}

#[workflow]
async fn one_call() -> u64 {
    charge("rest", 5).await
}

#[tokio::test]
async fn a_second_call_that_is_removed_leaves_the_other_in_doubt() {
    is_parked!(two_calls() as one_call, "`charge(\"deposit\", 1)`", "charge#1" => 15);
}

#[workflow]
async fn each(items: Vec<u64>) -> u64 {
    let mut sum = 0;
    for item in &items {
        sum += charge("each", *item).await;
    }
    sum
}

#[workflow]
async fn each_but_the_first(items: Vec<u64>) -> u64 {
    let mut sum = 0;
    for item in items.iter().skip(1) {
        sum += charge("each", *item).await;
    }
    sum
}

#[tokio::test]
async fn a_loop_that_begins_elsewhere_is_another_loop() {
    is_parked!(each(vec![1, 2]) as each_but_the_first, "for item" => 3);
}

#[workflow]
async fn later(value: u64, after: Duration) -> u64 {
    sleep(after).await;
    value
}

#[workflow]
async fn raced() -> u64 {
    (charge("a", 5), later(7, 60 * MINUTE)).race().await
}

#[workflow]
async fn raced_the_other_way_round() -> u64 {
    (later(7, 60 * MINUTE), charge("a", 5)).race().await
}

#[workflow]
async fn selected() -> u64 {
    select! {
        paid = charge("a", 5) => paid,
        _ = sleep(60 * MINUTE) => 0,
    }
}

#[workflow]
async fn selected_the_other_way_round() -> u64 {
    select! {
        _ = sleep(60 * MINUTE) => 0,
        paid = charge("a", 5) => paid,
    }
}

#[tokio::test]
async fn operations_of_a_race_or_a_select_keep_their_order() {
    is_parked!(raced() as raced_the_other_way_round, "charge" => 5);
    is_parked!(selected() as selected_the_other_way_round, "charge" => 5);
}

#[workflow]
async fn sends(address: String) -> String {
    let paid = charge("sends", 5).await;
    format!("{address} {paid}")
}

#[workflow]
async fn sends_to(to: String) -> String {
    let paid = charge("sends", 5).await;
    format!("{to} {paid}")
}

#[tokio::test]
async fn a_renamed_parameter_that_does_not_say_so_parks() {
    is_parked!(sends("Oslo".into()) as sends_to, "needs variable `to`" => "Oslo 5");
    // Before its first step it has nothing but its arguments.
    let engine = super::engine().await;
    engine.start("it", sends("Oslo".into())).delay(MINUTE).await.unwrap();
    engine.idle().await;
    let engine = deployed!(engine, sends as sends_to);
    let report = engine.check().await.unwrap();
    assert!(report.stranded() == 1 && report.to_string().contains("the arguments of"), "{report}");
}

#[derive(Serialize, Deserialize)]
enum Pay {
    Card { number: u64, holder: String },
    Cash,
}

mod today {
    use serde::{Deserialize, Serialize};

    /// A variant is added in front, one is renamed, and a field is removed.
    #[derive(Serialize, Deserialize)]
    pub(super) enum Pay {
        Voucher(String),
        #[serde(alias = "Cash")]
        Coins,
        Card {
            number: u64,
        },
    }
}

fn pay(by_card: bool) -> Pay {
    if by_card { Pay::Card { number: 42, holder: "Ann".into() } } else { Pay::Cash }
}

#[workflow]
async fn pays_somehow(by_card: bool) -> String {
    let how = pay(by_card);
    let paid = charge("a", 5).await;
    match how {
        Pay::Card { number, holder } => format!("{holder} {number} {paid}"),
        Pay::Cash => format!("cash {paid}"),
    }
}

#[workflow]
async fn pays_today(by_card: bool) -> String {
    let how = if by_card { today::Pay::Card { number: 42 } } else { today::Pay::Coins };
    let paid = charge("a", 5).await;
    match how {
        today::Pay::Voucher(code) => code,
        today::Pay::Card { number } => format!("card {number} {paid}"),
        today::Pay::Coins => format!("coins {paid}"),
    }
}

#[tokio::test]
async fn variants_may_be_added_and_renamed_and_fields_removed() {
    goes_on!(pays_somehow(true) as pays_today => "card 42 5");
    goes_on!(pays_somehow(false) as pays_today => "coins 5");
}
