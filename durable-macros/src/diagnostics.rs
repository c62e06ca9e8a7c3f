//! Every mistake of a phase is collected and reported at once, at the user's own tokens.
//!
//! A message names what was written and the rewrite. What rustc says better is left to rustc.

use proc_macro2::{Span, TokenStream};

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// Notes a mistake.
    pub(crate) fn push(&mut self, span: Span, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new(span, message));
    }

    /// Notes a mistake that another parser found.
    pub(crate) fn push_error(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// Ends all phases.
    pub(crate) fn into_compile_errors(self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }

    /// Ends a phase.
    pub(crate) fn check(self) -> syn::Result<()> {
        let mut all = self.0.into_iter();
        let Some(mut first) = all.next() else {
            return Ok(());
        };
        for next in all {
            first.combine(next);
        }
        Err(first)
    }
}

/// An `.await` where the compiler can't see it.
pub(crate) const AWAIT_IN_MACRO: &str = "an await inside a macro's arguments can't be a resume point: bind it before, `let value = ....await;`, and use `value` here";
pub(crate) const AWAIT_IN_CLOSURE: &str = "an await inside a closure can't be a resume point: write a `for` loop with the await in its body, or move the code to a second `#[workflow]`";
pub(crate) const AWAIT_IN_ASYNC: &str = "an async block can't be saved in a snapshot: write its code in the workflow itself, or in a second `#[workflow]` and call that";
pub(crate) const AWAIT_IN_GUARD: &str = "an await in a match guard is not supported yet: bind it before the match, or test it with an `if` inside the arm";
pub(crate) const AWAIT_IN_UNSAFE: &str =
    "an await inside an unsafe block can't be a resume point: bind the awaited value before the block";
pub(crate) const COMPOUND_LEFT: &str = "the left side of a compound assignment with an await on its right is evaluated in another order than written: bind the awaited value before";
