//! What would let a pending future move: a tree of operations, messages and the instance's cancellation.
//!
//! What a message is for: the parts of an `All` need one each, in source order; the parts of an `Any` may count on the same one,
//! because one of them wins. [`needed`] is the one place that says so.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{OperationId, depth::deeper};

/// What would let a pending future move.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wait {
    /// The operation's completion.
    Op(OperationId),
    /// A message in this queue of the instance's mailbox.
    Message(u64),
    /// That somebody cancels the instance.
    Cancelled,
    /// All of these.
    All(#[serde(deserialize_with = "deeper")] Vec<Wait>),
    /// Any one of these. Around a single wait it says that whoever waits acts when that moves, and does not end with it.
    Any(#[serde(deserialize_with = "deeper")] Vec<Wait>),
    /// All of these, or the first that ends in an error.
    FirstErr(#[serde(deserialize_with = "deeper")] Vec<Wait>),
}

/// What there is, as far as a wait asks of it.
pub(crate) trait Present {
    /// Whether the operation is done, and if so whether it failed.
    fn done(&self, id: OperationId) -> Option<bool>;
    /// How many messages of a queue there are for the taking.
    fn messages(&self, queue: u64) -> usize;
    /// Whether the instance is cancelled and nobody has handled it.
    fn cancelled(&self) -> bool;
}

/// How many messages of each queue are spoken for by what stands in front of a place in the tree.
pub(crate) type Spoken = HashMap<u64, usize>;

/// How many messages of its queue there must be for this leaf to be met.
pub(crate) fn needed(queue: u64, spoken: &mut Spoken) -> usize {
    let before = spoken.entry(queue).or_default();
    *before += 1;
    *before
}

impl Wait {
    /// Whether what is there is enough to move.
    pub(crate) fn is_met(&self, present: &dyn Present) -> bool {
        self.met(present, &mut Spoken::new()).is_some()
    }

    /// If it is met: whether by a failed operation.
    fn met(&self, present: &dyn Present, spoken: &mut Spoken) -> Option<bool> {
        match self {
            Wait::Op(id) => present.done(*id),
            Wait::Message(queue) => (present.messages(*queue) >= needed(*queue, spoken)).then_some(false),
            Wait::Cancelled => present.cancelled().then_some(false),
            // All of them are asked, so that each speaks for its messages.
            Wait::All(parts) => {
                let missing = parts.iter().filter(|part| part.met(present, spoken).is_none()).count();
                (missing == 0).then_some(false)
            }
            Wait::Any(parts) => {
                let met = |part: &Wait| part.met(present, &mut spoken.clone()).is_some();
                parts.iter().any(met).then_some(false)
            }
            Wait::FirstErr(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| part.met(present, spoken)).collect();
                let failed = parts.contains(&Some(true));
                (failed || !parts.contains(&None)).then_some(failed)
            }
        }
    }

    /// The operations named in this tree.
    pub fn operations(&self) -> Vec<OperationId> {
        match self {
            Wait::Op(id) => vec![*id],
            Wait::Message(_) | Wait::Cancelled => Vec::new(),
            Wait::All(parts) | Wait::Any(parts) | Wait::FirstErr(parts) => {
                parts.iter().flat_map(Wait::operations).collect()
            }
        }
    }

    /// Whether a part of it is the instance's cancellation.
    pub(crate) fn handles_cancellation(&self) -> bool {
        match self {
            Wait::Cancelled => true,
            Wait::Op(_) | Wait::Message(_) => false,
            Wait::All(parts) | Wait::Any(parts) | Wait::FirstErr(parts) => {
                parts.iter().any(Wait::handles_cancellation)
            }
        }
    }
}
