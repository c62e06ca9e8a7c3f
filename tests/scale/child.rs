//! A test that runs once more in a process of its own: what a process takes at most is only known of the whole of it.

use std::fmt::Display;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

const JOB: &str = "DURABLE_SCALE_JOB";
const FILE: &str = "DURABLE_SCALE_FILE";
const SAYS: &str = "measured: ";

/// What this process was started for, and the file that it is about; nothing in the process of the test itself.
pub(crate) fn job() -> Option<(String, std::path::PathBuf)> {
    Some((std::env::var(JOB).ok()?, std::env::var_os(FILE)?.into()))
}

fn command(test: &str, job: &str, file: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a test has an executable"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(JOB, job).env(FILE, file).stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Runs a test in a process of its own until it ends, and gives the numbers that it has said.
pub(crate) fn measured(test: &str, job: &str, file: &Path) -> Vec<u64> {
    let output = command(test, job, file).output().expect("a child process starts");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{job} failed: {printed}");
    let line =
        printed.lines().find_map(|line| Some(line.split_once(SAYS)?.1)).expect("it has said something");
    line.split(' ').map(|number| number.parse().expect("it is a number")).collect()
}

/// Runs a test in a process of its own until it says something, and kills it with SIGKILL.
pub(crate) fn killed(test: &str, job: &str, file: &Path) {
    let mut child = command(test, job, file).spawn().expect("a child process starts");
    let said = BufReader::new(child.stdout.take().expect("it is piped"));
    let said = said.lines().map_while(Result::ok).any(|line| line.contains(SAYS));
    child.kill().expect("it runs until it is killed");
    child.wait().expect("a child can be waited for");
    assert!(said, "{job} ended before it had said something");
}

/// Says numbers to the parent.
pub(crate) fn say(numbers: &[&dyn Display]) {
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    println!("{SAYS}{}", numbers.join(" "));
}
