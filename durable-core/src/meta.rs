//! What the compiler says about a workflow: constant data, emitted beside the machine.

use crate::frame::Migration;

/// A compiled workflow.
#[derive(Debug)]
pub struct WorkflowMeta {
    /// The stored name.
    pub name: &'static str,
    /// The names that it was stored under before.
    pub was: &'static [&'static str],
    /// The stored parameters: the name of each, and the names that it had before.
    pub args: &'static [&'static [&'static str]],
    /// Module path and function name.
    pub function: &'static str,
    /// Source file.
    pub file: &'static str,
    /// Line of the function's name.
    pub line: u32,
    /// How long an instance may take that is started without a deadline of its own, in milliseconds from its start.
    pub deadline_ms: Option<u64>,
    /// Makes a snapshot of another build one that this build resumes.
    pub migrate: Option<&'static dyn Migration>,
    /// What can come first: resume points by number; 0 is the end.
    pub first: &'static [u32],
    /// The resume points in source order: `points[0]` is resume point 1.
    pub points: &'static [PointMeta],
}

/// A place at which a workflow can stand still.
#[derive(Debug)]
pub struct PointMeta {
    /// The user's `#[resume("..")]`.
    pub name: Option<&'static str>,
    /// What an older build called it in a message, `charge#2`.
    pub was: Option<&'static str>,
    /// Variables with the names that older snapshots have for them.
    pub renamed: &'static [(&'static str, &'static str)],
    /// What is awaited.
    pub callee: &'static str,
    /// The enclosing loops, branches and blocks.
    pub path: &'static str,
    /// The binding that the awaited value initialises, or nothing.
    pub binding: &'static str,
    /// The tokens of the call's arguments.
    pub args: &'static str,
    /// Source line.
    pub line: u32,
    /// Source column.
    pub column: u32,
    /// The names of what is saved here, in the order in which it is saved, with a NUL between them: see [`vars`](Self::vars). One token, as
    /// the two below: an array behind a reference would be a constant of its own, to be compiled and evaluated for each point.
    pub vars: &'static str,
    /// The number of each one's witness, in two bytes, the low one first.
    pub witnesses: &'static [u8],
    /// What can come next: resume points by number; 0 is the end.
    pub next: &'static [u8],
}

impl PointMeta {
    /// The names of what is saved here, in the order in which it is saved.
    pub fn vars(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.vars.split('\0').filter(|name| !name.is_empty())
    }

    /// A point without a name: what is awaited, the path to it, the binding, the arguments; line, column; what is saved,
    /// by its names and its witnesses; and what is next.
    pub const fn new(
        [callee, path, binding, args]: [&'static str; 4],
        line: u32,
        column: u32,
        vars: &'static str,
        witnesses: &'static [u8],
        next: &'static [u8],
    ) -> Self {
        Self {
            name: None,
            was: None,
            renamed: &[],
            callee,
            path,
            binding,
            args,
            line,
            column,
            vars,
            witnesses,
            next,
        }
    }

    /// The same under a name.
    #[must_use]
    pub const fn named(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// The same, and what it was in an older build.
    #[must_use]
    pub const fn was(mut self, was: &'static str) -> Self {
        self.was = Some(was);
        self
    }

    /// The same, with variables that had other names.
    #[must_use]
    pub const fn renamed(mut self, renamed: &'static [(&'static str, &'static str)]) -> Self {
        self.renamed = renamed;
        self
    }
}
