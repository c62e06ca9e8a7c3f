//! `tokio::try_join!`.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> Result<u64, Error> {
    let (a, b) = tokio::try_join!(charge(1), charge(2))?;
    //~ error at `try_join`: `tokio::try_join!` is not durable: what it has got is lost in a crash
    //~ help: await them together: `(first, second).try_join().await`
    //~ see docs/errors/foreign-join.md
    Ok(a + b + sku.len() as u64)
}
