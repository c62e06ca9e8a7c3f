//! Variables that come, go, and get other names and types.

use durable::prelude::*;

use super::{charge, deployed, goes_on, is_parked};

#[derive(serde::Serialize, serde::Deserialize)]
struct Item {
    sku: String,
    qty: u32,
}

#[workflow]
async fn bought(sku: String) -> String {
    let total: u32 = 40;
    let item = Item { sku, qty: 2 };
    let paid = charge("a", 5).await;
    format!("{} {} {total} {paid}", item.sku, item.qty)
}

#[workflow]
async fn bought_with_other_names(#[was("sku")] name: String) -> String {
    #[was("total")]
    let sum: u32 = 40;
    #[was("item")]
    let thing = Item { sku: name, qty: 2 };
    let paid = charge("a", 5).await;
    format!("{} {} {sum} {paid}", thing.sku, thing.qty)
}

#[workflow]
async fn bought_in_another_order(sku: String) -> String {
    let item = Item { sku, qty: 2 };
    let total: u32 = 40;
    let paid = charge("a", 5).await;
    format!("{} {} {total} {paid}", item.sku, item.qty)
}

#[workflow]
async fn bought_without_total(sku: String) -> String {
    let item = Item { sku, qty: 2 };
    let paid = charge("a", 5).await;
    format!("{} {} {paid}", item.sku, item.qty)
}

#[tokio::test]
async fn variables_are_found_by_name_in_any_order_and_by_their_old_names() {
    goes_on!(bought("tea".into()) as bought_with_other_names => "tea 2 40 5");
    goes_on!(bought("tea".into()) as bought_in_another_order => "tea 2 40 5");
    goes_on!(bought("tea".into()) as bought_without_total => "tea 2 5");
}

mod wider {
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize)]
    pub(super) enum Gift {
        Card,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(rename = "Item")]
    pub(super) struct Product {
        #[serde(alias = "sku")]
        pub(super) article: String,
        pub(super) qty: u64,
        #[serde(default)]
        pub(super) gift: Option<Gift>,
    }
}

#[workflow]
async fn bought_with_other_types(sku: String) -> String {
    let total: Option<i64> = Some(40);
    let item = wider::Product { article: sku, qty: 2, gift: None };
    let paid = charge("a", 5).await;
    format!("{} {} {total:?} {paid} {}", item.article, item.qty, item.gift.is_some())
}

#[workflow]
async fn bought_with_a_total_of_text(sku: String) -> String {
    let total = String::from("forty");
    let item = Item { sku, qty: 2 };
    let paid = charge("a", 5).await;
    format!("{} {} {total} {paid}", item.sku, item.qty)
}

#[workflow]
async fn bought_with_a_discount(sku: String) -> String {
    let total: u32 = 40;
    let discount = 3;
    let item = Item { sku, qty: 2 };
    let paid = charge("a", 5).await;
    format!("{} {} {} {paid}", item.sku, item.qty, total - discount)
}

#[tokio::test]
async fn types_may_widen_and_their_fields_be_renamed_and_added() {
    goes_on!(bought("tea".into()) as bought_with_other_types => "tea 2 Some(40) 5 false");
}

#[tokio::test]
async fn what_can_not_be_read_or_is_not_there_parks_with_the_variable() {
    is_parked!(
        bought("tea".into()) as bought_with_a_total_of_text,
        "variable `total`", "variables.rs:", "string", "40"
        => "tea 2 40 5"
    );
    is_parked!(
        bought("tea".into()) as bought_with_a_discount,
        "needs variable `discount`", "variables.rs:", "#[was(\"..\")]"
        => "tea 2 40 5"
    );
}

#[workflow]
async fn shadowed() -> String {
    let x = 1_u64;
    let paid = charge("a", 5).await;
    format!("{x} {paid}")
}

#[workflow]
async fn shadowed_twice() -> String {
    let x = 1_u64;
    let paid = {
        let x = x + 1;
        let paid = charge("a", 5).await;
        paid + x
    };
    format!("{x} {paid}")
}

#[tokio::test]
async fn two_variables_of_one_name_are_not_guessed() {
    is_parked!(shadowed() as shadowed_twice, "`x`" => "1 5");
}

#[workflow]
async fn bought_with_a_name_taken(sku: String) -> String {
    #[was("total")]
    let sum: u32 = 40;
    let total: u32 = 7;
    let item = Item { sku, qty: 2 };
    let paid = charge("a", 5).await;
    format!("{} {} {total} {sum} {paid}", item.sku, item.qty)
}

#[tokio::test]
async fn one_stored_variable_is_not_two() {
    is_parked!(
        bought("tea".into()) as bought_with_a_name_taken,
        "variables `sum` and `total`", "`total` of the snapshot"
        => "tea 2 40 5"
    );
}

#[workflow]
async fn sums(prices: Vec<u64>) -> Vec<u64> {
    let mut paid = Vec::new();
    for price in &prices {
        paid.push(charge("a", *price).await);
    }
    paid
}

#[workflow]
async fn sums_backwards(prices: Vec<u64>) -> Vec<u64> {
    let mut paid = Vec::new();
    for price in prices.iter().rev() {
        paid.push(charge("a", *price).await);
    }
    paid
}

#[workflow]
async fn sums_doubled(prices: Vec<u64>) -> Vec<u64> {
    let mut paid = Vec::new();
    for amount in prices.iter() {
        paid.push(2 * charge("a", *amount).await);
    }
    paid
}

#[workflow]
async fn sums_numbered(prices: Vec<u64>) -> Vec<u64> {
    let mut paid = Vec::new();
    for (number, price) in prices.iter().enumerate() {
        paid.push(charge("a", *price).await + number as u64 * 100);
    }
    paid
}

#[tokio::test]
async fn a_loop_goes_on_where_it_was_but_not_in_another_order() {
    is_parked!(sums(vec![1, 2, 3]) as sums_backwards, "for price" => [1, 2, 3]);
    is_parked!(sums(vec![1, 2, 3]) as sums_numbered, "needs variable `number`" => [1, 2, 3]);
    let engine = super::engine().await;
    engine.start("it", sums(vec![1, 2, 3])).await.unwrap();
    engine.advance(super::MINUTE).await;
    let engine = deployed!(engine, sums as sums_doubled);
    assert_eq!(engine.handle("it").of(sums_doubled).result().await.unwrap(), [1, 4, 6]);
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Parcel {
    name: String,
    size: (u32, Weight),
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Weight(u64);

#[workflow]
async fn keeps_a_parcel(name: String) -> String {
    let parcel = Parcel { name, size: (3, Weight(40)) };
    let paid = charge("a", 5).await;
    format!("{} {} {paid}", parcel.size.0, parcel.size.1.0)
}

/// What is needed of the parcel is kept by itself, because its name was moved out.
#[workflow]
async fn takes_a_parcel_apart(name: String) -> String {
    let parcel = Parcel { name, size: (3, Weight(40)) };
    let _name = parcel.name;
    let paid = charge("a", 5).await;
    format!("{} {} {paid}", parcel.size.0, parcel.size.1.0)
}

#[tokio::test]
async fn parts_of_a_variable_are_found_in_the_whole_and_not_the_whole_in_its_parts() {
    goes_on!(keeps_a_parcel("x".into()) as takes_a_parcel_apart => "3 40 5");
    is_parked!(takes_a_parcel_apart("x".into()) as keeps_a_parcel, "needs variable `parcel`" => "3 40 5");
}

/// The old name may still stand there after the await has gone.
#[workflow]
async fn renames_what_is_not_stored(n: u64) -> u64 {
    let mut sum = n;
    if n > 3 {
        #[was("fee")]
        let charged: u64 = 5;
        sum += charged;
    }
    let twice = |n: u64| {
        #[was("two")]
        let factor = 2;
        n * factor
    };
    let sum = twice(sum);
    charge("a", sum).await
}

#[tokio::test]
async fn an_old_name_of_a_variable_that_is_not_stored_says_nothing() {
    goes_on!(renames_what_is_not_stored(4) as renames_what_is_not_stored => 18);
}
