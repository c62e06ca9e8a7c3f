//! Makes a version wrong on purpose, as a wrong matching would: the controls of this harness.
//!
//! The engine is left alone. What a guess would be is written into the new source, as if a person had said it.

use crate::tree::{Function, Program, Stmt};

/// A way to be wrong: two that misread, and one that strands whom the documentation lets go on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sabotage {
    /// An await is the one of the same activity with the same rank.
    PointsByOrder,
    /// A variable is another one of its type.
    VariablesByType,
    /// Nobody says what a renamed variable was: it is not found where it is to be.
    WithoutOldNames,
}

impl Sabotage {
    pub(crate) fn of(self, old: &Program, new: &Program) -> Program {
        let mut wrong = new.clone();
        for (old, new) in old.functions.iter().zip(&mut wrong.functions) {
            match self {
                Sabotage::PointsByOrder => points_by_order(old, new),
                Sabotage::VariablesByType => variables_by_type(old, new),
                Sabotage::WithoutOldNames => new.vars.iter_mut().for_each(|var| var.was = None),
            }
        }
        wrong
    }
}

fn points_by_order(old: &Function, new: &mut Function) {
    let points = new.points();
    let ranks = points.iter().enumerate().map(|(at, point)| {
        let callee = point.wait.op.callee();
        let rank = points[..=at].iter().filter(|other| other.wait.op.callee() == callee).count();
        let had = old.points().iter().filter(|other| other.wait.op.callee() == callee).count();
        (point.wait.id, (rank <= had).then(|| format!("{callee}#{rank}")))
    });
    let ranks: std::collections::BTreeMap<_, _> = ranks.collect();
    say(&mut new.body, &ranks);
}

fn say(body: &mut [Stmt], ranks: &std::collections::BTreeMap<u32, Option<String>>) {
    for stmt in body {
        if let Stmt::Wait(wait) = stmt {
            (wait.name, wait.was) = (None, ranks[&wait.id].clone());
        }
        stmt.blocks_mut().into_iter().for_each(|block| say(block, ranks));
    }
}

fn variables_by_type(old: &Function, new: &mut Function) {
    for at in 1..new.vars.len() {
        let ty = new.vars[at].ty;
        let like: Vec<usize> = (1..old.vars.len()).filter(|var| old.vars[*var].ty == ty).collect();
        let next = like.iter().position(|var| *var == at).map_or(0, |rank| rank + 1);
        new.vars[at].was = (!like.is_empty()).then(|| old.vars[like[next % like.len()]].name.clone());
        // What has its own name still is known by it.
        new.vars[at].name = format!("guessed{at}");
    }
}
