//! Scopes: which operations are cancelled together.
//!
//! Locals are dropped at every suspension, so nothing can be cancelled by dropping it. An operation notes the scope in which it was
//! started, and a composition ends the scopes of its losers.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// Names a scope within its instance; taken from the same numbers as operations. 0 is the whole instance, and a spawned workflow's
/// scope has the number of its operation.
pub type ScopeId = u64;

/// What becomes of what was started in a scope and is still there when the scope ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It is cancelled.
    Cancel,
    /// It goes to the scope around.
    Adopt,
}

/// The scopes that are open, each with the one around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scopes(Vec<(ScopeId, ScopeId)>);

impl Scopes {
    pub(crate) fn open(&mut self, scope: ScopeId, around: ScopeId) {
        self.0.push((scope, around));
    }

    /// The scope around an open one.
    pub(crate) fn around(&self, scope: ScopeId) -> Option<ScopeId> {
        self.0.iter().find(|(open, _)| *open == scope).map(|(_, around)| *around)
    }

    /// These scopes with all that are open in them.
    pub(crate) fn within(&self, scopes: &[ScopeId]) -> Vec<ScopeId> {
        let mut within = scopes.to_vec();
        let mut known: HashSet<_> = scopes.iter().copied().collect();
        // A scope stands behind the one around it, unless that one was adopted: so until nothing is added.
        loop {
            let before = within.len();
            for (scope, around) in &self.0 {
                if known.contains(around) && known.insert(*scope) {
                    within.push(*scope);
                }
            }
            if within.len() == before {
                return within;
            }
        }
    }

    /// Only these stay open.
    pub(crate) fn keep(&mut self, scopes: &[ScopeId]) {
        self.0.retain(|(scope, _)| scopes.contains(scope));
    }

    /// An open scope stands in another one from now on.
    pub(crate) fn move_into(&mut self, scope: ScopeId, around: ScopeId) {
        if let Some((_, outer)) = self.0.iter_mut().find(|(open, _)| *open == scope) {
            *outer = around;
        }
    }

    pub(crate) fn close_all(&mut self, scopes: &HashSet<ScopeId>) {
        self.0.retain(|(scope, _)| !scopes.contains(scope));
    }

    pub(crate) fn close(&mut self, scopes: &[ScopeId]) {
        self.0.retain(|(scope, _)| !scopes.contains(scope));
    }

    /// What stood in these scopes stands in the one around them.
    pub(crate) fn adopt(&mut self, scopes: &[ScopeId], around: ScopeId) {
        for (_, outer) in &mut self.0 {
            if scopes.contains(outer) {
                *outer = around;
            }
        }
    }
}
