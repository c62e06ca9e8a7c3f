//! The attribute on a struct.
use durable::prelude::*;
use shop::*;

#[workflow]
struct Fulfil;
//~ error at `struct`: `#[workflow]` stands on an async function, or on an `impl` block with functions that have it too
//~ help: move it there
//~ see docs/errors/workflow-function.md
