//! The compiler of durable: `#[workflow]` turns an async function into an explicit, serializable state
//! machine, `#[activity]` a function into a call that can be stored.
//!
//! A pipeline, one module per phase, each a function from its input to its output on `proc_macro2` alone:
//! `parse` -> `resolve` -> `lower` -> `parts` -> `liveness` -> `borrows` -> `layout` -> `emit`; `expand` shows it in four lines, `ir` holds
//! what the phases hand on, `diagnostics` what they report. To read what a function becomes, run `cargo expand`.
//!
//! Invariant: this crate knows nothing of the engine. Generated code names everything through `durable::__private`.

mod activity;
mod borrows;
mod configure;
mod diagnostics;
#[cfg(test)]
mod differential;
mod effects;
mod emit;
mod expand;
mod flow;
mod fragments;
mod home;
mod ir;
mod layout;
mod liveness;
mod loads;
mod lower;
mod parse;
mod parts;
mod resolve;
mod spans;
mod storable;
mod stored;

use proc_macro::TokenStream;

#[doc = include_str!("activity/attribute.md")]
#[proc_macro_attribute]
pub fn activity(args: TokenStream, item: TokenStream) -> TokenStream {
    activity::expand(args.into(), item.into()).into()
}

/// Compiles an async function into a workflow, whose state is stored at every `.await`.
///
/// Arguments: `name = ".."` (what is stored; default: the function's name),
/// `crate = path` (where `durable` is found; default: `::durable`).
#[proc_macro_attribute]
pub fn workflow(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::workflow(options.into(), item.into()).into()
}
