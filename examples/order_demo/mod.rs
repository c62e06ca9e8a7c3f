//! The show around `order.rs`: nothing in here is needed to use Durable.
//!
//! The parent (`director`) runs this executable again as the shop's process (`process`), reads from
//! its output what happens there (`event`), kills it with SIGKILL at a chosen moment and starts the
//! next one. The services outside (`world`) are one side file, which also counts what they were asked.

mod director;
mod event;
mod process;
mod show;
mod world;

use std::process::ExitCode;

pub(crate) use process::Demo;
pub(crate) use world::{Service, World};

/// The parent without arguments; the shop's process with them.
pub(crate) fn run() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.as_slice() {
        [] => director::run(),
        [role, dir, stop_at] if role == process::ROLE => process::run(dir.as_ref(), stop_at),
        _ => {
            eprintln!("usage: order (no arguments; it starts its own processes)");
            ExitCode::from(2)
        }
    }
}
