//! A name that means two types, in a block that awaits and around it.
use durable::prelude::*;
use shop::*;

#[workflow]
async fn wrong(sku: String) -> u64 {
    struct Size(u64);
    let outer = Size(1).0;
    let inner = {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Size(u64);
        //~ error at `Size`: `Size` means one thing in this inner block, which awaits, and another outside of it
        //~ help: rename one of the two
        //~ see docs/errors/unsupported-position.md
        let size = Size(2);
        price(&sku).await + size.0
    };
    outer + inner
}
