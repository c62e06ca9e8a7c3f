//! Makes a version wrong on purpose, as a wrong matching would: the controls of this harness.
//!
//! The engine is left alone. What a guess would be is written into the new source, as if a person had said it.

use crate::tree::{Function, Program, Stmt};

/// A way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sabotage {
    /// An await is the one of the same activity with the same rank.
    PointsByOrder,
    /// A variable is the first one of its type.
    VariablesByType,
}

impl Sabotage {
    pub(crate) fn of(self, old: &Program, new: &Program) -> Program {
        let mut wrong = new.clone();
        for (old, new) in old.functions.iter().zip(&mut wrong.functions) {
            match self {
                Sabotage::PointsByOrder => points_by_order(old, new),
                Sabotage::VariablesByType => variables_by_type(old, new),
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
    let types: Vec<_> = new.vars.iter().map(|var| var.ty).collect();
    for (at, ty) in types.into_iter().enumerate().skip(1) {
        let first = old.vars.iter().skip(1).position(|var| var.ty == ty);
        new.vars[at].was = first.map(|first| old.vars[first + 1].name.clone());
        // What has its own name still is known by it.
        new.vars[at].name = format!("guessed{at}");
    }
}
