//! A step, as generated code passes it on.
//!
//! A debug build of a user's crate describes, in its debug information, every type that the crate names and all that these hold, down to the last
//! field. A step holds the codec, the frames, the instance and so the engine: two thousand types, which were the half of what a small crate
//! with a workflow was compiled for. What stands behind a trait object is not described; so whatever generated code is given holds the step
//! (and `activity::context` the attempt) by one.

use std::ops::{Deref, DerefMut};

use super::Step;

/// A step, and nothing else.
pub(crate) trait Lend {
    fn step(&self) -> &Step;
    fn step_mut(&mut self) -> &mut Step;
}

impl Lend for Step {
    fn step(&self) -> &Step {
        self
    }

    fn step_mut(&mut self) -> &mut Step {
        self
    }
}

/// A `&mut Step`.
pub(crate) struct Lent<'a>(&'a mut (dyn Lend + 'static));

impl<'a> Lent<'a> {
    /// Lends it further.
    pub(crate) fn again(&mut self) -> Lent<'_> {
        Lent(&mut *self.0)
    }

    /// Gives it back.
    pub(crate) fn back(self) -> &'a mut Step {
        self.0.step_mut()
    }
}

impl<'a> From<&'a mut Step> for Lent<'a> {
    fn from(step: &'a mut Step) -> Self {
        Lent(step)
    }
}

impl Deref for Lent<'_> {
    type Target = Step;

    fn deref(&self) -> &Step {
        self.0.step()
    }
}

impl DerefMut for Lent<'_> {
    fn deref_mut(&mut self) -> &mut Step {
        self.0.step_mut()
    }
}

impl std::fmt::Debug for Lent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.step().fmt(f)
    }
}
