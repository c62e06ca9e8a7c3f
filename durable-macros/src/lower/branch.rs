//! `if`, `match` and blocks.

use super::pattern::binds_by_ref;
use super::{Dest, Lowerer, Target, borrow, point};
use crate::diagnostics;
use crate::ir::{Term, var_expr};
use syn::Expr;
use syn::spanned::Spanned;

impl Lowerer {
    pub(super) fn if_expr(&mut self, cond: syn::ExprIf, dest: Dest) {
        let segment = self.path.enter("if");
        let (then, other, join) = (self.new_block(), self.new_block(), self.new_block());
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
                self.evaluate(*branch, dest);
                self.path.pop();
            }
            None => self.store_unit(dest),
        }
        self.goto(join);
        self.start(join);
    }

    pub(super) fn match_expr(&mut self, choice: syn::ExprMatch, dest: Dest) {
        let scrutinee = self.operand(*choice.expr.clone());
        let mut scrutinee = self.keep_scrutinee(scrutinee);
        let binds_by_ref = choice.arms.iter().any(|arm| binds_by_ref(&arm.pat));
        if (point::has_await(&choice.expr) || binds_by_ref)
            && !borrow::is_place(&scrutinee)
            && !matches!(scrutinee, Expr::Reference(_))
            && self.again(&scrutinee).is_err()
        {
            let span = scrutinee.span();
            let temp = self.bind_temp("match".to_owned(), scrutinee, binds_by_ref);
            scrutinee = var_expr(temp, span);
        }
        if self.current.is_none() {
            return;
        }
        let segment = self.path.enter("match");
        let join_outer = self.new_block();
        let mut arms = Vec::new();
        let mut bodies = Vec::new();
        for arm in choice.arms {
            let target = self.new_block();
            self.rematerialise_pattern(&arm.pat, None, &scrutinee);
            self.flatten(&arm.pat, Some(target));
            let guard = arm.guard.map(|(token, guard)| {
                if point::has_await(&guard) {
                    self.errors.push(token.span, diagnostics::AWAIT_IN_GUARD);
                }
                self.kept(*guard)
            });
            arms.push(crate::ir::Arm { attrs: arm.attrs, pat: arm.pat, guard, target });
            bodies.push((target, *arm.body));
        }
        self.end(Term::Match { scrutinee: Box::new(scrutinee), arms });
        let mut ordinal = 0;
        for (target, body) in bodies {
            self.start(target);
            if point::has_await(&body) {
                ordinal += 1;
            }
            self.path.push(format!("{segment}.{ordinal}"));
            self.evaluate(body, dest);
            self.path.pop();
            self.goto(join_outer);
        }
        self.start(join_outer);
    }

    pub(super) fn block_expr(&mut self, block: syn::ExprBlock, dest: Dest) {
        let Some(label) = block.label else {
            return self.block(block.block, dest);
        };
        let segment = self.path.enter("block");
        let after = self.new_block();
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
        self.goto(after);
        self.start(after);
    }
}
