//! The first build. See `main.rs`.

mod shop;

use std::time::Duration;

use durable::prelude::*;
use shop::{Approve, Outcome, came, charge, mail, pause, price, reserve, seal};

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

#[activity]
async fn stamp(id: &str, count: u32) -> u32 {
    came("stamp", id).await;
    count
}

#[workflow]
async fn stamped(id: String) -> String {
    let first = stamp(&id, 2).await;
    let (second, sealed) = (stamp(&id, 3), seal(&id)).join().await;
    format!("{first} {second} {sealed}")
}

/// A tenth off: but it takes a tenth of that.
#[workflow]
async fn bill(id: String, items: u32) -> String {
    let shelf = reserve(&id).await;
    let cents = u64::from(price(&id, items).await);
    let off = cents / 100;
    let paid = charge(&id, cents - off).await;
    let mailed = mail(&id, &format!("{off} off")).await;
    format!("{shelf}, {paid}, {mailed}")
}

/// Prints an instance.
async fn export(engine: &Engine, id: &str) -> Outcome {
    println!("{}", engine.handle(id).export().await?);
    Ok(engine.shutdown(Duration::ZERO).await?)
}

#[tokio::main]
async fn main() -> Outcome {
    let args: Vec<String> = std::env::args().collect();
    if args[1].starts_with("check") {
        shop::said(&Engine::builder().path(&args[2]).check().await?, args[1] == "check-json");
    }
    let engine = Engine::builder().path(&args[2]).keep_snapshots(10).open().await?;
    match args[1].as_str() {
        // It is the first one: nobody has parked anything for it.
        "go-on" => return shop::go_on(&engine, Duration::ZERO).await,
        "export" => return export(&engine, &args[3]).await,
        _ => {}
    }
    for id in &args[3..] {
        match (id.strip_prefix("checkout-"), id.strip_prefix("bill-mail-")) {
            (Some(cents), _) => drop(engine.start(id, checkout(id.clone(), cents.parse()?)).await?),
            (_, Some(cents)) => drop(engine.start(id, bill(id.clone(), cents.parse::<u32>()? / 100)).await?),
            _ if id.starts_with("stamp-") => drop(engine.start(id, stamped(id.clone())).await?),
            _ => drop(engine.start(id, order(id.clone(), vec![1, 2, 3])).await?),
        }
    }
    shop::stand(&engine, &args[3..]).await
}
