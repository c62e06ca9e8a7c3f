//! Workflows of ten activities that do nothing, some at once: steps per second, and bytes per step.

use std::time::Instant;

use protocol::Kind;

use crate::{
    child::{self, Place},
    contenders::Contender,
    options::Options,
    stats::Sample,
    table::Table,
};

const STEPS: u64 = 10;

/// One contender's rounds.
#[derive(Default)]
struct Column {
    /// Steps per second, round by round.
    speeds: Vec<f64>,
    bytes: Sample,
    failed: Option<String>,
    slow: bool,
}

pub(crate) fn run(options: &Options, contenders: &[&Contender]) {
    let columns: Vec<Vec<Column>> =
        options.workflows.iter().map(|workflows| measure(options, contenders, *workflows)).collect();
    let mut heads = vec![String::from("durability")];
    for workflows in &options.workflows {
        heads.push(format!("{workflows} at once"));
        heads.push(format!("{} / it", contenders.first().map_or("", |first| first.name)));
    }
    let mut speeds = Table::new("Ten activities per workflow: steps per second", &heads);
    let heads: Vec<String> =
        options.workflows.iter().map(|workflows| format!("{workflows} at once")).collect();
    let mut bytes = Table::new("Ten activities per workflow: bytes written to the disk per step", &heads);
    for (at, contender) in contenders.iter().enumerate() {
        let mut cells = vec![contender.durability.to_owned()];
        let mut written = Vec::new();
        for column in &columns {
            let own = &column[at];
            let mut speed = Sample::default();
            own.speeds.iter().for_each(|steps| speed.add(*steps));
            if let Some(why) = &own.failed {
                cells.push(speeds.note(&format!("{}: {why}", contender.name)));
                cells.push(String::from("-"));
                written.push(String::from("-"));
            } else {
                cells.push(speed.show());
                cells.push(ratio(&column[0], own).show());
                written.push(if contender.needs_postgres { "-".into() } else { own.bytes.show() });
            }
        }
        speeds.row(contender.name, &cells);
        bytes.row(contender.name, &written);
    }
    speeds.print();
    bytes.print();
}

/// Round by round.
fn ratio(first: &Column, other: &Column) -> Sample {
    let mut ratio = Sample::default();
    for (first, other) in first.speeds.iter().zip(&other.speeds) {
        ratio.add(first / other);
    }
    ratio
}

fn measure(options: &Options, contenders: &[&Contender], workflows: u64) -> Vec<Column> {
    let mut columns: Vec<Column> = contenders.iter().map(|_| Column::default()).collect();
    for round in 0..options.rounds {
        for (contender, column) in contenders.iter().zip(&mut columns) {
            if column.failed.is_some() || column.slow {
                continue;
            }
            eprintln!("fleet of {workflows}, round {}: {}", round + 1, contender.name);
            let started = Instant::now();
            let figures = once(options, contender, workflows);
            column.slow = started.elapsed() > options.enough;
            match figures {
                Ok((speed, bytes)) => {
                    column.speeds.push(speed);
                    column.bytes.add(bytes);
                }
                Err(why) => column.failed = Some(why),
            }
        }
    }
    columns
}

fn once(options: &Options, contender: &Contender, workflows: u64) -> Result<(f64, f64), String> {
    // A short run says little: so many activities it has at least.
    const LEAST: u64 = 200;
    let least = LEAST.min(contender.most_steps);
    let repeat = (least / (workflows * STEPS)).max(1);
    if workflows * STEPS * repeat > contender.most_steps {
        return Err(format!("left out: more than {} activities take minutes", contender.most_steps));
    }
    let place = Place::new(options);
    let job = child::job(options, contender, &place, Kind::Fleet, [workflows, STEPS, repeat]);
    let figures = child::run(options, contender, &job)?;
    let steps = figures.one("steps");
    Ok((steps / figures.one("elapsed_us") * 1e6, figures.one("to_disk") / steps))
}
