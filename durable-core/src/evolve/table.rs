//! The resume points of a workflow, as they are stored.

use serde::{Deserialize, Serialize};

use crate::meta::{PointMeta, WorkflowMeta};

/// What tells a resume point from others in a changed program.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct PointId {
    /// The user's own name for it.
    pub name: Option<String>,
    /// What is awaited.
    pub callee: String,
    /// The enclosing loops, branches and blocks.
    pub path: String,
    /// The binding it initialises, or nothing.
    pub binding: String,
    /// The tokens of the call's arguments.
    pub args: String,
}

impl PointId {
    fn of(point: &PointMeta) -> Self {
        PointId {
            name: point.name.map(Into::into),
            callee: point.callee.into(),
            path: point.path.into(),
            binding: point.binding.into(),
            args: point.args.into(),
        }
    }

    /// How a message and `#[resume(was = "..")]` name the point `at`: by what it awaits and which of those it is, from 1.
    pub(super) fn reference(points: &[PointId], at: usize) -> String {
        let callee = &points[at].callee;
        let rank = points[..=at].iter().filter(|point| point.callee == *callee).count();
        format!("{callee}#{rank}")
    }

    /// The path without the ordinals, which change when a branch is added in front: `for/if.then` for `for/if#2.then`.
    pub(super) fn place(&self) -> String {
        let mut place = String::with_capacity(self.path.len());
        let mut parts = self.path.split('#');
        place.extend(parts.next());
        for part in parts {
            place += part.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        place
    }
}

impl std::fmt::Display for PointId {
    /// As a person writes it: `"paid"`, or `charge(&order, total)` in `for item/if.then`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "\"{name}\", ")?;
        }
        write!(f, "`{}({})`", self.callee, tidy(&self.args))?;
        if !self.path.is_empty() {
            write!(f, " in {}", self.path)?;
        }
        Ok(())
    }
}

/// Tokens between single spaces, closer to how a person writes them.
fn tidy(tokens: &str) -> String {
    let mut text = tokens.to_owned();
    for (from, to) in [
        (" :: ", "::"),
        (" . ", "."),
        (" ( ", "("),
        ("( ", "("),
        (" )", ")"),
        (" ,", ","),
        ("& ", "&"),
        (" !", "!"),
        (" ?", "?"),
    ] {
        text = text.replace(from, to);
    }
    text
}

/// All resume points of a workflow, in source order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PointTable {
    pub points: Vec<PointId>,
}

impl PointTable {
    /// How a message and `#[resume(was = "..")]` name the point `at`.
    pub(crate) fn reference(&self, at: usize) -> String {
        PointId::reference(&self.points, at)
    }

    pub(crate) fn of(meta: &WorkflowMeta) -> Self {
        PointTable { points: meta.points.iter().map(PointId::of).collect() }
    }
}
