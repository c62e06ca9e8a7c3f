//! Types that go into an instance and come out of it while it runs, each known by its stored name.

use crate::codec::Persist;

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
