//! Ten programs of the size that applications have, written as async Rust is written anyway.
//!
//! They show that the language of workflows is enough to say what programs say: none of them
//! annotates a type or splits an expression for the compiler's sake. Each has its activities, the
//! world they touch (in memory), tests of its outcomes under the virtual clock, and a crash at every step.
//!
//! The programs of `examples/` are here too, with the tests at their ends.
//!
//! The names of workflows and activities are global to a binary, so each occurs once in these modules.

mod agent;
mod bidding;
mod examples;
mod game;
mod import;
mod migration;
mod onboarding;
mod payment;
mod provisioning;
mod review;
mod subscription;
mod support;
