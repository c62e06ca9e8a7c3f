//! What goes into an instance while it runs, and what it shows: signals, updates, published values, and instances that talk to each
//! other.

mod cart;
mod peers;
mod publish;
mod signals;
mod updates;
mod webhook;
