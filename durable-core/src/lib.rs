//! The engine of durable.

pub mod codec;
