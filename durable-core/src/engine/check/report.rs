//! What was found, by resume point.

use std::{collections::HashMap, fmt};

use serde::Serialize;

/// So many ids of a group are named.
const NAMED: usize = 5;

/// What a build would do with the instances of a store: the instances by where they stand and what becomes of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckReport {
    /// The instances that stand at one place and fare alike; those that strand come first.
    pub groups: Vec<CheckGroup>,
}

/// Instances that stand at one place and fare alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckGroup {
    /// The stored name of their workflow.
    pub workflow: String,
    /// Where they stand, in the words of the build that saved them: file and line, what is awaited, and in which branch.
    pub place: String,
    /// What becomes of them.
    pub outcome: CheckOutcome,
    /// How many they are.
    pub instances: u64,
    /// The ids of the first five.
    pub ids: Vec<String>,
}

/// What becomes of an instance under a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
#[non_exhaustive]
pub enum CheckOutcome {
    /// It resumes as it is.
    Resumes,
    /// It resumes, and these variables are of another type now and were read by the names in them.
    Converts {
        /// Their names.
        variables: Vec<String>,
    },
    /// It resumes with what the `migrate` of these workflows makes of it.
    Migrates {
        /// Their names.
        workflows: Vec<String>,
    },
    /// It would be parked; a build that has what it needs resumes it.
    Strands {
        /// Why, and what would help.
        reason: String,
    },
}

impl CheckOutcome {
    /// Of two parts of one instance: the worse counts.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (strands @ CheckOutcome::Strands { .. }, _) | (_, strands @ CheckOutcome::Strands { .. }) => {
                strands
            }
            (CheckOutcome::Migrates { mut workflows }, CheckOutcome::Migrates { workflows: more }) => {
                workflows.extend(more);
                CheckOutcome::Migrates { workflows }
            }
            (migrates @ CheckOutcome::Migrates { .. }, _) | (_, migrates @ CheckOutcome::Migrates { .. }) => {
                migrates
            }
            (CheckOutcome::Converts { mut variables }, CheckOutcome::Converts { variables: more }) => {
                variables.extend(more);
                CheckOutcome::Converts { variables }
            }
            (converts @ CheckOutcome::Converts { .. }, _) | (_, converts) => converts,
        }
    }

    pub(crate) fn rank(&self) -> u8 {
        match self {
            CheckOutcome::Strands { .. } => 0,
            CheckOutcome::Migrates { .. } => 1,
            CheckOutcome::Converts { .. } => 2,
            CheckOutcome::Resumes => 3,
        }
    }
}

impl CheckReport {
    /// How many instances were looked at.
    pub fn instances(&self) -> u64 {
        self.groups.iter().map(|group| group.instances).sum()
    }

    /// How many of them would be parked.
    pub fn stranded(&self) -> u64 {
        let stranded = |group: &&CheckGroup| matches!(group.outcome, CheckOutcome::Strands { .. });
        self.groups.iter().filter(stranded).map(|group| group.instances).sum()
    }

    /// 0 if all instances resume, 1 if one or more would be parked: for a deploy script.
    pub fn exit_code(&self) -> i32 {
        i32::from(self.stranded() > 0)
    }

    /// The report as JSON: `{"groups": [{"workflow", "place", "outcome": {"outcome": "strands", "reason"}, "instances", "ids"}]}`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// What was found, while instances are looked at.
#[derive(Default)]
pub(super) struct Tally {
    /// By workflow, place, and what is the matter: a reason may tell of one instance's values.
    groups: HashMap<(String, String, String), CheckGroup>,
}

impl Tally {
    pub(super) fn add(&mut self, id: String, workflow: String, place: String, found: Found) {
        let key = (workflow.clone(), place.clone(), found.matter);
        let group = self.groups.entry(key).or_insert_with(|| CheckGroup {
            workflow,
            place,
            outcome: found.outcome,
            instances: 0,
            ids: Vec::new(),
        });
        group.instances += 1;
        if group.ids.len() < NAMED {
            group.ids.push(id);
        }
    }

    pub(super) fn report(self) -> CheckReport {
        let mut groups: Vec<_> = self.groups.into_values().collect();
        groups.sort_by_cached_key(|group| {
            (group.outcome.rank(), group.workflow.clone(), group.place.clone(), group.ids.clone())
        });
        CheckReport { groups }
    }
}

/// What was found of an instance, or of a part of it.
pub(super) struct Found {
    pub(super) outcome: CheckOutcome,
    /// Instances with the same are a group.
    pub(super) matter: String,
}

impl Found {
    pub(super) fn resumes() -> Self {
        Found { outcome: CheckOutcome::Resumes, matter: String::new() }
    }

    pub(super) fn converts(variables: Vec<String>) -> Self {
        let matter = format!("converts {}", variables.join(", "));
        Found { outcome: CheckOutcome::Converts { variables }, matter }
    }

    pub(super) fn migrates(workflows: Vec<String>) -> Self {
        let matter = format!("migrates {}", workflows.join(", "));
        Found { outcome: CheckOutcome::Migrates { workflows }, matter }
    }

    pub(super) fn strands(reason: String) -> Self {
        Found { matter: reason.clone(), outcome: CheckOutcome::Strands { reason } }
    }

    /// The same, with a reason that tells of one instance's values.
    pub(super) fn over(self, matter: String) -> Self {
        Found { matter, ..self }
    }

    /// Of two parts of one instance.
    pub(super) fn and(self, other: Self) -> Self {
        let mut matter = self.matter;
        if matter.is_empty() {
            matter = other.matter;
        } else if !other.matter.is_empty() && other.matter != matter {
            matter = format!("{matter}\n{}", other.matter);
        }
        Found { outcome: self.outcome.and(other.outcome), matter }
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, stranded) = (self.instances(), self.stranded());
        writeln!(f, "{all} instances in flight: {} resume, {stranded} would be parked", all - stranded)?;
        for CheckGroup { workflow, place, outcome, instances, ids } in &self.groups {
            let what = match outcome {
                CheckOutcome::Resumes => "resume as they are".to_owned(),
                CheckOutcome::Converts { variables } => {
                    format!("resume, with {} converted", variables.join(", "))
                }
                CheckOutcome::Migrates { workflows } => {
                    format!("resume after the `migrate` of {}", workflows.join(", "))
                }
                CheckOutcome::Strands { .. } => "WOULD BE PARKED".to_owned(),
            };
            writeln!(f, "\n{instances} of {workflow} at {place}: {what}")?;
            if let CheckOutcome::Strands { reason } = outcome {
                let more = if *instances as usize > ids.len() { ", .." } else { "" };
                writeln!(f, "    {reason}")?;
                writeln!(f, "    {}{more}", ids.join(", "))?;
            }
        }
        Ok(())
    }
}
