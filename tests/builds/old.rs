//! The first build. See `main.rs`.

mod shop;

use durable::prelude::*;
use shop::{Approve, Outcome, came, charge, mail, pause, price, reserve};

#[activity]
async fn greet(id: &str) {
    came("greet", id).await;
}

#[workflow]
async fn order(id: String, items: Vec<u32>) -> String {
    greet(&id).await;
    let shelf = reserve(&id).await;
    let mut total: u32 = 0;
    for item in &items {
        total += price(&id, *item).await;
    }
    let paid = charge(&id, u64::from(total)).await;
    sleep(pause(&id)).await;
    let approved = recv::<Approve>().await;
    let mailed = mail(&id, &format!("{total}")).await;
    format!("old: {id}: {shelf}, {total}, {paid}, {}, {mailed}", approved.by)
}

/// Percent, from 500 on.
fn discount(cents: u64) -> u64 {
    let steps = cents.saturating_sub(50_000) / 1_000_000;
    if cents > 50_000 { cents / steps } else { 0 }
}

#[workflow]
async fn checkout(id: String, cents: u64) -> String {
    let shelf = reserve(&id).await;
    let total = cents - discount(cents);
    let paid = charge(&id, total).await;
    format!("{shelf}, {paid}")
}

#[tokio::main]
async fn main() -> Outcome {
    let args: Vec<String> = std::env::args().collect();
    if args[1].starts_with("check") {
        shop::said(&Engine::builder().path(&args[2]).check().await?, args[1] == "check-json");
    }
    let engine = Engine::open(&args[2]).await?;
    if args[1] == "go-on" {
        return shop::go_on(&engine).await;
    }
    for id in &args[3..] {
        match id.strip_prefix("checkout-") {
            Some(cents) => drop(engine.start(id, checkout(id.clone(), cents.parse()?)).await?),
            None => drop(engine.start(id, order(id.clone(), vec![1, 2, 3])).await?),
        }
    }
    shop::stand(&engine, &args[3..]).await
}
