//! What the programs of this test deal with: a shop, its activities, and one workflow.
#![allow(missing_docs)]

use durable::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Order {
    pub id: u64,
    pub name: String,
    pub coupon: Option<String>,
    pub items: Vec<Item>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Item {
    pub sku: String,
    pub qty: u64,
}

/// What a provider gives us: nothing of it can be stored.
#[derive(Debug, Default)]
pub struct Client {
    pub calls: u64,
}

/// Gives the price of an article.
#[activity]
pub async fn price(sku: &str) -> u64 {
    sku.len() as u64
}

/// Takes the money.
#[activity]
pub async fn charge(cents: u64) -> Result<u64, Error> {
    Ok(cents)
}

/// Tells the customer.
#[activity]
pub async fn notify(text: &str) {
    let _ = text;
}

/// A plain async function.
pub async fn fetch(url: &str) -> String {
    url.to_owned()
}
