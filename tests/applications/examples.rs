//! Programs under `examples/`, each with the test at its end: a crash at every step of its workflow. The others are in
//! `tests/functions/examples.rs`: some have names in common with what is here.

#![allow(dead_code)] // Each has a `main`.

#[path = "../../examples/approval.rs"]
mod approval;
#[path = "../../examples/fan_out.rs"]
mod fan_out;
#[path = "../../examples/order.rs"]
mod order;
#[path = "../../examples/saga.rs"]
mod saga;
