//! A signal of many types.
use durable::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Signal)]
pub struct Approve<T>(T);
//~ error at `T`: a signal is found by its name, which says nothing of parameters of its type
//~ help: write a type without them for each use, as in `struct Approve(Decision<u64>);`
//~ see docs/errors/message.md
