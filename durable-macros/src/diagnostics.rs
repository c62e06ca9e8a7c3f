//! Every mistake of a phase is collected and reported at once, at the user's own tokens.
//!
//! A message names what was written and the rewrite. What rustc says better is left to rustc.

use proc_macro2::Span;

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
pub(crate) const GUARDED_ALTERNATIVES: &str = "two alternatives of this pattern may match the same value, and Rust would try the guard, which awaits, for each of them: write an arm for each alternative";
pub(crate) const ASSIGNED_PLACES: &str = "an await inside the left side of a destructuring assignment is evaluated in another order than written: bind the awaited index before";
pub(crate) const GLOB_IN_BLOCK: &str = "a glob import in an inner block that awaits would be seen by the whole function, and could hide other names there: import what you use by name, or move it to the top of the function";
pub(crate) const MACRO_OVER_LOCAL: &str = "a macro that mentions a local variable of the workflow hides where the variable is needed: give it as an argument of the macro";
pub(crate) const AWAIT_IN_UNSAFE: &str =
    "an await inside an unsafe block can't be a resume point: bind the awaited value before the block";
pub(crate) const DEFERRED_PATTERN: &str =
    "a deferred `let` of this pattern with a type can't be taken apart: declare each variable by itself";
pub(crate) const COMPOUND_LEFT: &str = "the left side of a compound assignment with an await on its right is evaluated in another order than written: bind the awaited value before";
