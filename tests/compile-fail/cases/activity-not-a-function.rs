//! An activity that is no function.
use durable::prelude::*;
use shop::*;

#[activity]
struct Charge;
//~ error at `struct`: `#[activity]` stands on a function
//~ help: move it there
//~ see docs/errors/activity-function.md
