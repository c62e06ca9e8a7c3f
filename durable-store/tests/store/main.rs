//! What a store promises, shown on the embedded one.

mod conformance;
mod opening;
