//! The row itself, its negative controls, and what the random programs are made of.

use super::generate::generate;
use super::program::{Expr, Stmt};
use super::sabotage::{Sabotage, Way};
use super::shrink::{shrink, visit_block};
use super::value::{OUT_OF_OPERATIONS, Value};
use super::{Failure, Verdict, check, lowered, program::Program};
use crate::ir::Term;
use std::collections::BTreeMap;

/// The programs of an everyday run.
const PROGRAMS: u64 = 100_000;
/// How many threads share them.
const THREADS: u64 = 2;
/// The programs of a negative control.
const CONTROLS: u64 = 3_000;

fn number(name: &str) -> u64 {
    std::env::var(name).ok().map_or(1, |text| text.parse().expect("a number"))
}

/// The seeds of a run, each of which is a program.
fn seeds(count: u64) -> impl Iterator<Item = u64> {
    let first = number("DURABLE_SEED").wrapping_mul(1_000_000_007);
    (0..count).map(move |at| first.wrapping_add(at))
}

/// What kind of failure it is, without its particulars.
fn kind(failure: &Failure) -> String {
    let stem = |text: &str| text.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default().to_owned();
    match (&failure.expected.0, &failure.found.0) {
        (Err(complaint), _) if complaint != OUT_OF_OPERATIONS => format!("no program: {}", stem(complaint)),
        (_, Err(complaint)) => stem(complaint),
        _ => "another result or other calls".to_owned(),
    }
}

/// The failure of a program, if it fails.
fn failure(program: &Program, args: &[Value], seed: u64, sabotage: &mut Sabotage) -> Option<Failure> {
    match check(program, args, seed, sabotage) {
        Verdict::Differs(failure) => Some(*failure),
        Verdict::Same | Verdict::Endless => None,
    }
}

/// The smallest program that fails in the same way, with both runs.
fn report(seed: u64, first: &Failure) -> String {
    let (program, args) = generate(seed);
    let wanted = kind(first);
    let mut fails = |program: &Program, args: &[Value]| {
        failure(program, args, seed, &mut Sabotage::none()).is_some_and(|failure| kind(&failure) == wanted)
    };
    let (program, args) = shrink(&program, &args, &mut fails);
    let small = failure(&program, &args, seed, &mut Sabotage::none());
    let Failure { pace, expected, found } = small.as_ref().unwrap_or(first);
    format!(
        "{wanted} (seed {seed}, suspending {pace:?}):\n{}as a tree: {:?}\n{:#?}\nas compiled: {:?}\n{:#?}\n",
        program.written(),
        expected.0,
        expected.1,
        found.0,
        found.1
    )
}

#[test]
fn random_programs_run_as_they_are_written() {
    let count = PROGRAMS * number("DURABLE_SCALE");
    println!("DURABLE_SEED={}", number("DURABLE_SEED"));
    let share = |thread: u64| {
        let mut endless = 0;
        let mut failures: BTreeMap<String, (u64, u64, Failure)> = BTreeMap::new();
        for seed in seeds(count).skip(thread as usize).step_by(THREADS as usize) {
            let (program, args) = generate(seed);
            match check(&program, &args, seed, &mut Sabotage::none()) {
                Verdict::Same => {}
                Verdict::Endless => endless += 1,
                Verdict::Differs(failure) => {
                    failures.entry(kind(&failure)).or_insert((0, seed, *failure)).0 += 1;
                }
            }
        }
        (endless, failures)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|thread| scope.spawn(move || share(thread))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a thread ends")).collect()
    });
    let endless: u64 = results.iter().map(|(endless, _)| endless).sum();
    println!("{count} programs, of which {endless} would run for ever and were left out");
    let mut reports = Vec::new();
    for (_, failures) in results {
        for (count, seed, first) in failures.into_values() {
            reports.push(format!("{count} times {}", report(seed, &first)));
        }
    }
    assert!(reports.is_empty(), "{}", reports.join("\n"));
    assert!(endless * 20 < count, "too many programs run for ever");
}

/// Of the programs that a broken compiler breaks in this way, how many in a hundred are noticed.
fn noticed(way: Way) -> u64 {
    let (mut broken, mut noticed) = (0, 0);
    for seed in seeds(CONTROLS) {
        let (program, args) = generate(seed);
        let mut sabotage = Sabotage::new(way, seed);
        let fails = failure(&program, &args, seed, &mut sabotage).is_some();
        broken += u64::from(sabotage.done);
        noticed += u64::from(sabotage.done && fails);
    }
    println!("{way:?}: {noticed} of {broken} noticed");
    assert!(broken > 50, "{way:?}: only {broken} programs had something to break");
    noticed * 100 / broken
}

#[test]
fn a_live_variable_that_is_not_saved_is_noticed() {
    assert!(noticed(Way::DropLive) >= 60);
}

#[test]
fn operands_in_another_order_are_noticed() {
    assert!(noticed(Way::SwapOperands) >= 15);
}

#[test]
fn a_loop_that_does_not_count_is_noticed() {
    assert!(noticed(Way::ForgetCount) >= 40);
}

#[test]
fn a_wrong_arm_is_noticed() {
    assert!(noticed(Way::WrongArm) >= 40);
}

#[test]
fn a_borrow_that_is_saved_is_noticed() {
    assert!(noticed(Way::SaveBorrow) >= 20);
}

/// The name of a variant, as `Debug` writes it.
fn variant(value: &dyn std::fmt::Debug) -> String {
    format!("{value:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// Every construct of the programs, and every kind of thing that they are lowered to.
const COVERED: &str = "\
    Int Bool Text Var Field Index Deref Ref Not Binary Call Method Await Try Tuple Array List Order Some None Ok Err If \
    Match Block Loop While For Break Continue Return Format Matches Assign Destructure Compound \
    let let-else deferred guard label \
    goto return if-term match-term dispatch declare set keep let-stmt \
    borrow borrowing-pattern counted-loop item-of-loop loop-in-loop slot";

#[test]
fn every_construct_is_generated() {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for seed in seeds(3_000) {
        let (program, _) = generate(seed);
        let mut count = |name: String| *counts.entry(name).or_default() += 1;
        visit_block(&program.body, &mut |part| {
            count(variant(part));
            match part {
                Expr::Match(_, arms) if arms.iter().any(|arm| arm.guard.is_some()) => {
                    count("guard".to_owned());
                }
                Expr::Loop(Some(_), _) | Expr::Block(Some(_), _) => count("label".to_owned()),
                _ => {}
            }
        });
        for stmt in &program.body.stmts {
            match stmt {
                Stmt::Let { otherwise: Some(_), .. } => count("let-else".to_owned()),
                Stmt::Let { .. } => count("let".to_owned()),
                Stmt::Deferred(_) => count("deferred".to_owned()),
                Stmt::Expr(_) => {}
            }
        }
        let (function, _) = lowered(&program.written()).expect("it compiles");
        lowered_kinds(&function).into_iter().for_each(|kind| count(kind.to_owned()));
    }
    println!("{counts:?}");
    for name in COVERED.split_whitespace() {
        assert!(counts.get(name).is_some_and(|count| *count >= 20), "{name} is hardly generated: {counts:?}");
    }
}

fn lowered_kinds(function: &crate::ir::Function) -> Vec<&'static str> {
    use crate::ir::Stmt;
    let mut kinds = Vec::new();
    for block in &function.blocks {
        kinds.push(match &block.term {
            Term::Never => "never",
            Term::Goto(_) => "goto",
            Term::Return(_) => "return",
            Term::If { .. } => "if-term",
            Term::Match { .. } => "match-term",
            Term::Dispatch { .. } => "dispatch",
        });
        kinds.extend(block.stmts.iter().map(|stmt| match stmt {
            Stmt::Keep(_) => "keep",
            Stmt::Declare(_) => "declare",
            Stmt::Set(..) => "set",
            Stmt::Let(_) => "let-stmt",
        }));
    }
    let items: Vec<usize> = function.loops.iter().filter_map(|looped| looped.items).collect();
    kinds.extend(function.loops.iter().filter(|looped| looped.parent.is_some()).map(|_| "loop-in-loop"));
    for (at, remat) in function.remats.iter().enumerate() {
        kinds.push(match remat.count {
            Some(_) => "counted-loop",
            None if items.contains(&at) => "item-of-loop",
            None if crate::lower::plain(&remat.pat).is_some() => "borrow",
            None => "borrowing-pattern",
        });
    }
    let live = crate::liveness::liveness(function);
    kinds.extend(crate::layout::layout(function, &live).slots.iter().map(|_| "slot"));
    kinds
}
