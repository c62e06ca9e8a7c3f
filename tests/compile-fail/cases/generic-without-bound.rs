//! A generic parameter that says nothing of itself.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong<T>(sku: String, thing: T) -> u64 {
//~ error at `T`: an argument of type `T` is stored, and `T` need not be storable
//~ help: write `T: serde::Serialize + serde::de::DeserializeOwned + 'static`
//~ see docs/errors/workflow-parameter.md
    let price = price(&sku).await;
    drop(thing);
    price
}
