//! Behaviour that a user would notice, through the public face.
//!
//! Most tests run on an engine in memory with a virtual clock; those about files, processes and the
//! real clock run over a file in a temporary directory. The names of workflows and activities are
//! global to a binary, as they are to any program, so each name occurs once in these modules.

// Lengths of time are constants here; one that were negative would fail its test.
#![allow(clippy::unchecked_time_subtraction)]

mod activities;
mod compensation;
mod compose;
mod engine;
mod graph;
mod lifecycle;
mod messages;
mod scenarios;
mod support;
mod testing_face;
mod values;
