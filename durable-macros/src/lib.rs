//! The compiler of durable: `#[workflow]` turns an async function into an explicit, serializable state
//! machine, `#[activity]` a function into a call that can be stored.
//!
//! A pipeline, one module per phase, each a function from its input to its output on `proc_macro2` alone:
//! `parse` -> `resolve` -> `lower` -> `parts` -> `liveness` -> `borrows` -> `layout` -> `emit`; `expand` shows it in four lines, `select` is written out before, `ir` holds
//! what the phases hand on, `diagnostics` what they report. To read what a function becomes, run `cargo expand`.
//!
//! Invariant: this crate knows nothing of the engine. Generated code names everything through `durable::__private`.

mod activity;
mod borrows;
mod configure;
mod derive;
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
mod select;
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
/// `migrate = path` (a function that makes a snapshot of another build one that this build resumes),
/// `deadline = "30d"` (how long an instance may take that is started without one; default: no limit),
/// `crate = path` (where `durable` is found; default: `::durable`).
#[proc_macro_attribute]
pub fn workflow(options: TokenStream, item: TokenStream) -> TokenStream {
    expand::workflow(options.into(), item.into()).into()
}

/// Waits for several operations of a workflow, and goes on with the first that is done.
///
/// ```text
/// select! {
///     receipt = charge(&order) => paid(receipt).await?,
///     stop = recv::<Stop>(), if order.may_stop => break stop.why,
///     _ = sleep(Duration::from_secs(3600)) => {}
/// }
/// ```
///
/// Each branch is `pattern = operation => body`, as tokio's `select!` has it; of several that are done, the one that was committed
/// first wins, then the one that is written first. The others are cancelled, and a message that was not taken stays. `&mut place`
/// lends an operation that is kept in a variable: it goes on if it does not win. A branch is off if its `, if condition` is false, or
/// once what it gave does not match its pattern; `else => body` runs if all of them are, and without an `else` that is a panic.
/// `biased;` as the first token lets the order of the branches decide among what is done. There are at most eight branches.
///
/// The bodies are code of the workflow: they may await, and use `?`, `break`, `continue` and `return`.
#[proc_macro]
pub fn select(tokens: TokenStream) -> TokenStream {
    select::outside(&tokens.into()).into()
}

/// Makes a type a signal: fire and forget, sent to an instance by its id and received there with `recv`.
///
/// ```text
/// #[derive(Serialize, Deserialize, Signal)]
/// #[signal(name = "approve")]
/// struct Approve { by: String }
/// ```
///
/// `name` is what is stored, and must stay when the type is renamed; by default it is the type's name. `crate = path` says where
/// `durable` is found; default: `::durable`. A generic type can't be a signal, because a name is one type's.
#[proc_macro_derive(Signal, attributes(signal))]
pub fn signal(item: TokenStream) -> TokenStream {
    derive::expand(derive::Kind::Signal, item.into()).into()
}

/// Makes a type an update: sent to an instance, which answers it.
///
/// ```text
/// #[derive(Serialize, Deserialize, Update)]
/// #[update(output = Result<u64, CartError>)]
/// struct AddItem { sku: String, qty: u32 }
/// ```
///
/// `output` is the type of the answer and has no default. `name` and `crate` are as for a signal.
#[proc_macro_derive(Update, attributes(update))]
pub fn update(item: TokenStream) -> TokenStream {
    derive::expand(derive::Kind::Update, item.into()).into()
}

/// Makes a type one that an instance publishes: anyone may read its last value at any time.
///
/// ```text
/// #[derive(Serialize, Deserialize, Publish)]
/// struct Progress { done: u32, total: u32 }
/// ```
///
/// `#[publish(name = "..", crate = path)]` is as for a signal.
#[proc_macro_derive(Publish, attributes(publish))]
pub fn publish(item: TokenStream) -> TokenStream {
    derive::expand(derive::Kind::Publish, item.into()).into()
}
