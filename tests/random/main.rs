//! The compiler against rustc: random functions, compiled as plain async functions and as `#[workflow]`s, which must give the
//! same result and make the same calls in the same order, in peace and with a crash at every suspension.
//!
//! [`generate`] writes programs that compile as plain async Rust by construction; [`run`] compiles them through the public face,
//! a few crates for hundreds of programs, and runs them on the real engine (`world.rs` is that crate's library); [`shrink`]
//! reduces what fails to a minimal program and prints it with both traces. [`sabotage`] holds the negative controls.
//!
//! A plain twin that does not compile is a mistake of the generator, a workflow that does not is one of the compiler: the
//! generator writes nothing that the [language](../../docs/language.md) refuses. `DURABLE_SEED` replays a run, `DURABLE_SCALE`
//! multiplies its size:
//!
//! ```text
//! DURABLE_SCALE=25 cargo test --test random       # 5,000 programs
//! DURABLE_SEED=4 cargo test --test random         # 200 others
//! ```
//!
//! Deliberately absent: a miniature of the engine. It would compile faster, and show less: the codec, the frames and the
//! store are on the way of every variable here.

mod coverage;
mod generate;
#[path = "../common/generated.rs"]
mod generated;
#[path = "../common/random.rs"]
mod random;
mod run;
mod sabotage;
mod shrink;
#[path = "../common/sizes.rs"]
mod sizes;
mod tree;
mod types;

use random::seed;
use run::{Case, Verdict, Workshop};
use sabotage::Sabotage;
use sizes::times;
use tree::{Program, Twin};

/// So many programs are compiled as one crate.
const BATCH: u64 = 200;
/// So many findings are made small; more would say no more.
const SHRUNK: usize = 3;

/// The programs of a run, in batches. Those of one seed are not those of another.
fn programs(seed: u64, batch: u64) -> Vec<Program> {
    (0..BATCH).map(|at| generate::generate((seed << 32) + batch * BATCH + at)).collect()
}

fn cases(programs: &[Program]) -> Vec<Case> {
    programs.iter().enumerate().map(|(at, program)| Case::of(program, at)).collect()
}

#[test]
fn random_functions_do_as_their_plain_twins_do() {
    let seed = seed();
    let workshop = Workshop::new("programs", 2);
    let (mut same, mut crashed, mut skipped) = (0, 0, 0);
    let mut coverage = coverage::Coverage::default();
    let mut findings = Vec::new();
    for batch in 0..times(1) {
        let programs = programs(seed, batch);
        let verdicts = workshop.run(&cases(&programs));
        for (at, (program, verdict)) in programs.into_iter().zip(verdicts).enumerate() {
            coverage.add(&program);
            match &verdict {
                Verdict::Same { crashes } => {
                    same += 1;
                    crashed += crashes;
                }
                Verdict::Long => skipped += 1,
                _ => findings.push((batch * BATCH + at as u64, program, verdict)),
            }
        }
    }
    println!(
        "{same} programs the same with {crashed} crashes, {skipped} too long, {} findings",
        findings.len()
    );
    println!("{coverage}");
    assert!(skipped * 10 <= same, "too many programs are too long to say anything");
    report(&findings);
}

/// Prints findings as minimal programs, and fails if there are any.
fn report(findings: &[(u64, Program, Verdict)]) {
    let workshop = Workshop::new("smaller", 2);
    for (shrunk, (number, program, verdict)) in findings.iter().enumerate() {
        println!("program {number}: {}", verdict.kind());
        let (program, verdict) = if shrunk < SHRUNK {
            shrink::shrink(&workshop, program, verdict, 60, |program, at| Some(Case::of(program, at)))
        } else {
            (program.clone(), verdict.clone())
        };
        println!("{}\n{verdict}", program.print(Twin::Flow, "minimal"));
    }
    assert!(findings.is_empty(), "{} findings, see above", findings.len());
}

#[test]
fn a_wrong_compiler_is_noticed() {
    let seed = seed();
    let mut controls = Vec::new();
    for mistake in [Sabotage::DropLiveVariable, Sabotage::SwapOperands] {
        let wrong = (0..).filter_map(|at| {
            let program = generate::generate_small((seed << 32) + at);
            let wrong = mistake.of(&program).into_iter().next()?;
            Some((mistake, program, wrong))
        });
        controls.extend(wrong.take(24));
    }
    let workshop = Workshop::new("control", 2);
    let cases: Vec<Case> = controls
        .iter()
        .enumerate()
        .map(|(at, (_, program, wrong))| Case::between(program, wrong, at))
        .collect();
    let verdicts = workshop.run(&cases);
    let mut smallest = None;
    for mistake in [Sabotage::DropLiveVariable, Sabotage::SwapOperands] {
        let of_it = || controls.iter().zip(&verdicts).filter(|((other, ..), _)| *other == mistake);
        let noticed: Vec<_> = of_it().filter(|(_, verdict)| verdict.kind() == "differs").collect();
        let unnoticed = of_it().filter(|(_, verdict)| matches!(verdict, Verdict::Same { .. })).count();
        println!("{mistake:?}: {} noticed, {unnoticed} not (or without a consequence)", noticed.len());
        // Most mistakes have no consequence: a variable is overwritten before it is read, control does not come there.
        assert!(noticed.len() >= 4, "{mistake:?} was not noticed");
        let least =
            noticed.into_iter().min_by_key(|((_, program, _), _)| program.print(Twin::Flow, "").len());
        smallest = smallest.or(least);
    }
    if let Some(((mistake, program, _), verdict)) = smallest {
        let wrong_case = |program: &Program, at: usize| {
            let wrong = mistake.of(program).into_iter().next()?;
            Some(Case::between(program, &wrong, at))
        };
        let (program, verdict) = shrink::shrink(&workshop, program, verdict, 12, wrong_case);
        let source = program.print(Twin::Plain, "");
        println!("{mistake:?}, shrunk:\n{source}{verdict}");
        let lines = source.lines().count();
        assert!(lines <= 20, "{mistake:?} was shrunk to {lines} lines only");
    }
}
