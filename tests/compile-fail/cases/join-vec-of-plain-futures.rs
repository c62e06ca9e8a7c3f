//! A join of plain futures.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(urls: Vec<String>) -> usize {
    urls.iter().map(|url| fetch(url)).collect::<Vec<_>>().join().await.len()
}
