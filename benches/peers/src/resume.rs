//! A workflow whose process is killed after so many activities: from the start of the next process to the
//! workflow's next activity.

use std::time::Instant;

use protocol::Kind;

use crate::{
    child::{self, Place},
    contenders::Contender,
    options::Options,
    stats::Sample,
    table::Table,
};

#[derive(Default)]
struct Cell {
    millis: Sample,
    failed: Option<String>,
    slow: bool,
}

pub(crate) fn run(options: &Options, contenders: &[&Contender]) {
    let mut heads = vec![String::from("durability")];
    heads.extend(options.resume.iter().map(|steps| format!("{steps} activities done")));
    let mut table =
        Table::new("Resume after a kill: milliseconds from the process's start to the next activity", &heads);
    let columns: Vec<Vec<Cell>> =
        options.resume.iter().map(|steps| measure(options, contenders, *steps)).collect();
    for (at, contender) in contenders.iter().enumerate() {
        let mut cells = vec![contender.durability.to_owned()];
        for column in &columns {
            cells.push(match &column[at].failed {
                Some(why) => table.note(&format!("{}: {why}", contender.name)),
                None => column[at].millis.show(),
            });
        }
        table.row(contender.name, &cells);
    }
    table.print();
}

fn measure(options: &Options, contenders: &[&Contender], steps: u64) -> Vec<Cell> {
    let mut cells: Vec<Cell> = contenders.iter().map(|_| Cell::default()).collect();
    for round in 0..options.rounds {
        for (contender, cell) in contenders.iter().zip(&mut cells) {
            if cell.failed.is_some() || cell.slow {
                continue;
            }
            eprintln!("resume after {steps}, round {}: {}", round + 1, contender.name);
            let started = Instant::now();
            let millis = once(options, contender, steps);
            cell.slow = started.elapsed() > options.enough;
            match millis {
                Ok(millis) => cell.millis.add(millis),
                Err(why) => cell.failed = Some(why),
            }
        }
    }
    cells
}

fn once(options: &Options, contender: &Contender, steps: u64) -> Result<f64, String> {
    if steps > contender.most_steps {
        return Err(format!("left out: more than {} activities take minutes", contender.most_steps));
    }
    let place = Place::new(options);
    let stand = child::job(options, contender, &place, Kind::Stand, [1, steps, 1]);
    child::stand_and_kill(options, contender, &stand)?;
    let resume = child::job(options, contender, &place, Kind::Resume, [1, steps, 1]);
    let figures = child::run(options, contender, &resume)?;
    match figures.one("ran_again") {
        0.0 => Ok(figures.one("progress_us") / 1e3),
        again => Err(format!("fails: {again} activities ran again")),
    }
}
