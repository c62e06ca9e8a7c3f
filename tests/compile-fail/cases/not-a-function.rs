//! The attribute on a struct.
use durable::prelude::*;
use shop::*;
//~ warning[unused_imports] at `shop::*`

#[workflow]
struct Fulfil;
//~ error at `struct`: expected `fn`
