//! What a build would do with instances that a layout file allows for.

use std::fmt;

use serde::Serialize;

use crate::engine::CheckOutcome;

/// What a build would do with instances that a layout file allows for, by where they may stand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LockReport {
    /// Where instances may stand; those that would be parked come first.
    pub groups: Vec<LockGroup>,
    /// What this build has and the file has not: it is to be written before this build is released.
    pub missing: Vec<String>,
}

/// A place at which instances may stand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LockGroup {
    /// The stored name of their workflow; or of the activity, if it is about its calls.
    pub item: String,
    /// Where they stand, in the words of the build that wrote the file.
    pub place: String,
    /// What becomes of them.
    pub outcome: CheckOutcome,
    /// What can't be told without a store, and what is lost although they go on.
    pub notes: Vec<String>,
}

impl LockReport {
    /// The places at which instances would be parked.
    pub fn stranded(&self) -> impl Iterator<Item = &LockGroup> {
        self.groups.iter().filter(|group| matches!(group.outcome, CheckOutcome::Strands { .. }))
    }

    /// 0 if no instance would be parked, as far as can be told; 1 otherwise.
    pub fn exit_code(&self) -> i32 {
        i32::from(self.stranded().next().is_some())
    }

    /// Whether all that this build has is in the file.
    pub fn is_current(&self) -> bool {
        self.missing.is_empty()
    }

    /// The report as JSON: `{"groups": [{"item", "place", "outcome": {"outcome": "strands", "reason"}, "notes"}], "missing"}`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    pub(super) fn sort(&mut self) {
        self.groups.sort_by_cached_key(|group| (group.outcome.rank(), group.item.clone()));
    }
}

impl fmt::Display for LockReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, stranded) = (self.groups.len(), self.stranded().count());
        writeln!(f, "{all} places of instances in flight: at {stranded} they would be parked")?;
        for LockGroup { item, place, outcome, notes } in &self.groups {
            let what = match outcome {
                CheckOutcome::Resumes if notes.is_empty() => continue,
                CheckOutcome::Resumes => "resume".to_owned(),
                CheckOutcome::Migrates { workflows } => {
                    format!("resume after the `migrate` of {}", workflows.join(", "))
                }
                CheckOutcome::Converts { variables } => {
                    format!("resume, with {} converted", variables.join(", "))
                }
                CheckOutcome::Strands { .. } => "WOULD BE PARKED".to_owned(),
            };
            writeln!(f, "\n{item} at {place}: {what}")?;
            if let CheckOutcome::Strands { reason } = outcome {
                writeln!(f, "    {reason}")?;
            }
            notes.iter().try_for_each(|note| writeln!(f, "    {note}"))?;
        }
        if !self.is_current() {
            let missing = self.missing.join(", ");
            writeln!(
                f,
                "\nnot in the file yet: {missing}; write it with `DURABLE_LOCK=write` when this build is released"
            )?;
        }
        Ok(())
    }
}
