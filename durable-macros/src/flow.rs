//! Which resume point can come after which: the edges of the machine, for people to look at.
//!
//! Deliberately absent: conditions. An edge says that some way leads there without a suspension in between.

use crate::ir::{BlockId, Function, PointId, Stmt, Term};
use crate::liveness::Liveness;
use std::collections::BTreeSet;
use syn::visit::{self, Visit};
use syn::{Expr, Macro};

/// What can come next: resume points, counted from 1, and 0 for the end of the workflow.
pub(crate) type Next = BTreeSet<usize>;

/// What can come first.
pub(crate) fn first(function: &Function, live: &Liveness) -> Next {
    follow(function, live, 0)
}

/// What can come after a point.
pub(crate) fn after(function: &Function, live: &Liveness, point: PointId) -> Next {
    follow(function, live, function.points[point].block)
}

fn follow(function: &Function, live: &Liveness, from: BlockId) -> Next {
    let mut next = Next::new();
    let mut seen = BTreeSet::new();
    let mut pending = vec![from];
    while let Some(at) = pending.pop() {
        let block = &function.blocks[at];
        if returns(block) {
            next.insert(0);
        }
        for &to in &live.successors[at] {
            match function.blocks[to].point {
                Some(point) => {
                    next.insert(point + 1);
                }
                None => {
                    if seen.insert(to) {
                        pending.push(to);
                    }
                }
            }
        }
    }
    next
}

/// Whether the workflow can end in this block.
fn returns(block: &crate::ir::Block) -> bool {
    let mut found = Returns(false);
    for stmt in &block.stmts {
        match stmt {
            Stmt::Keep(stmt) => found.visit_stmt(stmt),
            Stmt::Declare(_) => {}
            Stmt::Let(bind) => {
                found.visit_expr(&bind.init);
                bind.diverge.iter().for_each(|diverge| found.visit_expr(diverge));
            }
            Stmt::Set(_, value) => found.visit_expr(value),
        }
    }
    match &block.term {
        Term::Return(_) => found.0 = true,
        Term::If { cond, .. } => found.visit_expr(cond),
        Term::Match { scrutinee, arms } => {
            found.visit_expr(scrutinee);
            arms.iter().filter_map(|arm| arm.guard.as_ref()).for_each(|guard| found.visit_expr(guard));
        }
        Term::Never | Term::Goto(_) | Term::Dispatch { .. } => {}
    }
    found.0
}

struct Returns(bool);

impl<'a> Visit<'a> for Returns {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Return(_) | Expr::Try(_) => self.0 = true,
            // What returns in there does not return from the workflow.
            Expr::Closure(_) | Expr::Async(_) => {}
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_item(&mut self, _: &'a syn::Item) {}

    fn visit_macro(&mut self, mac: &'a Macro) {
        let name = mac.path.segments.last().map(|last| last.ident.to_string());
        self.0 |= matches!(name.as_deref(), Some("bail" | "ensure"));
    }
}

#[cfg(test)]
mod tests {
    use crate::{flow, liveness, lower, parse, resolve};

    /// The edges of a body: what comes first, and what after each point.
    fn edges(body: &str) -> String {
        let mut workflow = parse::parse_str(&format!("async fn w(a: u64) -> R {{ {body} }}"));
        let (function, _) = resolve::resolve(&mut workflow).expect("names resolve");
        let function = lower::lower(&workflow, function).expect("it lowers");
        let live = liveness::liveness(&function);
        let mut all = vec![flow::first(&function, &live)];
        all.extend((0..function.points.len()).map(|point| flow::after(&function, &live, point)));
        let shown: Vec<String> =
            all.iter().map(|next| next.iter().map(usize::to_string).collect::<Vec<_>>().join(",")).collect();
        shown.join(" ")
    }

    #[test]
    fn straight_branched_and_looped() {
        assert_eq!(edges("f().await; g().await"), "1 2 0");
        assert_eq!(edges("if a > 1 { f().await; } else { g().await; } h().await"), "1,2 3 3 0");
        assert_eq!(edges("while a > 1 { f().await; } a"), "0,1 0,1");
        assert_eq!(edges("loop { f().await; if g().await { break; } } a"), "1 2 0,1");
    }

    #[test]
    fn early_ends() {
        assert_eq!(edges("f().await?; g().await"), "1 0,2 0");
        assert_eq!(edges("f().await; if a > 1 { return a; } g().await; loop { h().await; }"), "1 0,2 3 3");
        assert_eq!(edges("let x = f().await; let y = || -> R { z()?; Ok(1) }; g(x).await"), "1 2 0");
        assert_eq!(edges("f().await; ensure!(a > 1); g().await"), "1 0,2 0");
    }
}
