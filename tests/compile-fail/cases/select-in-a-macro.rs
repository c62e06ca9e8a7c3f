//! In the arguments of another macro.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> String {
    format!("{}", select! { cents = price(&sku) => cents })
    //~ error at `select`: an await inside a macro's arguments can't be a resume point
    //~ help: await first: `let value = ....await;`, and use `value` here
    //~ see docs/errors/await-in-macro.md
}
