//! Every mistake of a phase is collected and reported at once, at the user's own tokens.
//!
//! A message says in one line what was written and why it can't be, then the rewrite, then where to read more: a page in
//! `docs/errors`, whose examples are compiled by `tests/compile-fail`. What rustc says better is left to rustc.

use proc_macro2::{Span, TokenStream};
use std::fmt;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// Notes a mistake.
    pub(crate) fn push(&mut self, span: Span, message: impl fmt::Display) {
        self.0.push(syn::Error::new(span, message));
    }

    /// The name that a variable had before. If what says it is wrong, that is a mistake.
    pub(crate) fn was(&mut self, was: Result<Option<String>, Span>) -> Option<String> {
        was.unwrap_or_else(|at| {
            self.push(at, WAS);
            None
        })
    }

    /// Notes a mistake that another parser found.
    pub(crate) fn push_error(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
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

/// A message: what is wrong, what to write, and the page that explains it.
///
/// It is laid out as rustc lays out its own notes; a macro on stable Rust has one text only.
pub(crate) struct Refusal<What = &'static str, Help = &'static str> {
    pub(crate) what: What,
    pub(crate) help: Help,
    /// A file in `docs/errors`.
    pub(crate) page: &'static str,
}

impl<What: fmt::Display, Help: fmt::Display> fmt::Display for Refusal<What, Help> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n\n  = help: {}\n  = note: see docs/errors/{}.md", self.what, self.help, self.page)
    }
}

/// A message whose texts name what the user wrote.
pub(crate) fn refusal<What, Help>(what: What, help: Help, page: &'static str) -> Refusal<What, Help> {
    Refusal { what, help, page }
}

/// A warning.
pub(crate) const GUARD_RELEASED: Refusal = Refusal {
    what: "this guard is not used after the next await, so it is released there and does not protect what comes after",
    help: "put what it protects into a block of its own, without an await",
    page: "guard-released",
};

/// An `.await` where the compiler can't see it.
pub(crate) const AWAIT_IN_MACRO: Refusal = Refusal {
    what: "an await inside a macro's arguments can't be a resume point",
    help: "await first: `let value = ....await;`, and use `value` here",
    page: "await-in-macro",
};
pub(crate) const AWAIT_IN_CLOSURE: Refusal = Refusal {
    what: "an await inside a closure can't be a resume point",
    help: "write a `for` loop with the await in its body, or move the closure's code to a second `#[workflow]` and call that",
    page: "await-in-closure",
};
pub(crate) const AWAIT_IN_ASYNC: Refusal = Refusal {
    what: "an await inside an async block can't be a resume point: the block's state can't be stored",
    help: "write its code in the workflow itself, or in a second `#[workflow]` and call that",
    page: "await-in-async-block",
};
pub(crate) const AWAIT_IN_UNSAFE: Refusal = Refusal {
    what: "an await inside an unsafe block can't be a resume point: what the block relies on does not survive a restart",
    help: "await before the block and use the value in it, or do the unsafe work in an `#[activity]`",
    page: "await-in-unsafe",
};
pub(crate) const COMPOUND_LEFT: Refusal = Refusal {
    what: "the left side of this assignment has effects of its own, and would be evaluated in another order than written",
    help: "await first: `let value = ....await;`, and assign `value`",
    page: "compound-assignment",
};
pub(crate) const UNSUPPORTED_POSITION: Refusal = Refusal {
    what: "an await inside this expression is not supported yet",
    help: "await first: `let value = ....await;`, and use `value` here",
    page: "unsupported-position",
};
pub(crate) const RESUME_WITHOUT_AWAIT: Refusal = Refusal {
    what: "`#[resume]` names an await and there is none in this statement",
    help: "put it on the statement that awaits",
    page: "resume-name",
};
pub(crate) const RESUME_NAME: Refusal = Refusal {
    what: "a resume point's name is a string",
    help: "write `#[resume(\"after_payment\")]`",
    page: "resume-name",
};
pub(crate) const WAS: Refusal = Refusal {
    what: "`#[was]` gives the name that one variable had before",
    help: "write `#[was(\"old_name\")]` at a `let` or a parameter that binds a single name",
    page: "renamed-variable",
};

/// More awaits than rustc compiles in good time.
pub(crate) fn too_many_points(points: usize, limit: usize) -> impl fmt::Display {
    refusal(
        format!("this workflow has {points} resume points and {limit} is the limit"),
        "move a part of it to a second `#[workflow]` and call that",
        "too-many-awaits",
    )
}

// The signature of a workflow.

pub(crate) const NOT_ASYNC: Refusal =
    Refusal { what: "a workflow is an async function", help: "write `async fn`", page: "workflow-function" };
pub(crate) const CONST_FN: Refusal = Refusal {
    what: "a workflow can't be a const function: it runs in the engine",
    help: "leave out `const`",
    page: "workflow-function",
};
pub(crate) const UNSAFE_FN: Refusal = Refusal {
    what: "a workflow can't be an unsafe function: the engine calls it, and can give no promise",
    help: "leave out `unsafe`, and do the unsafe work in an `#[activity]`",
    page: "workflow-function",
};
pub(crate) const OTHER_ABI: Refusal = Refusal {
    what: "a workflow has Rust's own ABI: the engine calls it",
    help: "leave out `extern`",
    page: "workflow-function",
};
pub(crate) const VARIADIC: Refusal = Refusal {
    what: "a workflow has a fixed number of parameters",
    help: "take a `Vec`",
    page: "workflow-function",
};
pub(crate) const LIFETIME: Refusal = Refusal {
    what: "a workflow outlives every borrow, so it has no lifetime parameters",
    help: "leave the lifetime out: a `&T` parameter is cloned at the call",
    page: "workflow-parameter",
};

/// A type parameter of which nothing is known, hence not that it can be stored.
pub(crate) fn unbounded(param: &proc_macro2::Ident) -> impl fmt::Display {
    refusal(
        format!("an argument of type `{param}` is stored, and `{param}` need not be storable"),
        format!("write `{param}: serde::Serialize + serde::de::DeserializeOwned + 'static`"),
        "workflow-parameter",
    )
}
pub(crate) const SELF_PARAMETER: Refusal = Refusal {
    what: "a workflow has no `self` by reference: its arguments are stored",
    help: "take `self`, and call it on a clone",
    page: "workflow-parameter",
};
pub(crate) const SELF_TYPE: Refusal = Refusal {
    what: "only the `impl` block says what `Self` is",
    help: "write `#[workflow]` above the `impl` too",
    page: "impl-block",
};
pub(crate) const TRAIT_FUNCTION: Refusal = Refusal {
    what: "a workflow can't be a function of a trait",
    help: "write a function, or one of an `impl` block of the type's own",
    page: "workflow-function",
};
pub(crate) const NO_FUNCTION: Refusal = Refusal {
    what: "`#[workflow]` stands on an async function, or on an `impl` block with functions that have it too",
    help: "move it there",
    page: "workflow-function",
};
pub(crate) const MUT_PARAMETER: Refusal = Refusal {
    what: "a workflow can't change its caller's value: it works on a stored copy",
    help: "take the value and return the changed one",
    page: "workflow-parameter",
};
pub(crate) const IMPL_PARAMETER: Refusal = Refusal {
    what: "a workflow's arguments are stored, so their types have names",
    help: "use a type parameter in place of `impl Trait`",
    page: "workflow-parameter",
};
pub(crate) const NEVER: Refusal = Refusal {
    what: "a workflow that never returns can't be cancelled cleanly",
    help: "return `()`, and leave the loop when the workflow is cancelled",
    page: "workflow-result",
};
pub(crate) const IMPL_RESULT: Refusal = Refusal {
    what: "a workflow's result is stored, so its type has a name",
    help: "name the type in place of `impl Trait`",
    page: "workflow-result",
};
pub(crate) const GUARDED_ALTERNATIVES: Refusal = Refusal {
    what: "two alternatives of this pattern may match the same value, and Rust would try the guard, which awaits, for each of them",
    help: "write an arm for each alternative",
    page: "await-in-guard",
};
pub(crate) const ASSIGNED_PLACES: Refusal = Refusal {
    what: "an await inside the left side of a destructuring assignment is evaluated in another order than written",
    help: "await the index before the assignment",
    page: "compound-assignment",
};
pub(crate) const GLOB_IN_BLOCK: Refusal = Refusal {
    what: "a glob import in an inner block that awaits would be seen by the whole function, and could hide other names there",
    help: "import what you use by name, or move it to the top of the function",
    page: "unsupported-position",
};
pub(crate) const MACRO_OVER_LOCAL: Refusal = Refusal {
    what: "a macro that mentions a local variable of the workflow hides where the variable is needed",
    help: "give the variable as an argument of the macro",
    page: "unsupported-position",
};
pub(crate) const DEFERRED_PATTERN: Refusal = Refusal {
    what: "a deferred `let` of this pattern with a type can't be taken apart",
    help: "declare each variable by itself: `let a: A; let b: B;`",
    page: "unsupported-position",
};

// An `impl` block of workflows.

pub(crate) const NAME_OF_BLOCK: Refusal = Refusal {
    what: "a name is one workflow's, and this is a block of them",
    help: "give it to the function: `#[workflow(name = \"..\")]`",
    page: "impl-block",
};
pub(crate) const DEADLINE_OF_BLOCK: Refusal = Refusal {
    what: "a deadline is one workflow's, and this is a block of them",
    help: "give it to the function: `#[workflow(deadline = \"30d\")]`",
    page: "impl-block",
};
pub(crate) const MIGRATE_OF_BLOCK: Refusal = Refusal {
    what: "snapshots are one workflow's, and this is a block of them",
    help: "give it to the function: `#[workflow(migrate = path)]`",
    page: "impl-block",
};
pub(crate) const TRAIT_BLOCK: Refusal = Refusal {
    what: "a function of a trait can't be a workflow, because the trait says what it returns",
    help: "write it in an `impl` block of the type's own, and call it",
    page: "impl-block",
};
pub(crate) const EMPTY_BLOCK: Refusal = Refusal {
    what: "no function of this `impl` block is a workflow",
    help: "write `#[workflow]` above those that are",
    page: "impl-block",
};

/// More `#[cfg(..)]`s than combinations are worth compiling.
pub(crate) fn too_many_conditions(limit: usize) -> impl fmt::Display {
    refusal(
        format!(
            "a workflow is compiled once per combination of its `#[cfg(..)]`s, and this is one condition more than {limit}"
        ),
        "move the code under it to a function of its own",
        "unsupported-position",
    )
}
