//! What is asked for on the command line.

use std::{path::PathBuf, time::Duration};

const JOBS: [&str; 5] = ["syncs", "fleet", "sequence", "resume", "build"];

/// What is run, and how much of it.
pub(crate) struct Options {
    jobs: Vec<String>,
    /// Workflows at once, for each run of the fleet.
    pub(crate) workflows: Vec<u64>,
    /// Activities of the one long workflow.
    pub(crate) sequence: Vec<u64>,
    /// Activities done before the kill.
    pub(crate) resume: Vec<u64>,
    pub(crate) rounds: usize,
    /// A process that takes longer is killed, and has no figure.
    pub(crate) limit: Duration,
    /// A contender that takes longer for one round has no further rounds of that job.
    pub(crate) enough: Duration,
    /// Where the stores are; removed at the end.
    pub(crate) dir: PathBuf,
    pub(crate) postgres: Option<String>,
    /// Parts of contenders' names; all if empty.
    pub(crate) only: Vec<String>,
    /// As it was typed.
    pub(crate) command: String,
}

impl Options {
    /// From what follows the program's name.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let arguments: Vec<String> = arguments.collect();
        let quick = arguments.iter().any(|argument| argument == "--quick");
        let mut options = if quick { Self::quick() } else { Self::whole() };
        options.command = command(&arguments);
        let mut rest = arguments.into_iter();
        while let Some(argument) = rest.next() {
            let mut value = || rest.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--quick" => {}
                "--workflows" => options.workflows = numbers(&value()?)?,
                "--sequence" => options.sequence = numbers(&value()?)?,
                "--resume" => options.resume = numbers(&value()?)?,
                "--rounds" => options.rounds = number(&value()?)?.max(1) as usize,
                "--limit" => options.limit = Duration::from_secs(number(&value()?)?),
                "--dir" => options.dir = PathBuf::from(value()?).join(own_name()),
                "--postgres" => options.postgres = Some(value()?),
                "--only" => options.only = value()?.split(',').map(str::to_owned).collect(),
                job if JOBS.contains(&job) => options.jobs.push(job.to_owned()),
                other => return Err(format!("no job or option `{other}`; README.md lists them")),
            }
        }
        if options.jobs.is_empty() {
            let all = JOBS.iter().filter(|job| !quick || **job != "build");
            options.jobs = all.map(|job| (*job).to_owned()).collect();
        }
        Ok(options)
    }

    fn whole() -> Self {
        Options {
            jobs: Vec::new(),
            workflows: vec![1, 100, 1_000],
            sequence: vec![1_000, 2_000],
            resume: vec![10, 100, 1_000, 2_000],
            rounds: 3,
            limit: Duration::from_secs(180),
            enough: Duration::from_secs(40),
            dir: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/stores")).join(own_name()),
            postgres: None,
            only: Vec::new(),
            command: String::new(),
        }
    }

    fn quick() -> Self {
        Options {
            workflows: vec![1, 20],
            sequence: vec![100],
            resume: vec![10, 100],
            rounds: 1,
            limit: Duration::from_secs(60),
            ..Self::whole()
        }
    }

    pub(crate) fn wants(&self, job: &str) -> bool {
        self.jobs.iter().any(|wanted| wanted == job)
    }
}

/// Without the address of the database and the directory, which are nobody's business.
fn command(arguments: &[String]) -> String {
    let mut words = vec!["cargo run --release --"];
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        words.push(argument);
        match argument.as_str() {
            "--postgres" => drop(arguments.next().map(|_| words.push("URL"))),
            "--dir" => drop(arguments.next().map(|_| words.push("DIR"))),
            _ => {}
        }
    }
    words.join(" ")
}

fn own_name() -> String {
    format!("run-{}", std::process::id())
}

fn number(text: &str) -> Result<u64, String> {
    text.replace('_', "").parse().map_err(|_| format!("`{text}` is no number"))
}

fn numbers(text: &str) -> Result<Vec<u64>, String> {
    text.split(',').map(number).collect()
}
