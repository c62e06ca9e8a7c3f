//! What a build is made of: stored once per build, so that a snapshot's lines can be named even
//! when another build looks at it.

use std::{io::Read, path::Path};

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::{frame::PointId, registry::Registry};

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
            .values()
            .map(|entry| ProgramWorkflow {
                name: entry.meta.name.into(),
                file: entry.meta.file.into(),
                line: entry.meta.line,
                points: (0..entry.meta.points.len())
                    .map(|index| {
                        (PointId::of(entry.meta.points, index), entry.meta.points[index].line)
                    })
                    .collect(),
            })
            .collect();
        workflows.sort_by(|a, b| a.name.cmp(&b.name));
        Program { workflows }
    }

    /// File and line of a resume point.
    pub(crate) fn place(&self, workflow: &str, point: &PointId) -> Option<(String, u32)> {
        let workflow = self.workflows.iter().find(|found| found.name == workflow)?;
        let (_, line) = workflow.points.iter().find(|(found, _)| found == point)?;
        Some((workflow.file.clone(), *line))
    }
}

/// The build that runs: a hash of the executable, because a hot fix changes no layout.
pub(crate) fn build_id() -> std::io::Result<u64> {
    hash_file(&std::env::current_exe()?)
}

fn hash_file(path: &Path) -> std::io::Result<u64> {
    let mut file = std::fs::File::open(path)?;
    let mut hash = Xxh3::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.digest()),
            n => hash.update(&buffer[..n]),
        }
    }
}
