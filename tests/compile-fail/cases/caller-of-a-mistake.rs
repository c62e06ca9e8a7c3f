//! A caller of a workflow that does not compile has no error of its own.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
async fn caller(sku: String) -> usize {
    wrong(sku).await.len()
}

#[workflow]
async fn wrong(sku: String) -> String {
    format!("{}", price(&sku).await)
    //~ error at `await`: an await inside a macro's arguments can't be a resume point
    //~ help: await first: `let value = ....await;`, and use `value` here
    //~ see docs/errors/await-in-macro.md
}
