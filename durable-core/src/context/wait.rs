//! What would let a pending future move: a tree of operations.

use serde::{Deserialize, Serialize};

use super::OperationId;

/// What would let a pending future move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wait {
    /// The operation's completion.
    Op(OperationId),
    /// All of these.
    All(Vec<Wait>),
    /// Any one of these.
    Any(Vec<Wait>),
    /// All of these, or the first that ends in an error.
    FirstErr(Vec<Wait>),
}

impl Wait {
    /// Whether what has been completed is enough to move.
    pub fn is_met(&self, done: &dyn Fn(OperationId) -> bool) -> bool {
        match self {
            Wait::Op(id) => done(*id),
            Wait::All(all) | Wait::FirstErr(all) => all.iter().all(|wait| wait.is_met(done)),
            Wait::Any(any) => any.iter().any(|wait| wait.is_met(done)),
        }
    }

    /// The operations named in this tree.
    pub fn operations(&self) -> Vec<OperationId> {
        match self {
            Wait::Op(id) => vec![*id],
            Wait::All(parts) | Wait::Any(parts) | Wait::FirstErr(parts) => {
                parts.iter().flat_map(Wait::operations).collect()
            }
        }
    }
}
