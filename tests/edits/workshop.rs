//! Compiles workflows with all their versions, a few executables of one generated crate, and runs them.

use std::{
    fmt::Write as _,
    process::{Command, Stdio},
    thread,
};

use serde::Deserialize;

use crate::{
    generated::Generated,
    tree::{Program, stored_name},
};

/// So many executables: two are compiled at once, and none is large.
const SHARDS: usize = 4;

/// A workflow and what it was edited to.
pub(crate) struct Case {
    pub(crate) old: Program,
    pub(crate) versions: Vec<Program>,
}

/// What was found, see `world.rs`.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Line {
    pub(crate) base: usize,
    pub(crate) at: usize,
    pub(crate) version: Option<usize>,
    pub(crate) outcome: String,
    pub(crate) text: String,
    pub(crate) calls: Vec<Vec<String>>,
}

/// A crate to build cases in.
pub(crate) struct Workshop(Generated);

impl Workshop {
    /// `name` tells the crates of tests apart that run side by side.
    pub(crate) fn new(name: &str) -> Self {
        Workshop(Generated::new(format!("edits-{name}"), include_str!("manifest.toml")))
    }

    /// What each version does from each await.
    pub(crate) fn run(&self, cases: &[Case]) -> Vec<Line> {
        self.write(cases);
        self.build();
        let run = |shard| {
            let program = self.0.program(shard);
            let output = Command::new(&program).stderr(Stdio::inherit()).output();
            let output = output.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
            assert!(output.status.success(), "{} died: {}", program.display(), output.status);
            let text = String::from_utf8(output.stdout).expect("JSON is text");
            let lines = text.lines().map(|line| serde_json::from_str(line).expect("it reports in JSON"));
            lines.collect::<Vec<Line>>()
        };
        thread::scope(|scope| {
            let halves: Vec<_> = (0..2)
                .map(|half| scope.spawn(move || (half..SHARDS).step_by(2).flat_map(run).collect::<Vec<_>>()))
                .collect();
            halves.into_iter().flat_map(|half| half.join().expect("it says itself why it panics")).collect()
        })
    }

    fn write(&self, cases: &[Case]) {
        for (at, case) in cases.iter().enumerate() {
            self.0.put(&format!("src/base_{at}.rs"), &source(at, case));
        }
        for shard in 0..SHARDS {
            let mut main = String::from("#![allow(warnings)]\n");
            let mut calls = String::new();
            for (at, case) in cases.iter().enumerate().skip(shard).step_by(SHARDS) {
                let _ = writeln!(main, "#[path = \"../base_{at}.rs\"]\nmod base_{at};");
                let versions: Vec<_> = (0..case.versions.len()).map(|n| names(at, n, case)).collect();
                let _ = writeln!(
                    calls,
                    "    world::base({at}, |engine| Box::pin(async move {{ \
                     engine.start(\"it\", base_{at}::old::flow({})).await.unwrap(); engine }}), &[{}]);",
                    crate::interpret::INPUT,
                    versions.join(", ")
                );
            }
            let _ = write!(main, "fn main() {{\n{calls}}}\n");
            self.0.put_program(shard, &main);
        }
    }

    fn build(&self) {
        let output = self.0.build(&[]);
        let errors = String::from_utf8_lossy(&output.stderr);
        let most = errors.lines().take(60).collect::<Vec<_>>().join("\n");
        assert!(output.status.success(), "{} does not build:\n{most}", self.0.dir.display());
    }
}

fn version_name(base: usize, version: usize) -> String {
    format!("b{base}e{version}")
}

/// The old and the new names of a version's functions.
fn names(base: usize, version: usize, case: &Case) -> String {
    let functions = 0..case.old.functions.len().min(case.versions[version].functions.len());
    let pairs = functions.map(|at| {
        let (old, new) =
            (stored_name(&format!("b{base}"), at), stored_name(&version_name(base, version), at));
        format!("(\"{old}\", \"{new}\")")
    });
    format!("&[{}]", pairs.collect::<Vec<_>>().join(", "))
}

fn source(base: usize, case: &Case) -> String {
    let module = |name: &str, text: &str| format!("pub mod {name} {{\nuse world::*;\n\n{text}}}\n\n");
    let mut out = module("old", &case.old.print(&format!("b{base}")));
    for (at, version) in case.versions.iter().enumerate() {
        out += &module(&format!("e{at}"), &version.print(&version_name(base, at)));
    }
    out
}
