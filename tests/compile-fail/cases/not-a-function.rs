//! The attribute on a struct.
use durable::prelude::*;
use shop::*;

#[workflow]
struct Fulfil;
//~ error at `struct`: expected `fn`
