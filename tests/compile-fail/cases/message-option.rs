//! An option that only an update has.
use durable::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Signal)]
#[signal(output = u64)]
//~ error at `output`: unknown option `output`
//~ help: a signal takes `name` and `crate`
//~ see docs/errors/message.md
pub struct Approve;
