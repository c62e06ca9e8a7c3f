//! Programs under `examples/`, each with the test at its end: a crash at every step of its workflow. The others are in
//! `tests/applications/examples.rs`.

#![allow(dead_code)] // Each has a `main`.

#[path = "../../examples/agent.rs"]
mod agent;
#[path = "../../examples/graph.rs"]
mod graph;
#[path = "../../examples/quickstart.rs"]
mod quickstart;
