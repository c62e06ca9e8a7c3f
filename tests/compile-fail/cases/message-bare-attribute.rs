//! An attribute that says nothing.
use durable::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Publish)]
#[publish]
//~ error at `publish`: `#[publish]` says nothing without arguments
//~ help: write `#[publish(name = "..")]`, or leave it out
//~ see docs/errors/message.md
pub struct Progress;
