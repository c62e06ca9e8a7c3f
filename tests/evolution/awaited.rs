//! What is awaited, when the new version awaits something else under the same name.

use durable::prelude::*;

use super::{charge, deployed, is_parked};

mod other {
    use durable::prelude::*;

    /// Called like the other one, and not it.
    #[activity(name = "charge_twice")]
    pub(super) async fn charge(what: &str, cents: u64) -> u64 {
        let _ = what;
        2 * cents
    }
}

#[workflow]
async fn pays() -> u64 {
    charge("a", 5).await
}

#[workflow]
async fn pays_otherwise() -> u64 {
    use other::charge;
    charge("a", 5).await
}

#[tokio::test]
async fn another_activity_of_the_same_function_name_does_not_get_the_result() {
    is_parked!(pays() as pays_otherwise, "a call of another activity", "`charge_twice`" => 5);
}

#[workflow]
async fn pays_both() -> (u64, u64) {
    (charge("a", 5), other::charge("b", 7)).join().await
}

#[workflow]
async fn pays_both_the_other_way_round() -> (u64, u64) {
    (other::charge("b", 7), charge("a", 5)).join().await
}

#[workflow]
async fn pays_both_otherwise() -> (u64, u64) {
    (other::charge("a", 5), other::charge("b", 7)).join().await
}

#[tokio::test]
async fn the_branches_of_a_join_are_told_apart() {
    is_parked!(pays_both() as pays_both_the_other_way_round, "are in another order" => (5, 14));
    is_parked!(pays_both() as pays_both_otherwise, "a call of another activity" => (5, 14));
}

#[workflow]
async fn deposits_and_pays() -> String {
    let (deposit, paid) = (charge("deposit", 1), charge("rest", 5)).join().await;
    format!("{deposit} {paid}")
}

#[workflow]
async fn pays_and_deposits() -> String {
    let (paid, deposit) = (charge("rest", 5), charge("deposit", 1)).join().await;
    format!("{deposit} {paid}")
}

#[workflow]
async fn deposits_and_pays_more() -> String {
    let (deposit, paid) = (charge("deposit", 1), charge("rest", 5 + 1)).join().await;
    format!("{deposit} {paid}!")
}

/// Nothing but their places tells two calls of one activity apart.
#[tokio::test]
async fn the_branches_of_a_join_of_one_activity_do_not_take_each_others_results() {
    is_parked!(deposits_and_pays() as pays_and_deposits, "are in another order", "awaited.rs:" => "1 5");
    let engine = super::engine().await;
    engine.start("it", deposits_and_pays()).await.unwrap();
    engine.idle().await;
    let engine = deployed!(engine, deposits_and_pays as deposits_and_pays_more);
    assert_eq!(engine.handle("it").of(deposits_and_pays_more).result().await.unwrap(), "1 5!");
}

#[workflow]
async fn inner(cents: u64) -> u64 {
    let fee = 1;
    charge("inner", cents).await + fee
}

#[workflow]
async fn outer() -> u64 {
    let base = 100;
    inner(5).await + base
}

#[workflow]
async fn inner_too(cents: u64) -> u64 {
    let fee = 1;
    charge("inner", cents).await + fee
}

#[workflow]
async fn outer_with_another_inner() -> u64 {
    let base = 100;
    let inner = inner_too;
    inner(5).await + base
}

#[tokio::test]
async fn a_called_workflow_is_known_by_its_name() {
    is_parked!(outer() as outer_with_another_inner, "`inner`", "`inner_too`" => 106);
}

#[workflow]
async fn inner_edited_badly(cents: u64) -> u64 {
    let fee = 1;
    let discount = 2;
    charge("inner", cents).await + fee - discount
}

/// `base` is of another type.
#[workflow]
async fn outer_of_edited() -> u64 {
    let base: u128 = 100;
    #[resume(was = "inner#1")]
    let sum = inner_edited(5).await;
    u64::try_from(base).unwrap_or_default() + sum
}

/// An await is added in front, and the fee is of another type.
#[workflow]
async fn inner_edited(cents: u64) -> u64 {
    let _reserved = crate::reserve("inner").await;
    let fee: u8 = 1;
    charge("inner", cents).await + u64::from(fee)
}

#[workflow]
async fn outer_of_bad() -> u64 {
    let base = 100;
    #[resume(was = "inner#1")]
    let sum = inner_edited_badly(5).await;
    base + sum
}

#[tokio::test]
async fn a_called_workflow_that_was_changed_is_matched_for_itself() {
    let started = || async {
        let engine = crate::engine().await;
        engine.start("it", outer()).await.unwrap();
        engine.idle().await;
        engine.deploy(outer, outer).await
    };
    let engine = started().await.deploy(inner, inner_edited).await.deploy(outer, outer_of_edited).await;
    assert_eq!(engine.handle("it").of(outer_of_edited).result().await.unwrap(), 106);

    let engine = started().await.deploy(inner, inner_edited_badly).await.deploy(outer, outer_of_bad).await;
    let why = crate::why(&engine, "it").await;
    for expected in [
        "workflow `inner_edited_badly` needs variable `discount`",
        "the snapshot was taken at tests/evolution/awaited.rs:87",
    ] {
        assert!(why.contains(expected), "{why}");
    }
}

#[workflow]
async fn ships(address: String, express: bool) -> String {
    let paid = charge("ships", 5).await;
    format!("{address} {express} {paid}")
}

#[workflow]
async fn ships_with_other_parameters(
    note: Option<String>,
    express: bool,
    #[was("address")] to: String,
) -> String {
    let paid = charge("ships", 5).await;
    format!("{to} {express} {note:?} {paid}")
}

#[workflow]
async fn ships_with_a_weight(address: String, express: bool, grams: u32) -> String {
    let paid = charge("ships", 5).await;
    format!("{address} {express} {grams} {paid}")
}

/// Started with a delay, an instance has nothing but its arguments when the new version comes.
#[tokio::test]
async fn arguments_are_found_by_name_and_a_new_option_is_none() {
    let engine = super::engine().await;
    engine.start("it", ships("Oslo".into(), true)).delay(super::MINUTE).await.unwrap();
    engine.idle().await;
    let again = deployed!(engine, ships as ships_with_other_parameters);
    assert_eq!(again.check().await.unwrap().exit_code(), 0);
    let result = again.handle("it").of(ships_with_other_parameters).result().await;
    assert_eq!(result.unwrap(), "Oslo true None 5");
}

#[tokio::test]
async fn a_new_parameter_that_needs_a_value_parks() {
    let engine = super::engine().await;
    engine.start("it", ships("Oslo".into(), true)).delay(super::MINUTE).await.unwrap();
    engine.idle().await;
    let engine = deployed!(engine, ships as ships_with_a_weight);
    let report = engine.check().await.unwrap();
    assert!(report.to_string().contains("the arguments of workflow `ships_with_a_weight`"), "{report}");
    let engine = engine.deploy(ships, ships).await;
    assert_eq!(engine.handle("it").of(ships).result().await.unwrap(), "Oslo true 5");
}

#[workflow]
async fn undoes(sku: String, label: String) -> Result<String, Error> {
    let _ = charge("undo", 1).await;
    Ok(format!("{sku} back, {label}"))
}

/// Two parameters of one type, in another order.
#[workflow]
async fn undoes_the_other_way_round(label: String, sku: String) -> Result<String, Error> {
    let _ = charge("undo", 1).await;
    Ok(format!("{sku} back, {label}"))
}

#[workflow]
async fn armed_with_a_child() -> Result<u64, Error> {
    compensate(child("undo", undoes("tea".into(), "with thanks".into())));
    let paid = charge("a", 5).await;
    durable::bail!("{paid} are too much")
}

#[tokio::test]
async fn a_child_that_is_armed_as_a_compensation_gets_its_arguments_by_name() {
    let engine = crate::engine().await;
    engine.start("it", armed_with_a_child()).await.unwrap();
    engine.idle().await;
    let engine = engine.deploy(undoes, undoes_the_other_way_round).await;
    assert_eq!(engine.check().await.unwrap().stranded(), 0);
    let failed = engine.handle("it").of(armed_with_a_child).result().await.unwrap();
    assert!(failed.unwrap_err().to_string().contains("too much"));
    let undone = engine.handle("it/undo").of(undoes_the_other_way_round).result().await.unwrap();
    assert_eq!(undone.unwrap(), "tea back, with thanks");
}
