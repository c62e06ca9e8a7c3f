//! One long workflow: the time of a step against the steps before it, and the bytes.

use std::time::Instant;

use protocol::Kind;

use crate::{
    child::{self, Place},
    contenders::Contender,
    options::Options,
    stats::Sample,
    table::Table,
};

/// Parts of a run, each a twentieth of its steps: the first, those at a quarter, a half and three quarters, the last.
const PARTS: [usize; 5] = [0, 5, 10, 15, 19];

#[derive(Default)]
struct Row {
    parts: [Sample; PARTS.len()],
    whole: Sample,
    bytes: Sample,
    failed: Option<String>,
    slow: bool,
}

pub(crate) fn run(options: &Options, contenders: &[&Contender]) {
    for steps in &options.sequence {
        let mut heads = vec![String::from("durability")];
        heads.extend(PARTS.map(|part| {
            let width = steps / 20;
            format!("steps {} to {}", part as u64 * width + 1, (part as u64 + 1) * width)
        }));
        heads.extend([String::from("all of it, s"), String::from("bytes per step")]);
        let mut table =
            Table::new(&format!("One workflow of {steps} activities: microseconds per step"), &heads);
        for (contender, row) in contenders.iter().zip(measure(options, contenders, *steps)) {
            let mut cells = vec![contender.durability.to_owned()];
            if let Some(why) = row.failed {
                cells.push(table.note(&format!("{}: {why}", contender.name)));
                cells.extend(vec![String::from("-"); PARTS.len() + 1]);
            } else {
                cells.extend(row.parts.iter().map(Sample::show));
                cells.push(row.whole.show());
                cells.push(if contender.needs_postgres { "-".into() } else { row.bytes.show() });
            }
            table.row(contender.name, &cells);
        }
        table.print();
    }
}

fn measure(options: &Options, contenders: &[&Contender], steps: u64) -> Vec<Row> {
    let mut rows: Vec<Row> = contenders.iter().map(|_| Row::default()).collect();
    for round in 0..options.rounds {
        for (contender, row) in contenders.iter().zip(&mut rows) {
            if row.failed.is_some() || row.slow {
                continue;
            }
            eprintln!("sequence of {steps}, round {}: {}", round + 1, contender.name);
            let started = Instant::now();
            if let Err(why) = once(options, contender, steps, row) {
                row.failed = Some(why);
            }
            row.slow = started.elapsed() > options.enough;
        }
    }
    rows
}

fn once(options: &Options, contender: &Contender, steps: u64, row: &mut Row) -> Result<(), String> {
    if steps > contender.most_steps {
        return Err(format!("left out: more than {} activities take minutes", contender.most_steps));
    }
    let place = Place::new(options);
    let job = child::job(options, contender, &place, Kind::Sequence, [1, steps, 1]);
    let figures = child::run(options, contender, &job)?;
    let parts = figures.all("part_us");
    for (sample, part) in row.parts.iter_mut().zip(PARTS) {
        sample.add(*parts.get(part).ok_or("fails: no times of its parts")?);
    }
    row.whole.add(figures.one("elapsed_us") / 1e6);
    row.bytes.add(figures.one("to_disk") / steps as f64);
    Ok(())
}
