//! What a build is made of: stored once per build, so that a snapshot's lines can be named even
//! when another build looks at it.

use serde::{Deserialize, Serialize};

use crate::{
    evolve::{PointId, PointTable},
    frame::KnownLayout,
    registry::Registry,
};

/// The workflows of one build.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Program {
    pub(crate) workflows: Vec<ProgramWorkflow>,
}

/// One workflow of a build.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ProgramWorkflow {
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) points: Vec<(PointId, u32)>,
}

impl Program {
    pub(crate) fn of(registry: &Registry) -> Self {
        let mut workflows: Vec<_> = registry
            .workflows
            .iter()
            .filter(|(name, entry)| **name == entry.meta.name)
            .map(|(_, entry)| ProgramWorkflow {
                name: entry.meta.name.into(),
                file: entry.meta.file.into(),
                line: entry.meta.line,
                points: PointTable::of(entry.meta)
                    .points
                    .into_iter()
                    .zip(entry.meta.points.iter().map(|point| point.line))
                    .collect(),
            })
            .collect();
        workflows.sort_by(|a, b| a.name.cmp(&b.name));
        Program { workflows }
    }

    /// File and line of a resume point, if this is the build whose point it is.
    pub(crate) fn place(&self, known: &KnownLayout) -> Option<(String, u32)> {
        let workflow = self.workflows.iter().find(|found| found.name == known.layout.workflow)?;
        let (point, line) = workflow.points.get(known.layout.point as usize)?;
        (point == known.point()).then(|| (workflow.file.clone(), *line))
    }
}
