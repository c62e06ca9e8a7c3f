//! A function that a trait declares.
use durable::prelude::*;
use shop::*;

trait Quotes {
    #[workflow]
    async fn quote(sku: String) -> u64;
    //~ error at `async`: a workflow can't be a function of a trait
    //~ help: write a function, or one of an `impl` block of the type's own
    //~ see docs/errors/workflow-function.md
}
