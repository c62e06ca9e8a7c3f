//! More parameters than a workflow may have.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(
    a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8,
    //~ error at `a`: a workflow has at most 16 parameters, and this one 17
    //~ help: put them into a struct
    //~ see docs/errors/workflow-parameter.md
    j: u8, k: u8, l: u8, m: u8, n: u8, o: u8, p: u8, q: u8,
) -> u64 {
    price("a").await
}
