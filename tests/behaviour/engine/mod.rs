//! The engine from outside: starting, looking, listing, stopping; instances that are parked; timers;
//! and what a restart, another build and a second process make of a store.

mod builds;
mod describe;
mod files;
mod info;
mod limits;
mod list;
mod panics;
mod start;
mod terminate;
mod timers;
