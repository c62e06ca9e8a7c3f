//! x
#![allow(missing_docs, unused, clippy::all)]
use durable::{CallError, activity, workflow};
use serde::{Deserialize, Serialize};
use std::collections::*;

#[derive(Serialize, Deserialize, Clone)]
pub struct Item {
    sku: String,
    qty: u32,
}
#[derive(Serialize, Deserialize, Clone, Default)]
pub struct Settings {
    limit: u32,
}
impl Settings {
    fn get(&self, _: &str) -> u32 {
        self.limit
    }
}

#[activity]
async fn act(n: u32) -> u32 {
    n
}

fn label(n: u32) -> &'static str {
    if n > 1 { "a" } else { "b" }
}
fn longest<'a>(a: &'a String, b: &'a String) -> &'a String {
    a
}
fn longer<'a>(a: &'a str, b: &'a str) -> &'a str {
    a
}

#[workflow]
async fn a1(n: u32) -> u32 {
    let text = label(n);
    act(1).await;
    act(2).await;
    text.len() as u32
}

#[workflow]
async fn a2(a: Item, b: Item) -> u32 {
    let text = longer(&a.sku, &b.sku);
    let other = longest(&a.sku, &b.sku);
    act(1).await;
    act(2).await;
    text.len() as u32 + other.len() as u32
}

#[workflow]
async fn a3(items: Vec<Item>) -> u32 {
    let names: Vec<_> = items.iter().map(|i| i.sku.as_str()).collect();
    act(1).await;
    names.len() as u32
}

#[workflow]
async fn a4(map: HashMap<String, u32>) -> u32 {
    for (k, v) in &map {
        act(*v).await;
    }
    for v in map.values() {
        act(*v).await;
    }
    0
}

#[workflow]
async fn a5(settings: Settings) -> u32 {
    let limit = settings.get("limit");
    act(1).await;
    limit
}

#[workflow]
async fn a6(settings: Settings) -> u32 {
    let limit: u32 = settings.get("limit");
    act(1).await;
    limit
}

#[workflow]
async fn a7(items: Vec<Item>, n: u32) -> u32 {
    let mut last = &items[0];
    for item in &items {
        act(item.qty).await;
        if item.qty > last.qty {
            last = item;
        }
    }
    let found = items.iter().find(|i| i.qty == n).unwrap();
    act(found.qty).await;
    let f = |x: u32| x + n;
    act(f(1)).await;
    act(f(found.qty)).await;
    last.qty
}

#[workflow]
async fn a8(items: Vec<Item>) -> u32 {
    for item in items.iter().map(|i| i.qty) {
        act(item).await;
    }
    for x in std::iter::from_fn(|| Some(1u32)) {
        act(x).await;
    }
    let text = if items.is_empty() { "a" } else { label(2) };
    act(1).await;
    text.len() as u32
}

#[workflow]
async fn a9(items: Vec<Item>) -> u32 {
    for item in &items {
        if act(item.qty).await > 3 {
            return done(items).await;
        }
    }
    0
}
#[workflow]
async fn done(items: Vec<Item>) -> u32 {
    act(1).await;
    items.len() as u32
}

fn main() {}
