//! Negative controls: twins that are wrong on purpose must be reported.

use serde::{Deserialize, Serialize};

use crate::compare::compare;
use crate::vocabulary::{Log, activities, stand_in, take_stand_in_log};
use durable::workflow;

async fn sum_of_two(n: i64) -> i64 {
    use stand_in::get;
    let kept = get(n).await;
    kept + get(n + 1).await
}

#[workflow]
async fn sum_that_loses_a_variable(n: i64) -> i64 {
    use activities::get;
    let kept = get(n).await;
    let kept = kept * 0;
    kept + get(n + 1).await
}

#[workflow]
async fn sum_in_another_order(n: i64) -> i64 {
    use activities::get;
    let second = get(n + 1).await;
    get(n).await + second
}

#[workflow]
async fn sum_with_a_call_too_many(n: i64) -> i64 {
    use activities::get;
    let kept = get(n).await;
    let next = get(n + 1).await;
    get(n + 1).await;
    kept + next
}

/// A value that does not survive a snapshot.
#[derive(Clone, Serialize, Deserialize)]
struct Forgetful {
    #[serde(skip)]
    lost: i64,
}

async fn remember(n: i64) -> i64 {
    let value = Forgetful { lost: n };
    stand_in::get(n).await;
    value.lost
}

#[workflow]
async fn forget(n: i64) -> i64 {
    let value = Forgetful { lost: n };
    activities::get(n).await;
    value.lost
}

#[workflow]
async fn give_up(n: i64) -> i64 {
    let kept = activities::get(n).await;
    assert!(kept < 0, "this workflow panics");
    kept
}

fn difference(compared: Result<(), String>) -> String {
    compared.expect_err("a wrong twin was not found")
}

#[test]
fn a_variable_that_is_lost_is_found() {
    let report = difference(compare(|| sum_of_two(4), || sum_that_loses_a_variable(4)));
    assert!(report.contains("plain    29") && report.contains("workflow 16"), "{report}");
}

#[test]
fn calls_in_another_order_are_found_although_the_result_is_the_same() {
    let report = difference(compare(|| sum_of_two(4), || sum_in_another_order(4)));
    assert!(report.contains("!   0  plain get(4)  |  workflow get(5)"), "{report}");
}

#[test]
fn a_call_made_twice_is_found_although_the_result_is_the_same() {
    let report = difference(compare(|| sum_of_two(4), || sum_with_a_call_too_many(4)));
    assert!(report.contains("!   2  plain -  |  workflow get(5)"), "{report}");
}

#[test]
fn a_value_that_does_not_survive_a_snapshot_is_found() {
    difference(compare(|| remember(5), || forget(5)));
}

#[test]
fn a_workflow_that_never_ends_is_found() {
    let report = difference(compare(|| sum_of_two(1), || give_up(1)));
    assert!(report.contains("this workflow panics"), "{report}");
}

#[test]
fn calls_that_are_missing_are_found() {
    let report = difference(compare(
        || async {
            Log::stand_in("not a call");
            Log::stand_in("nor this");
            0
        },
        || quiet(),
    ));
    assert!(report.contains("not a call"), "{report}");
    assert!(take_stand_in_log().is_empty());
}

#[workflow]
async fn quiet() -> i32 {
    0
}
