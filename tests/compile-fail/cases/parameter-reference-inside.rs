//! A reference inside of a parameter.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(skus: Vec<&str>) -> u64 {
//~ error at `&`: a reference inside of a stored type can't be read back
//~ help: take `Vec<String>`
//~ see docs/errors/workflow-parameter.md
    price(skus[0]).await
}
