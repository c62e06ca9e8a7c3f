//! Compiles cases and runs them: each case is a plain twin and a workflow, in files of their own, so that an error has an owner.
//!
//! The cases are spread over a few executables of one generated crate. It is built until nothing is refused any more; what was refused
//! is out. An executable that dies takes one case with it and goes on behind that case.

use std::{
    collections::BTreeMap,
    fmt,
    fmt::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    generated::Generated,
    tree::{Program, Twin},
};

/// What a program is run with.
const INPUTS: &str = "[1, 4, 10]";
/// Cargo and rustc refuse in phases: what a later one refuses is seen when an earlier one is content.
const BUILDS_ENOUGH: usize = 12;

/// A pair of sources to be compared.
pub(crate) struct Case {
    pub(crate) plain: String,
    pub(crate) flow: String,
}

impl Case {
    pub(crate) fn of(program: &Program, at: usize) -> Self {
        Self::between(program, program, at)
    }

    /// The plain twin of one program and the workflow of another.
    pub(crate) fn between(plain: &Program, flow: &Program, at: usize) -> Self {
        let case = format!("case_{at}");
        Case { plain: plain.print(Twin::Plain, &case), flow: flow.print(Twin::Flow, &case) }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// So many suspensions were crashed, over all inputs.
    Same {
        crashes: u64,
    },
    Differs(String),
    /// It makes too many calls to be run.
    Long,
    /// The plain twin panics.
    Panics(String),
    /// The plain twin does not compile: the generator is wrong.
    PlainRefused(String),
    /// The workflow does not compile.
    FlowRefused(String),
    /// The process died.
    Died,
}

impl Verdict {
    /// Findings of one kind: what a shrinker must not leave.
    pub(crate) fn kind(&self) -> String {
        match self {
            Verdict::Same { .. } => "same".into(),
            Verdict::Differs(text) if text.contains("no result") => "no result".into(),
            Verdict::Differs(_) => "differs".into(),
            Verdict::Long => "long".into(),
            Verdict::Panics(_) => "panics".into(),
            Verdict::PlainRefused(_) => "plain refused".into(),
            // The message without what it names.
            Verdict::FlowRefused(text) => {
                text.lines().next().unwrap_or_default().split('`').step_by(2).collect::<Vec<_>>().join("`_`")
            }
            Verdict::Died => "died".into(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Differs(text) | Verdict::FlowRefused(text) => f.write_str(text),
            Verdict::Panics(text) => {
                write!(f, "the plain twin panics, which is a mistake of the generator: {text}")
            }
            Verdict::PlainRefused(text) => {
                write!(f, "the plain twin is refused, which is a mistake of the generator:\n{text}")
            }
            Verdict::Died => f.write_str("the process died"),
            Verdict::Same { .. } | Verdict::Long => f.write_str("nothing"),
        }
    }
}

/// A crate to build cases in.
pub(crate) struct Workshop {
    made: Generated,
    shards: usize,
}

impl Workshop {
    /// `name` tells the crates of tests apart that run side by side.
    pub(crate) fn new(name: &str, shards: usize) -> Self {
        Workshop { made: Generated::new(format!("random-{name}"), include_str!("manifest.toml")), shards }
    }

    /// The verdict over each case.
    pub(crate) fn run(&self, cases: &[Case]) -> Vec<Verdict> {
        let mut verdicts: BTreeMap<usize, Verdict> = BTreeMap::new();
        let mut built = false;
        for _ in 0..BUILDS_ENOUGH {
            self.write(cases, &verdicts);
            let refused = self.build();
            if refused.is_empty() {
                built = true;
                break;
            }
            verdicts.extend(refused);
        }
        assert!(built, "{}: still refused after {BUILDS_ENOUGH} builds", self.made.dir.display());
        for shard in 0..self.shards {
            let mine: Vec<usize> =
                self.shard(shard, cases.len()).filter(|at| !verdicts.contains_key(at)).collect();
            self.run_shard(shard, &mine, &mut verdicts);
        }
        assert!(verdicts.keys().copied().eq(0..cases.len()), "each case has a verdict");
        verdicts.into_values().collect()
    }

    fn shard(&self, shard: usize, cases: usize) -> impl Iterator<Item = usize> + use<> {
        (shard..cases).step_by(self.shards)
    }

    fn write(&self, cases: &[Case], refused: &BTreeMap<usize, Verdict>) {
        for (at, case) in cases.iter().enumerate() {
            let uses = |twin: &str| format!("use world::*;\nuse world::{twin}::*;\n\n");
            self.made.put(&format!("src/case_{at}_plain.rs"), &(uses("plain") + &case.plain));
            self.made.put(&format!("src/case_{at}_flow.rs"), &(uses("flow") + &case.flow));
        }
        for shard in 0..self.shards {
            let mut main = String::from("#![allow(warnings)]\n");
            let mut checks = String::new();
            for at in self.shard(shard, cases.len()).filter(|at| !refused.contains_key(at)) {
                for twin in ["plain", "flow"] {
                    let _ = writeln!(main, "#[path = \"../case_{at}_{twin}.rs\"]\nmod case_{at}_{twin};");
                }
                let _ = writeln!(
                    checks,
                    "    if from <= {at} {{ for n in {INPUTS} {{ world::check(\"{at}\", n, \
                     || case_{at}_plain::entry(n, world::make_order(n)), \
                     || case_{at}_flow::entry(n, world::make_order(n))); }} }}"
                );
            }
            let _ = write!(
                main,
                "fn main() {{\n    let from: usize = std::env::args().nth(1).unwrap().parse().unwrap();\n{checks}}}\n"
            );
            self.made.put_program(shard, &main);
        }
    }

    /// Builds, and gives back what was refused.
    fn build(&self) -> BTreeMap<usize, Verdict> {
        let output = self.made.build(&["--keep-going", "--message-format=json"]);
        let mut refused = BTreeMap::new();
        let stdout = String::from_utf8_lossy(&output.stdout);
        for line in stdout.lines().filter(|line| line.contains("\"compiler-message\"")) {
            let message: Value = serde_json::from_str(line).expect("cargo writes JSON");
            let message = &message["message"];
            let Some(rendered) = message["rendered"].as_str().filter(|_| message["level"] == "error") else {
                continue;
            };
            if let Some((at, plain)) = owner(message) {
                let verdict = if plain {
                    Verdict::PlainRefused(rendered.to_owned())
                } else {
                    Verdict::FlowRefused(rendered.to_owned())
                };
                // A plain twin that does not compile says all.
                if plain || !refused.contains_key(&at) {
                    refused.insert(at, verdict);
                }
            }
        }
        assert!(
            output.status.success() || !refused.is_empty(),
            "the generated crate {} does not build:\n{stdout}\n{}",
            self.made.dir.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        refused
    }

    fn run_shard(&self, shard: usize, cases: &[usize], verdicts: &mut BTreeMap<usize, Verdict>) {
        let mut from = 0;
        loop {
            let program = self.made.program(shard);
            let output = Command::new(&program)
                .arg(from.to_string())
                .stderr(Stdio::null())
                .output()
                .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
            for line in String::from_utf8_lossy(&output.stdout).lines() {
                let line: Value = serde_json::from_str(line).expect("a case reports in JSON");
                let at =
                    line["program"].as_str().and_then(|at| at.parse().ok()).expect("a case has a number");
                let verdict = verdict(&line);
                match verdicts.get_mut(&at) {
                    Some(Verdict::Same { crashes }) => match verdict {
                        Verdict::Same { crashes: more } => *crashes += more,
                        other => drop(verdicts.insert(at, other)),
                    },
                    Some(_) => {}
                    None => drop(verdicts.insert(at, verdict)),
                }
            }
            if output.status.success() {
                return;
            }
            let Some(died) = cases.iter().find(|at| **at >= from && !verdicts.contains_key(at)) else {
                return;
            };
            verdicts.insert(*died, Verdict::Died);
            from = died + 1;
        }
    }
}

/// The case that an error is about, and whether it is about its plain twin.
fn owner(message: &Value) -> Option<(usize, bool)> {
    let spans = message["spans"].as_array()?;
    let primary = spans.iter().filter(|span| span["is_primary"] == true);
    let file = primary.chain(spans).find_map(|span| {
        let file = span["file_name"].as_str()?;
        file.contains("case_").then_some(file)
    })?;
    let name = Path::new(file).file_stem()?.to_str()?.strip_prefix("case_")?;
    let (at, twin) = name.split_once('_')?;
    Some((at.parse().ok()?, twin == "plain"))
}

fn verdict(line: &Value) -> Verdict {
    let text = |name: &str| line[name]["result"].as_str().unwrap_or_default().to_owned();
    match line["verdict"].as_str() {
        Some("same") => Verdict::Same { crashes: line["crashes"].as_u64().unwrap_or_default() },
        Some("long") => Verdict::Long,
        Some("panics") => Verdict::Panics(text("plain")),
        _ => Verdict::Differs(difference(line)),
    }
}

/// Both traces, side by side.
fn difference(line: &Value) -> String {
    let calls = |name: &str| -> Vec<String> {
        let calls = line[name]["calls"].as_array().cloned().unwrap_or_default();
        calls.iter().map(|call| call.as_str().unwrap_or_default().to_owned()).collect()
    };
    let result = |name: &str| line[name]["result"].as_str().unwrap_or_default().to_owned();
    let (plain, flow) = (calls("plain"), calls("flow"));
    let mut text = format!("with n = {}, {}:\n", line["input"], line["how"].as_str().unwrap_or_default());
    let _ = writeln!(text, "  plain    {}\n  workflow {}", result("plain"), result("flow"));
    for at in 0..plain.len().max(flow.len()) {
        let (left, right) = (plain.get(at), flow.get(at));
        let mark = if left == right { ' ' } else { '!' };
        let shown = |call: Option<&String>| call.map_or("-", String::as_str).to_owned();
        let _ = writeln!(text, "{mark} {at:3}  plain {}  |  workflow {}", shown(left), shown(right));
    }
    text
}
