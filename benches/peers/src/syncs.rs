//! How often each contender has the disk sync, counted by `strace`: what its durability is in fact.

use std::{path::Path, process::Command};

use protocol::Kind;

use crate::{
    child::{self, Place},
    contenders::Contender,
    options::Options,
    stats::digits,
    table::Table,
};

const STEPS: u64 = 10;
/// Two runs, of which only the difference counts: the opening and the warm-up are in both.
const REPEAT: [u64; 2] = [2, 22];

pub(crate) fn run(options: &Options, contenders: &[&Contender]) {
    let heads = [String::from("said"), String::from("fsync and fdatasync per workflow of ten activities")];
    let mut table = Table::new("One workflow at a time: syncs, counted by strace", &heads);
    for contender in contenders {
        eprintln!("syncs: {}", contender.name);
        let cell = match counts(options, contender) {
            _ if contender.needs_postgres => String::from("- (the server's)"),
            Ok(syncs) => digits(syncs.max(0.0)),
            Err(why) => table.note(&format!("{}: {why}", contender.name)),
        };
        table.row(contender.name, &[contender.durability.to_owned(), cell]);
    }
    table.print();
}

fn counts(options: &Options, contender: &Contender) -> Result<f64, String> {
    let [few, many] = REPEAT;
    Ok((count(options, contender, many)? - count(options, contender, few)?) / (many - few) as f64)
}

fn count(options: &Options, contender: &Contender, repeat: u64) -> Result<f64, String> {
    let place = Place::new(options);
    let job = child::job(options, contender, &place, Kind::Fleet, [1, STEPS, repeat]);
    let log = place.path().join("strace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=fsync,fdatasync", "-o"]).arg(&log);
    command.arg(child::executable(contender)).args(job.arguments());
    child::run_command(options, command).map_err(|why| format!("not counted with strace: {why}"))?;
    calls(&log)
}

/// Calls that began; one that another thread's line interrupts is two lines.
fn calls(log: &Path) -> Result<f64, String> {
    let text = std::fs::read_to_string(log).map_err(|error| error.to_string())?;
    let begun = text.lines().filter(|line| line.contains("sync(") && !line.contains("resumed>"));
    Ok(begun.count() as f64)
}
