//! Builds the contenders; and what a clean build of each costs.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
    time::Instant,
};

use crate::{contenders::Contender, options::Options, stats::digits, table::Table};

/// Of this workspace: they are nobody's dependencies.
const OWN: [&str; 2] = ["on-", "protocol"];

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// All of them as they are now, into the directory that this program was built into.
pub(crate) fn contenders() {
    let status = cargo().args(["build", "--release", "--workspace"]).status();
    assert!(status.is_ok_and(|status| status.success()), "the contenders build");
}

pub(crate) fn run(options: &Options, contenders: &[&Contender]) {
    let heads = ["crates", "seconds of a clean release build", "bytes of the executable, stripped"];
    let mut table = Table::new("Building a program with it", &heads.map(String::from));
    let mut done = BTreeSet::new();
    for contender in contenders {
        // The ways to run it are in one executable.
        if !done.insert(contender.package) {
            continue;
        }
        eprintln!("clean build: {}", contender.package);
        let cells = match (crates(contender), clean_build(options, contender)) {
            (Ok(crates), Ok((seconds, bytes))) => [crates.to_string(), digits(seconds), digits(bytes)],
            (Err(why), _) | (_, Err(why)) => [table.note(&why), "-".into(), "-".into()],
        };
        table.row(contender.package, &cells);
    }
    table.print();
}

/// That are built for a program with it: dependencies, their macros and build scripts.
fn crates(contender: &Contender) -> Result<usize, String> {
    let package = format!("on-{}", contender.package);
    let output = cargo()
        .args([
            "tree",
            "--package",
            &package,
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let names: BTreeSet<String> = text
        .lines()
        .map(|line| line.trim_end_matches(" (*)").split(" (").next().unwrap_or_default().to_owned())
        .filter(|name| !name.is_empty() && !OWN.iter().any(|own| name.starts_with(own)))
        .collect();
    if names.is_empty() { Err(String::from_utf8_lossy(&output.stderr).into_owned()) } else { Ok(names.len()) }
}

fn clean_build(options: &Options, contender: &Contender) -> Result<(f64, f64), String> {
    let target = options.dir.join(format!("build-{}", contender.package));
    let package = format!("on-{}", contender.package);
    let started = Instant::now();
    let status = cargo()
        .args(["build", "--release", "--offline", "--package", &package, "--target-dir"])
        .arg(&target)
        .env("CARGO_INCREMENTAL", "0")
        .stderr(Stdio::null())
        .status();
    let seconds = started.elapsed().as_secs_f64();
    let built = target.join("release").join(&package);
    let stripped = target.join("stripped");
    let _ = Command::new("strip").arg("-o").arg(&stripped).arg(&built).status();
    let bytes = std::fs::metadata(&stripped).or_else(|_| std::fs::metadata(&built)).map(|file| file.len());
    let _ = std::fs::remove_dir_all(&target);
    match (status, bytes) {
        (Ok(status), Ok(bytes)) if status.success() => Ok((seconds, bytes as f64)),
        _ => Err(format!("{package} does not build")),
    }
}
