//! Messages: what goes into an instance and comes out of it while it runs.
//!
//! A type of message is known by its stored name. Inside a workflow messages are received (`recv`), answered (`request`), sent to other
//! instances (`peer`) and values are shown to everybody (`publish`); outside they are sent with the methods of the engine (`outside`).
//!
//! Invariants: a message is acknowledged once it is durable, and taken in the transaction of the step that takes it; those of one sender
//! come in his order.
//!
//! Deliberately absent: where messages wait, and how they reach it (`engine/mail`).

mod error;
mod outside;
mod peer;
mod publish;
mod recv;
mod request;

pub use error::{SignalError, StartUpdateError, UpdateError};
pub(crate) use outside::{Letter, deliver, told};
pub use outside::{SignalCall, StartUpdate, UpdateCall};
pub use peer::{Attach, SendPeer, UpdatePeer, attach, cancel, signal, update};
pub use publish::publish;
pub use recv::{Recv, RecvUpdate, recv, recv_update, try_recv, try_recv_update};
pub use request::{Reply, Request};

use crate::codec::Persist;

/// The most bytes that a message, an answer or a published value may have.
pub const MAX_MESSAGE_BYTES: usize = 100 << 20;

/// The most messages that may wait for one instance, unless the engine's builder says otherwise.
pub const MAX_MESSAGES: u32 = 100_000;

/// A message that an instance receives and nobody waits for. `#[derive(Signal)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a signal",
    note = "write `#[derive(Serialize, Deserialize, Signal)]` above it",
    note = "see docs/errors/message.md"
)]
pub trait Signal: Persist {
    /// The stored name.
    const NAME: &'static str;
}

/// A message that an instance answers. `#[derive(Update)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an update",
    note = "write `#[derive(Serialize, Deserialize, Update)]` and `#[update(output = ..)]` above it",
    note = "see docs/errors/message.md"
)]
pub trait Update: Persist {
    /// The answer.
    type Output: Persist;
    /// The stored name.
    const NAME: &'static str;
}

/// A value that an instance shows to everybody: the last one of its type. `#[derive(Publish)]` implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be published",
    note = "write `#[derive(Serialize, Deserialize, Publish)]` above it",
    note = "see docs/errors/message.md"
)]
pub trait Publish: Persist {
    /// The stored name.
    const NAME: &'static str;
}
