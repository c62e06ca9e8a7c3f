//! The public face as a user writes it: every form that is promised, with `use durable::prelude::*` alone.

mod children;
mod messages;
mod outside;
mod samples;
mod selects;
mod spawned;
