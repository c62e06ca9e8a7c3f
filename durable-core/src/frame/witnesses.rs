//! What types a workflow's variables are of, found out without an instance.
//!
//! The machine is polled with a frame that has no snapshot. It asks for the proof of each variable that a point saves, which tells the
//! frame its type, and suspends. With a value for each variable of a point it goes on to that point and says which future it awaits there; with
//! a value for the future too, it is inspected, and who is called in it is noted. It is never polled, and no user code runs but `Deserialize`,
//! and what makes borrows again.
//!
//! Deliberately absent: where the values come from (`lock`).

use crate::codec::{TypeOf, Value};

/// What a frame without a snapshot learns.
#[derive(Debug, Default)]
pub(crate) struct Learning {
    /// The resume point to go to, from 1; 0: none.
    pub(crate) point: u32,
    /// For each variable that the point loads, a value.
    pub(crate) values: Vec<Value>,
    /// The state of the future that it awaits.
    pub(crate) future: Option<Value>,
    /// The types of the variables, by the number of their witness.
    pub(crate) types: Vec<&'static TypeOf>,
    /// The type of the future that is awaited at the point.
    pub(crate) awaits: Option<TypeOf>,
    /// Whom it calls.
    pub(crate) calls: Vec<Callee>,
}

/// Who is called by a future, by his name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Callee {
    Activity(String),
    Workflow(String),
}

impl Learning {
    /// To go to a point, with a value for each variable that it loads.
    pub(crate) fn at(point: u32, values: Vec<Value>, future: Option<Value>) -> Self {
        Learning { point, values, future, ..Self::default() }
    }

    /// The value of a variable by its place among those that are loaded, the future first.
    pub(super) fn value(&self, at: usize) -> Option<&Value> {
        match at.checked_sub(1) {
            None => self.future.as_ref(),
            Some(at) => self.values.get(at),
        }
    }
}
