//! Which variables are needed at each resume point.
//!
//! Standard backward data flow over uses and certain definitions. A variable that is made again (`Remat`) needs what it is made
//! from; the state of a `for` and the roots of borrows that are alive around a loop are kept at every point of that loop.

use crate::effects::{Effects, Set};
use crate::ir::{BlockId, Function, PointId, Stmt, Term, VarId, bound};
use syn::Expr;

/// The result.
pub(crate) struct Liveness {
    /// Whether control can reach a block.
    pub(crate) reachable: Vec<bool>,
    /// What each block needs at its beginning.
    pub(crate) live_in: Vec<Set>,
    /// What each block mentions.
    pub(crate) mentions: Vec<Set>,
    /// What each point saves or makes again, without its future.
    pub(crate) at_point: Vec<Set>,
    /// The blocks that a block's statements and terminator jump to.
    pub(crate) successors: Vec<Vec<BlockId>>,
}

/// Computes liveness of a lowered function.
pub(crate) fn liveness(function: &Function) -> Liveness {
    let roots = roots(function);
    let effects: Vec<Effects> = function.blocks.iter().map(|block| block_effects(function, block)).collect();
    let successors: Vec<Vec<BlockId>> =
        (0..function.blocks.len()).map(|block| successors(function, block, &effects[block])).collect();
    let mut live_in = vec![Set::new(); function.blocks.len()];
    loop {
        let mut changed = false;
        for block in (0..function.blocks.len()).rev() {
            let effect = &effects[block];
            // What kept syntax never comes out of, a `return` in its last statement, needs nothing behind it.
            let mut live = if effect.never { Set::new() } else { live_out(function, block, &live_in) };
            live.retain(|var| !effect.defs.contains(var));
            live.extend(&effect.uses);
            for (target, defs) in &effect.exits {
                live.extend(entering(function, block, *target, &live_in).difference(defs));
            }
            add_roots(&mut live, &roots);
            if live != live_in[block] {
                live_in[block] = live;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let at_point = at_points(function, &live_in, &roots);
    let reachable = reachable(&successors);
    let mut mentions: Vec<Set> = effects.into_iter().map(|effect| effect.mentions).collect();
    for (block, mentions) in mentions.iter_mut().enumerate() {
        for parts in &function.parts {
            if successors[block].iter().any(|to| parts.begins(block, *to)) {
                mentions.insert(parts.var);
                mentions.extend(parts.pieces.iter().map(|(_, part)| *part));
            }
        }
    }
    Liveness { reachable, live_in, mentions, at_point, successors }
}

/// What each variable is made from, transitively; empty for what is saved.
fn roots(function: &Function) -> Vec<Set> {
    let direct = |var: VarId| -> Set {
        let Some(remat) = function.vars[var].remat else {
            return Set::new();
        };
        let remat = &function.remats[remat];
        let mut roots = Effects::of_expr(&remat.expr).uses;
        roots.extend(remat.count);
        roots
    };
    let mut all: Vec<Set> = Vec::new();
    for var in 0..function.vars.len() {
        // A borrow is made from what was declared before it, so its roots are complete, but for a loop's own state.
        let mut found = Set::new();
        let mut pending: Vec<VarId> = direct(var).into_iter().collect();
        while let Some(root) = pending.pop() {
            if root != var && found.insert(root) {
                pending.extend(direct(root));
            }
        }
        all.push(found);
    }
    all
}

/// A borrow that is alive keeps alive what it is made from.
fn add_roots(live: &mut Set, roots: &[Set]) {
    let extra: Set = live.iter().flat_map(|var| &roots[*var]).copied().collect();
    live.extend(extra);
}

fn is_flat(function: &Function, var: VarId) -> bool {
    function.vars[var].flattened
}

fn block_effects(function: &Function, block: &crate::ir::Block) -> Effects {
    let mut effects = Effects::default();
    if let Some(point) = block.point {
        effects.use_var(function.points[point].future);
    }
    for stmt in &block.stmts {
        effects.then(&stmt_effects(stmt));
    }
    effects.then(&term_effects(&block.term));
    for set in [&mut effects.uses, &mut effects.defs, &mut effects.mentions] {
        set.retain(|var| is_flat(function, *var));
    }
    effects
}

/// What a block needs where another goes to it: parts are made of their whole on the way.
fn entering(function: &Function, from: BlockId, to: BlockId, live_in: &[Set]) -> Set {
    let mut live = live_in[to].clone();
    for parts in function.parts.iter().filter(|parts| parts.begins(from, to)) {
        for (_, part) in &parts.pieces {
            if live.remove(part) {
                live.insert(parts.var);
            }
        }
    }
    live
}

pub(crate) fn stmt_effects(stmt: &Stmt) -> Effects {
    match stmt {
        Stmt::Keep(stmt) => Effects::of_stmt(stmt),
        Stmt::Declare(var) => {
            let mut effects = Effects::default();
            effects.def_var(*var);
            effects
        }
        Stmt::Set(var, value) => {
            let mut effects = Effects::of_expr(value);
            effects.def_var(*var);
            effects
        }
        Stmt::Let(bind) => {
            let mut effects = Effects::of_expr(&bind.init);
            if let Some(diverge) = &bind.diverge {
                let otherwise = Effects::of_expr(diverge);
                let defs = effects.defs.clone();
                effects.then(&Effects { defs: Set::new(), never: false, ..otherwise });
                effects.defs = defs;
            }
            effects.then(&Effects::of_pat(&bind.pat));
            effects
        }
    }
}

fn term_effects(term: &Term) -> Effects {
    match term {
        Term::Never | Term::Goto(_) | Term::Dispatch { .. } => Effects::default(),
        Term::Return(value) => value.as_deref().map(Effects::of_expr).unwrap_or_default(),
        // What the condition binds is set on the way to `then` only.
        Term::If { cond, .. } => {
            let mut effects = without_defs(Effects::of_expr(cond));
            effects.mentions.retain(|var| !bound_in(cond).contains(var));
            effects
        }
        Term::Match { scrutinee, arms } => {
            let mut effects = without_defs(Effects::of_expr(scrutinee));
            for arm in arms {
                if let Some(guard) = &arm.guard {
                    let mut guard = Effects::of_expr(guard);
                    for var in bound(&arm.pat) {
                        guard.uses.remove(&var);
                        guard.mentions.remove(&var);
                    }
                    effects.then(&without_defs(guard));
                }
            }
            effects
        }
    }
}

fn without_defs(effects: Effects) -> Effects {
    Effects { defs: Set::new(), never: false, ..effects }
}

fn live_out(function: &Function, block: BlockId, live_in: &[Set]) -> Set {
    let minus = |target: BlockId, bound: &[VarId]| -> Set {
        let live = entering(function, block, target, live_in);
        live.into_iter().filter(|var| !bound.contains(var)).collect()
    };
    match &function.blocks[block].term {
        Term::Never | Term::Return(_) => Set::new(),
        Term::Goto(target) | Term::Dispatch { normal: target } => entering(function, block, *target, live_in),
        Term::If { cond, then, other } => {
            let mut live = minus(*then, &bound_in(cond));
            live.extend(entering(function, block, *other, live_in));
            live
        }
        Term::Match { arms, .. } => arms.iter().flat_map(|arm| minus(arm.target, &bound(&arm.pat))).collect(),
    }
}

/// The bindings of the `let`s of a condition.
pub(crate) fn bound_in(cond: &Expr) -> Vec<VarId> {
    match cond {
        Expr::Let(cond) => bound(&cond.pat),
        Expr::Binary(binary) => {
            let mut found = bound_in(&binary.left);
            found.extend(bound_in(&binary.right));
            found
        }
        Expr::Paren(inner) => bound_in(&inner.expr),
        Expr::Group(inner) => bound_in(&inner.expr),
        _ => Vec::new(),
    }
}

fn successors(function: &Function, block: BlockId, effect: &Effects) -> Vec<BlockId> {
    let mut found: Vec<BlockId> = effect.exits.iter().map(|(target, _)| *target).collect();
    match &function.blocks[block].term {
        Term::Never | Term::Return(_) => {}
        Term::Goto(target) | Term::Dispatch { normal: target } => found.push(*target),
        Term::If { then, other, .. } => found.extend([*then, *other]),
        Term::Match { arms, .. } => found.extend(arms.iter().map(|arm| arm.target)),
    }
    found
}

fn reachable(successors: &[Vec<BlockId>]) -> Vec<bool> {
    let mut seen = vec![false; successors.len()];
    let mut pending = vec![0];
    while let Some(block) = pending.pop() {
        if !std::mem::replace(&mut seen[block], true) {
            pending.extend(&successors[block]);
        }
    }
    seen
}

fn at_points(function: &Function, live_in: &[Set], roots: &[Set]) -> Vec<Set> {
    let mut all: Vec<Set> = Vec::new();
    for point in &function.points {
        let mut live = live_in[point.block].clone();
        for id in function.loops_around(point.block) {
            // What a loop's head needs and a borrow depends on can't be moved away while the borrow is alive.
            let head = &live_in[function.loops[id].head];
            for &var in head {
                if function.vars[var].pinned || function.vars[var].remat.is_some() {
                    live.insert(var);
                    live.extend(&roots[var]);
                }
            }
        }
        live.remove(&point.future);
        all.push(live);
    }
    all
}

impl Liveness {
    /// Whether control can come from a block to another.
    pub(crate) fn reaches(&self, from: BlockId, to: BlockId) -> bool {
        let mut seen = vec![false; self.successors.len()];
        let mut pending = self.successors[from].clone();
        while let Some(block) = pending.pop() {
            if !std::mem::replace(&mut seen[block], true) {
                pending.extend(&self.successors[block]);
            }
        }
        seen[to]
    }

    /// What a point saves: what is live there and not made again.
    pub(crate) fn saved(&self, function: &Function, point: PointId) -> Vec<VarId> {
        self.at_point[point].iter().copied().filter(|var| function.vars[*var].remat.is_none()).collect()
    }
}

#[cfg(test)]
mod tests;
