//! What people do with durable execution, as told by those who run it: the scenarios of the project,
//! by their numbers, each a test or more.
//!
//! Deliberately absent: scenarios that need signals, children or changed code; they come with those.

mod crashes;
mod dates;
mod order;
mod outages;
mod time;
