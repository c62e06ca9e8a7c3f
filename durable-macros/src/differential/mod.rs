//! Is the compiler correct? Random programs, run twice: their tree, directly; and the text that the compiler emits for them,
//! with a restore at every suspension from a snapshot that holds what the point saves and nothing else.
//!
//! `generate` (and `express`) make a `program`; `direct` says what it means; `code` reads the emitted text and `machine` runs
//! it; `shrink` makes a failing program small; `sabotage` breaks the compiler, for the negative controls. The machine
//! interprets the text and not the tables it is made from, so that dispatches, prologues, slots, names and jumps are tested
//! with the rest.
//!
//! Deliberately absent: rustc. That the emitted text compiles, and that rustc infers the types in it, is shown on functions
//! that are compiled (`durable-macros/tests`, `tests/language`).

// Its numbers are small.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod code;
mod direct;
mod express;
mod generate;
mod machine;
mod program;
mod sabotage;
mod shrink;
mod tests;
mod value;

use crate::ir::Function;
use crate::resolve::Names;
use crate::{borrows, emit, layout, liveness, lower, parse, resolve};
use machine::{Machine, Pace};
use program::Program;
use sabotage::Sabotage;
use value::{Checked, OUT_OF_FUEL, OUT_OF_OPERATIONS, Value, World};

/// What a run did: its result or complaint, and its calls.
type Outcome = (Checked<Value>, Vec<String>);

/// A program whose two runs differ.
struct Failure {
    pace: Pace,
    expected: Outcome,
    found: Outcome,
}

enum Verdict {
    Same,
    /// The program runs for ever without a call.
    Endless,
    Differs(Box<Failure>),
}

/// The programs' loops and calls; the machine also burns at a restore.
const FUEL: u32 = 600;

/// A program's text as the compiler sees it before it looks for what is alive.
fn lowered(text: &str) -> Checked<(Function, Names)> {
    let refused = |error: syn::Error| format!("the compiler refuses it: {error}");
    let mut workflow = parse::parse_str(text);
    let (function, names) = resolve::resolve(&mut workflow).map_err(refused)?;
    Ok((lower::lower(&workflow, function).map_err(refused)?, names))
}

/// Compiles a program's text.
fn compile(text: &str, sabotage: &mut Sabotage) -> Checked<Machine> {
    let (mut function, names) = lowered(text)?;
    sabotage.function(&mut function);
    let mut live = liveness::liveness(&function);
    borrows::check(&function, &live).map_err(|error| format!("the compiler refuses it: {error}"))?;
    let mut layout = layout::layout(&function, &live);
    sabotage.liveness(&function, &layout, &mut live);
    layout.loads = layout::plan_loads(&function, &live, &layout);
    let emit::Body { declarations, text, .. } = emit::emit_body(&function, &names, &live, &layout);
    Machine::new(&quote::quote!(#declarations #text))
}

/// Runs a program both ways, at several paces.
fn check(program: &Program, args: &[Value], seed: u64, sabotage: &mut Sabotage) -> Verdict {
    let mut world = World::new(seed, FUEL);
    let expected = direct::run(program, args.to_vec(), &mut world);
    if expected.as_ref().is_err_and(|complaint| complaint == OUT_OF_FUEL) {
        return Verdict::Endless;
    }
    let expected = (expected, world.trace);
    let differs = |pace, found| {
        let expected = expected.clone();
        Verdict::Differs(Box::new(Failure { pace, expected, found }))
    };
    let machine = match compile(&program.written(), sabotage) {
        Ok(machine) => machine,
        Err(refusal) => return differs(Pace::Never, (Err(refusal), Vec::new())),
    };
    let is_ill_formed = expected.0.as_ref().is_err_and(|complaint| complaint != OUT_OF_OPERATIONS);
    for pace in [Pace::Always, Pace::Never, Pace::Mixed(seed)] {
        let mut world = World::new(seed, FUEL * 40);
        let found = (machine.run(args, pace, &mut world), world.trace);
        if found != expected || is_ill_formed {
            return differs(pace, found);
        }
    }
    Verdict::Same
}
