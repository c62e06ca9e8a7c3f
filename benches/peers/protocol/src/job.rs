//! What a contender is told to do.

use std::path::PathBuf;

/// The jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Many workflows at once, from the first start to the last result.
    Fleet,
    /// One long workflow, with the time of each step.
    Sequence,
    /// Makes the steps and then stands at its gate until it is killed.
    Stand,
    /// Opens what a killed process left and goes through the gate.
    Resume,
}

const KINDS: [(Kind, &str); 4] =
    [(Kind::Fleet, "fleet"), (Kind::Sequence, "sequence"), (Kind::Stand, "stand"), (Kind::Resume, "resume")];

/// One job.
#[derive(Clone, Debug)]
pub struct Job {
    pub kind: Kind,
    /// How the contender is set up: one of its own words.
    pub mode: String,
    /// A directory that is empty, or that holds what a killed process left.
    pub dir: PathBuf,
    /// How many workflows run at once.
    pub workflows: u64,
    /// Activities of each workflow.
    pub steps: u64,
    /// How often a fleet runs, one after the other.
    pub repeat: u64,
    /// A `PostgreSQL` database, for those who need one.
    pub postgres: Option<String>,
}

impl Job {
    /// As command-line arguments.
    pub fn arguments(&self) -> Vec<String> {
        let kind = KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or("", |(_, name)| name);
        let mut arguments = vec![
            kind.to_owned(),
            self.mode.clone(),
            self.dir.display().to_string(),
            self.workflows.to_string(),
            self.steps.to_string(),
            self.repeat.to_string(),
        ];
        arguments.extend(self.postgres.clone());
        arguments
    }

    /// From command-line arguments.
    ///
    /// # Panics
    ///
    /// If they are not what [`arguments`](Self::arguments) gives.
    pub fn from_arguments() -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let [kind, mode, dir, workflows, steps, repeat, rest @ ..] = &arguments[..] else {
            panic!("the arguments are KIND MODE DIR WORKFLOWS STEPS REPEAT [POSTGRES]; the runner gives them")
        };
        let number = |text: &String| text.parse().expect("a number");
        Job {
            kind: KINDS.iter().find(|(_, name)| name == kind).expect("a known job").0,
            mode: mode.clone(),
            dir: dir.into(),
            workflows: number(workflows),
            steps: number(steps),
            repeat: number(repeat),
            postgres: rest.first().cloned(),
        }
    }
}
