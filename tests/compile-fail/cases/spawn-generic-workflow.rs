//! A spawned workflow is found by its name.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn double<T: serde::Serialize + serde::de::DeserializeOwned + Clone + 'static>(value: T) -> (T, T) {
    notify("doubled").await;
    (value.clone(), value)
}

#[workflow]
async fn wrong(count: u64) -> u64 {
    let doubled = spawn(double(count));
    doubled.await.0
}
