//! The build after it: steps are added, removed and in another order, the total is wider, the discount is right, and there are returns.
//! See `main.rs`.

mod shop;

use std::time::Duration;

use durable::{EngineError, KeptSnapshot, prelude::*};
use shop::{Approve, Outcome, came, charge, mail, pause, price, reserve, seal};

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

/// Its parameters are in another order, one has another name and type, one is new, and it gives another type.
#[activity]
async fn stamp(#[was("count")] copies: u64, id: &str, note: Option<String>) -> u64 {
    came("stamp", id).await;
    copies + note.map_or(0, |note| note.len() as u64)
}

#[workflow]
async fn stamped(id: String) -> String {
    let first = stamp(2, &id, None).await;
    let (second, sealed) = (stamp(3, &id, None), seal(&id)).join().await;
    format!("{first} {second} {sealed}")
}

/// A tenth off.
#[workflow]
async fn bill(id: String, items: u32) -> String {
    let shelf = reserve(&id).await;
    let cents = u64::from(price(&id, items).await);
    let off = cents / 10;
    let paid = charge(&id, cents - off).await;
    let mailed = mail(&id, &format!("{off} off")).await;
    format!("{shelf}, {paid}, {mailed}")
}

/// It is to end all that the other build has left parked. Whoever is parked behind that is what a test notices.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a regression test does with an instance from production.
async fn test(id: &str) -> Outcome {
    let exported = std::io::read_to_string(std::io::stdin())?;
    let engine = durable::testing::resume(exported).await;
    engine.signal(id, Approve { by: "Ann".into() }).await?;
    let result = engine.handle(id).of(order).result().await?;
    println!("{}", serde_json::json!({ "id": id, "status": "completed", "text": result }));
    Ok(())
}

/// Forks an instance in front of the discount, ends it, and takes all to their ends.
async fn fork(engine: &Engine, id: &str) -> Outcome {
    let handle = engine.handle(id);
    let kept = handle.snapshots().await?;
    let has_it = |kept: &&KeptSnapshot| {
        let mut locals = kept.frames.iter().flat_map(|frame| &frame.locals);
        locals.any(|(name, _)| name == "off")
    };
    let step = kept.iter().take_while(|kept| !has_it(kept)).last().ok_or("it is in all of them")?.step;
    handle.fork_at(step, format!("{id}-again")).await?;
    match handle.terminate("the discount was wrong").await {
        // It may have come to its end meanwhile.
        Ok(()) | Err(EngineError::Closed { .. }) => shop::go_on(engine, PATIENCE).await,
        Err(error) => Err(error.into()),
    }
}

/// Takes up an instance that comes on the standard input, and takes it to its end.
async fn import(engine: &Engine) -> Outcome {
    engine.import(std::io::read_to_string(std::io::stdin())?).await?;
    shop::go_on(engine, PATIENCE).await
}

#[tokio::main]
async fn main() -> Outcome {
    let args: Vec<String> = std::env::args().collect();
    if args[1].starts_with("check") {
        shop::said(&Engine::builder().path(&args[2]).check().await?, args[1] == "check-json");
    }
    if args[1] == "test" {
        return test(&args[3]).await;
    }
    let engine = Engine::builder().path(&args[2]).keep_snapshots(10).open().await?;
    match args[1].as_str() {
        "go-on" => return shop::go_on(&engine, PATIENCE).await,
        "fork" => return fork(&engine, &args[3]).await,
        "import" => return import(&engine).await,
        _ => {}
    }
    for id in &args[3..] {
        match (id.strip_prefix("checkout-"), id.strip_prefix("return-")) {
            (Some(cents), _) => drop(engine.start(id, checkout(id.clone(), cents.parse()?)).await?),
            (_, Some(_)) => drop(engine.start(id, returned(id.clone())).await?),
            _ if id.starts_with("stamp-") => drop(engine.start(id, stamped(id.clone())).await?),
            _ if id.starts_with("bill-mail-") => {
                drop(
                    engine
                        .start(id, bill(id.clone(), id["bill-mail-".len()..].parse::<u32>()? / 100))
                        .await?,
                );
            }
            _ => drop(engine.start(id, order(id.clone(), vec![1, 2, 3])).await?),
        }
    }
    shop::stand(&engine, &args[3..]).await
}
