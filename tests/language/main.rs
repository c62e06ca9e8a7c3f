//! The language of workflows: each function is written once and compiled twice, as a plain async function over stand-ins that
//! answer at once and as a `#[workflow]` over activities.
//!
//! Both must give the same result and make the same calls, with the same arguments, in the same order: in peace, and with a
//! crash of the engine at every suspension. [`twins`] makes the two and their test; [`compare`] runs them; `vocabulary` holds
//! what they call. The other modules hold the functions, by topic. [`control`] shows that a wrong twin is found.
//!
//! Deliberately absent: what the compiler refuses (the compile-fail cases), and random programs.

#![allow(
    clippy::all, // functions as users write them, odd ones included
    unused_assignments,
    for_loops_over_fallibles,
    unused_variables,
    clippy::pedantic,
    reason = "the functions spell constructs out on purpose"
)]

#[macro_use]
mod twins;
mod compare;
mod control;
mod vocabulary;

mod borrows;
mod branches;
mod calls;
mod closures;
mod expressions;
mod fors;
mod idioms_loops;
mod idioms_values;
mod jumps;
mod loops;
mod macros;
mod matches;
mod operands;
mod patterns;
mod questions;
mod scopes;
mod table;
mod texts;
mod types;
