//! Awaits that come, go and move around the one at which an instance stands.

use durable::prelude::*;

use super::{charge, deployed, goes_on, is_parked, mail, reserve};

#[workflow]
async fn plain() -> String {
    let reserved = reserve("a").await;
    let paid = charge("a", 5).await;
    format!("{reserved}, {paid}")
}

#[workflow]
async fn plain_with_more() -> String {
    mail("before").await;
    let reserved = reserve("a").await;
    let paid = charge("a", 5).await;
    let mailed = mail(&format!("{paid}")).await;
    format!("{reserved}, {paid}, {mailed}")
}

#[workflow]
async fn plain_with_less() -> String {
    let paid = charge("a", 5).await;
    format!("{paid}")
}

#[workflow]
async fn plain_in_another_order() -> String {
    let paid = charge("a", 5).await;
    let reserved = reserve("b").await;
    format!("{reserved}, {paid}")
}

#[tokio::test]
async fn other_awaits_may_come_go_and_change_places() {
    goes_on!(plain() as plain_with_more => "reserved a, 5, mailed 5");
    goes_on!(plain() as plain_with_less => "5");
    goes_on!(plain() as plain_in_another_order => "reserved b, 5");
}

#[workflow]
async fn plain_with_other_arguments() -> String {
    let reserved = reserve("a").await;
    let fee = 7;
    let paid = charge("a", 5 + fee).await;
    format!("{reserved}, {paid}")
}

#[tokio::test]
async fn the_pending_call_keeps_its_arguments() {
    goes_on!(plain() as plain_with_other_arguments => "reserved a, 5");
}

#[workflow]
async fn twice() -> String {
    let reserved = reserve("a").await;
    let deposit = charge("deposit", 1).await;
    let paid = charge("a", 5).await;
    format!("{reserved}, {deposit}, {paid}")
}

#[workflow]
async fn twice_named() -> String {
    let reserved = reserve("a").await;
    let _deposit = charge("deposit", 1).await;
    #[resume(was = "charge#1")]
    let paid = charge("a", 5).await;
    format!("{reserved}, {paid}")
}

#[tokio::test]
async fn a_second_call_in_front_is_ambiguous_until_somebody_says_which() {
    is_parked!(
        plain() as twice,
        "workflow `twice` stands at `charge(\"a\", 5)`",
        "write `#[resume(was = \"charge#1\")]` at the await that takes its place",
        "points.rs:",
        "`charge(\"deposit\", 1)`, or"
        => "reserved a, 5"
    );
    goes_on!(plain() as twice_named => "reserved a, 5");
}

#[workflow]
async fn twice_named_and_mailed() -> String {
    let mailed = mail("first").await;
    let _deposit = charge("deposit", 1).await;
    #[resume(was = "charge#1")]
    let paid = charge("a", 5).await;
    format!("{mailed}, {paid}")
}

/// `charge#1` is the one of the source before: an instance of this source that stands at its own first `charge` makes the second, too.
#[tokio::test]
async fn what_an_await_was_is_not_said_of_its_own_build() {
    for later in [false, true] {
        let engine = super::engine().await;
        engine.start("it", twice_named()).await.unwrap();
        engine.idle().await;
        let result = if later {
            let engine = deployed!(engine, twice_named as twice_named_and_mailed);
            engine.advance(3 * super::MINUTE).await;
            let error = super::why(&engine, "it").await;
            // It stood at the deposit and comes to it again; what it lacks there is another matter.
            assert!(error.contains("`mailed`"), "{error}");
            engine.deploy(twice_named, twice_named).await.handle("it").of(twice_named).result().await
        } else {
            engine.handle("it").of(twice_named).result().await
        };
        assert_eq!(result.unwrap(), "reserved a, 5");
    }
    let engine = super::engine().await;
    engine.run(twice_named()).await.unwrap();
    assert_eq!(engine.calls(charge).len(), 2, "both were made");
}

#[workflow]
async fn swapped() -> String {
    let reserved = reserve("a").await;
    let paid = charge("a", 5).await;
    let deposit = charge("deposit", 1).await;
    format!("{reserved}, {deposit}, {paid}")
}

#[tokio::test]
async fn swapped_calls_are_ambiguous() {
    is_parked!(twice() as swapped, "`charge(\"deposit\", 1)`", "charge#1" => "reserved a, 1, 5");
}

#[workflow]
async fn chosen(rich: bool) -> u64 {
    if rich { charge("rich", 100).await } else { charge("poor", 1).await }
}

#[workflow]
async fn chosen_swapped(rich: bool) -> u64 {
    if rich { charge("poor", 1).await } else { charge("rich", 100).await }
}

#[workflow]
async fn chosen_moved(rich: bool) -> u64 {
    if !rich {
        return charge("poor", 1).await;
    }
    0
}

#[tokio::test]
async fn what_moved_to_another_branch_is_not_guessed() {
    is_parked!(chosen(true) as chosen_swapped, "in if.then" => 100);
    is_parked!(chosen(false) as chosen_moved, "in if.else", "charge#2" => 1);
}

enum Kind {
    Card,
    Cash,
}

fn kind(card: bool) -> Kind {
    if card { Kind::Card } else { Kind::Cash }
}

#[workflow]
async fn matched(card: bool) -> String {
    match kind(card) {
        Kind::Card => {
            let paid = charge("x", 5).await;
            format!("card {paid}")
        }
        Kind::Cash => {
            let paid = charge("x", 5).await;
            format!("cash {paid}")
        }
    }
}

#[workflow]
async fn matched_the_other_way_round(card: bool) -> String {
    match kind(card) {
        Kind::Cash => {
            let paid = charge("x", 5).await;
            format!("cash {paid}")
        }
        Kind::Card => {
            let paid = charge("x", 5).await;
            format!("card {paid}")
        }
    }
}

#[tokio::test]
async fn arms_are_known_by_what_they_match() {
    goes_on!(matched(true) as matched_the_other_way_round => "card 5");
    goes_on!(matched(false) as matched_the_other_way_round => "cash 5");
}

#[workflow]
async fn named() -> u64 {
    #[resume("paid")]
    let paid = charge("a", 5).await;
    paid
}

#[workflow]
async fn named_elsewhere(again: bool) -> u64 {
    loop {
        let first = charge("b", 1).await;
        if first > 0 {
            #[resume("paid")]
            let paid = charge("a", 5).await;
            if !again {
                return paid;
            }
        }
    }
}

#[tokio::test]
async fn a_name_is_followed_wherever_it_goes() {
    // What it needs there and did not have is another matter.
    is_parked!(named() as named_elsewhere, "needs variable `again`" => 5);
}

#[workflow]
async fn named_in_a_branch() -> u64 {
    let deposit = 1;
    if deposit > 0 {
        #[resume("paid")]
        let paid = charge("a", 5).await;
        charge("a", paid).await
    } else {
        charge("a", 5).await
    }
}

#[tokio::test]
async fn with_a_name_it_resumes_where_that_has_gone() {
    let engine = crate::engine().await;
    engine.start("it", named()).await.unwrap();
    engine.idle().await;
    let engine = deployed!(engine, named as named_in_a_branch);
    assert_eq!(engine.handle("it").of(named_in_a_branch).result().await.unwrap(), 5);
    assert_eq!(engine.calls(charge).len(), 3, "two attempts of the first call, and the one behind it");
}

#[workflow]
async fn gone() -> u64 {
    mail("instead").await.len() as u64
}

#[tokio::test]
async fn an_await_that_is_gone_is_said_with_its_place() {
    is_parked!(named() as gone, "\"paid\", `charge(\"a\", 5)`", "does not have there any more" => 5);
}
