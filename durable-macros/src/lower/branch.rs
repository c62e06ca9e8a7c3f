//! `if`, `match` and blocks. Each is a scope: what it declares ends with it.

use super::pattern::binds_by_ref;
use super::{Dest, Lowerer, Target, borrow, guard, point};
use crate::ir::{Arm, BlockId, Term};
use std::collections::HashMap;
use syn::Expr;

impl Lowerer {
    pub(super) fn if_expr(&mut self, cond: syn::ExprIf, dest: Dest) {
        let segment = self.path.enter("if");
        let join = self.new_block();
        self.open();
        let (then, other) = (self.new_block(), self.new_block());
        self.condition(*cond.cond, then, other);
        self.start(then);
        self.path.push(format!("{segment}.then"));
        self.block(cond.then_branch, dest);
        self.path.pop();
        self.goto(join);
        self.start(other);
        match cond.else_branch {
            Some((_, branch)) => {
                self.path.push(format!("{segment}.else"));
                self.branch(*branch, dest);
                self.path.pop();
            }
            None => self.store_unit(dest),
        }
        self.goto(join);
        self.close();
        self.start(join);
    }

    pub(super) fn match_expr(&mut self, choice: syn::ExprMatch, dest: Dest) {
        let join = self.new_block();
        self.open();
        let chained = choice.arms.iter().any(guard::is_chained);
        let by_ref = choice.arms.iter().any(|arm| binds_by_ref(&arm.pat));
        let (kind, names) = self.arm_names(&choice);
        let scrutinee = self.scrutinee(*choice.expr, chained, by_ref);
        if self.current.is_none() {
            return self.close();
        }
        let segment = self.path.enter(kind);
        let names: Vec<String> = names.into_iter().map(|name| format!("{segment}.{name}")).collect();
        let bodies = if chained {
            self.chain(choice.arms, &scrutinee, &names)
        } else {
            self.arms(choice.arms, scrutinee)
        };
        for ((target, body), name) in bodies.into_iter().zip(names) {
            self.start(target);
            self.path.push(name);
            self.branch(body, dest);
            self.path.pop();
            self.goto(join);
        }
        self.close();
        self.start(join);
    }

    /// What tells the arms from each other in the path of a point: what they match, whatever they bind. Ordinals count among the arms
    /// of one name that hold a resume point.
    fn arm_names(&self, choice: &syn::ExprMatch) -> (&'static str, Vec<String>) {
        let selected = point::selected(&self.function, &choice.expr);
        let name = |arm: &syn::Arm| match (&selected, crate::select::branch_of(&arm.pat)) {
            (Some(callees), Some(branch)) => callees.get(branch).cloned().unwrap_or_default(),
            (Some(_), None) => "else".to_owned(),
            (None, _) => point::matched(&self.function, &arm.pat),
        };
        let mut counts: HashMap<String, usize> = HashMap::new();
        let names = choice.arms.iter().map(|arm| {
            let name = name(arm);
            let awaits = |expr: &Expr| point::has_await(expr);
            if !awaits(&arm.body) && !arm.guard.as_ref().is_some_and(|(_, guard)| awaits(guard)) {
                return name;
            }
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            if *count == 1 { name } else { format!("{name}#{count}") }
        });
        (if selected.is_some() { "select" } else { "match" }, names.collect())
    }

    /// What is matched. If it is matched more than once, or borrowed from, it has to be a place.
    fn scrutinee(&mut self, expr: Expr, chained: bool, by_ref: bool) -> Expr {
        let awaits = point::has_await(&expr);
        let scrutinee = self.operand(expr);
        let scrutinee = self.keep_scrutinee(scrutinee);
        let again = borrow::is_place(&scrutinee)
            || matches!(scrutinee, Expr::Reference(_))
            || (!chained && self.again(&scrutinee).is_ok());
        if (awaits || chained || by_ref) && !again {
            return self.awaited_scrutinee("match", scrutinee, chained, by_ref);
        }
        scrutinee
    }

    fn arms(&mut self, arms: Vec<syn::Arm>, scrutinee: Expr) -> Vec<(BlockId, Expr)> {
        let mut lowered = Vec::new();
        let mut bodies = Vec::new();
        for arm in arms {
            let target = self.new_block();
            self.rematerialise_pattern(&arm.pat, None, &scrutinee);
            self.flatten(&arm.pat, Some(target));
            let guard = arm.guard.map(|(_, guard)| self.kept(*guard));
            lowered.push(Arm { attrs: arm.attrs, pat: arm.pat, guard, target });
            bodies.push((target, *arm.body));
        }
        self.end(Term::Match { scrutinee: Box::new(scrutinee), arms: lowered });
        bodies
    }

    /// The body of an arm or an `else`, which ends with the construct that it belongs to.
    fn branch(&mut self, body: Expr, dest: Dest) {
        match body {
            Expr::Block(block) if block.label.is_none() => self.block(block.block, dest),
            body => self.evaluate(body, dest),
        }
    }

    pub(super) fn block_expr(&mut self, block: syn::ExprBlock, dest: Dest) {
        let after = self.new_block();
        self.open();
        if let Some(label) = block.label {
            let segment = self.path.enter("block");
            self.targets.push(Target {
                label: Some(label.name.ident.to_string()),
                is_loop: false,
                after,
                head: None,
                dest,
            });
            self.path.push(segment);
            self.block(block.block, dest);
            self.path.pop();
            self.targets.pop();
        } else {
            self.block(block.block, dest);
        }
        self.goto(after);
        self.close();
        self.start(after);
    }
}
