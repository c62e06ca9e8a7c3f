//! What people do with durable execution, as told by those who run it: the scenarios of the project,
//! by their numbers, each a test or more.
//!
//! Deliberately absent: those about messages (11, 12, 24) stand in `messages`, those about how instances live and end (15, 22, 25) in
//! `lifecycle`, the saga (19) in `compensation`; those that need changed code come with it.

mod crashes;
mod dates;
mod order;
mod outages;
mod research;
mod time;
