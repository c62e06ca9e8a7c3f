//! An update that is answered with nobody knows what.
use durable::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Update)]
pub struct AddItem {
    //~ error at `AddItem`: an update is answered, and nothing says with what
    //~ help: write `#[update(output = Result<u64, CartError>)]` above the type, or `output = ()`
    //~ see docs/errors/message.md
    pub sku: String,
}
