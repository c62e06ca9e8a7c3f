//! A compiler that is broken on purpose, for the negative controls: each way is one that a mistake in a phase could take.

use super::generate::Rng;
use crate::ir::{Function, Stmt, Term, VarKind};
use crate::layout::Layout;
use crate::liveness::{Liveness, bound_in};

/// One way to break the compiler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// One variable is not saved at one point.
    DropLive,
    /// Two operands are evaluated in the other order.
    SwapOperands,
    /// A loop over something borrowed does not count.
    ForgetCount,
    /// Two arms, or the branches of an `if`, change places.
    WrongArm,
    /// A borrow is saved in place of being made again.
    SaveBorrow,
}

/// Breaks the compilation of one program.
pub(super) struct Sabotage {
    way: Option<Way>,
    rng: Rng,
    /// Whether there was something to break.
    pub(super) done: bool,
}

impl Sabotage {
    /// The compiler as it is.
    pub(super) fn none() -> Self {
        Self { way: None, rng: Rng::new(0), done: false }
    }

    pub(super) fn new(way: Way, seed: u64) -> Self {
        Self { way: Some(way), rng: Rng::new(seed), done: false }
    }

    /// Breaks what `lower` made.
    pub(super) fn function(&mut self, function: &mut Function) {
        match self.way {
            Some(Way::SwapOperands) => self.swap_operands(function),
            Some(Way::ForgetCount) => self.forget_count(function),
            Some(Way::WrongArm) => self.wrong_arm(function),
            Some(Way::SaveBorrow) => {
                let made: Vec<usize> = (0..function.vars.len())
                    .filter(|var| {
                        function.vars[*var].remat.is_some_and(|remat| function.remats[remat].count.is_none())
                    })
                    .collect();
                if !made.is_empty() {
                    let var = self.rng.pick(&made);
                    function.vars[var].remat = None;
                    self.done = true;
                }
            }
            Some(Way::DropLive) | None => {}
        }
    }

    /// Breaks what `liveness` found.
    pub(super) fn liveness(&mut self, function: &Function, layout: &Layout, live: &mut Liveness) {
        if self.way != Some(Way::DropLive) {
            return;
        }
        let saved: Vec<(usize, usize)> = layout
            .points
            .iter()
            .flat_map(|point| live.saved(function, *point).into_iter().map(|var| (*point, var)))
            .collect();
        if !saved.is_empty() {
            let (point, var) = self.rng.pick(&saved);
            live.at_point[point].remove(&var);
            self.done = true;
        }
    }

    fn swap_operands(&mut self, function: &mut Function) {
        let is_operand = |stmt: &Stmt| match stmt {
            Stmt::Let(bind) => crate::lower::plain(&bind.pat)
                .is_some_and(|var| function.vars[var].kind == VarKind::Temp && !function.vars[var].pinned),
            _ => false,
        };
        let mut found = Vec::new();
        for (number, block) in function.blocks.iter().enumerate() {
            for at in 1..block.stmts.len() {
                if is_operand(&block.stmts[at - 1]) && is_operand(&block.stmts[at]) {
                    found.push((number, at));
                }
            }
        }
        if !found.is_empty() {
            let (block, at) = self.rng.pick(&found);
            function.blocks[block].stmts.swap(at - 1, at);
            self.done = true;
        }
    }

    fn forget_count(&mut self, function: &mut Function) {
        let counts: Vec<usize> = function.remats.iter().filter_map(|remat| remat.count).collect();
        for block in &mut function.blocks {
            let before = block.stmts.len();
            block.stmts.retain(|stmt| match stmt {
                Stmt::Keep(stmt) => match &**stmt {
                    syn::Stmt::Expr(syn::Expr::Binary(binary), _) => {
                        !crate::ir::as_var(&binary.left).is_some_and(|var| counts.contains(&var))
                    }
                    _ => true,
                },
                _ => true,
            });
            self.done |= block.stmts.len() < before;
        }
    }

    fn wrong_arm(&mut self, function: &mut Function) {
        let can = |term: &Term| match term {
            Term::If { cond, .. } => bound_in(cond).is_empty(),
            Term::Match { arms, .. } => {
                arms.len() > 1 && arms.iter().all(|arm| crate::ir::bound(&arm.pat).is_empty())
            }
            _ => false,
        };
        let found: Vec<usize> =
            (0..function.blocks.len()).filter(|block| can(&function.blocks[*block].term)).collect();
        if found.is_empty() {
            return;
        }
        let block = self.rng.pick(&found);
        self.done = true;
        match &mut function.blocks[block].term {
            Term::If { then, other, .. } => std::mem::swap(then, other),
            Term::Match { arms, .. } => {
                let first = arms[0].target;
                arms[0].target = arms[1].target;
                arms[1].target = first;
            }
            _ => {}
        }
    }
}
