//! The build after it: steps are added, removed and in another order, the total is wider, the discount is right, and there are returns.
//! See `main.rs`.

mod shop;

use durable::prelude::*;
use shop::{Approve, Outcome, came, charge, mail, pause, price, reserve};

#[activity]
async fn inspect(id: &str) -> bool {
    came("inspect", id).await;
    true
}

#[activity]
async fn audit(id: &str) -> bool {
    came("audit", id).await;
    true
}

#[activity]
async fn receipt(id: &str, cents: u64) -> String {
    came("receipt", id).await;
    format!("receipt of {cents}")
}

#[workflow]
async fn order(id: String, items: Vec<u32>) -> String {
    if !inspect(&id).await {
        return "refused".into();
    }
    let shelf = reserve(&id).await;
    let mut total: u64 = 0;
    for item in items.iter() {
        total += u64::from(price(&id, *item).await);
    }
    let paid = charge(&id, total).await;
    audit(&id).await;
    sleep(pause(&id)).await;
    let approved = recv::<Approve>().await;
    let mailed = mail(&id, &format!("{total}")).await;
    let receipt = receipt(&id, paid).await;
    format!("new: {shelf}, {total}, {paid}, {}, {mailed}, {receipt}", approved.by)
}

/// Ten percent, from 500 on.
fn discount(cents: u64) -> u64 {
    if cents > 50_000 { cents / 10 } else { 0 }
}

#[workflow]
async fn checkout(id: String, cents: u64) -> String {
    let shelf = reserve(&id).await;
    let total = cents - discount(cents);
    let paid = charge(&id, total).await;
    format!("{shelf}, {paid}")
}

#[workflow]
async fn returned(id: String) -> String {
    let approved = recv::<Approve>().await;
    format!("{id} is back, says {}", approved.by)
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
        match (id.strip_prefix("checkout-"), id.strip_prefix("return-")) {
            (Some(cents), _) => drop(engine.start(id, checkout(id.clone(), cents.parse()?)).await?),
            (_, Some(_)) => drop(engine.start(id, returned(id.clone())).await?),
            _ => drop(engine.start(id, order(id.clone(), vec![1, 2, 3])).await?),
        }
    }
    shop::stand(&engine, &args[3..]).await
}
