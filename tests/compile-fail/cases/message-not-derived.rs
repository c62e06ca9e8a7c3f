//! A type that is no signal.
use durable::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub struct Approve;

pub fn send<S: Signal>(_: &S) {}
pub fn ask<U: Update>(_: &U) {}
pub fn show<P: Publish>(_: &P) {}

pub fn wrong() {
    send(&Approve);
    //~ error[E0277] at `&Approve`: `Approve` is not a signal
    //~ see docs/errors/message.md
    ask(&Approve);
    //~ error[E0277] at `&Approve`: `Approve` is not an update
    //~ see docs/errors/message.md
    show(&Approve);
    //~ error[E0277] at `&Approve`: `Approve` can't be published
    //~ see docs/errors/message.md
}
