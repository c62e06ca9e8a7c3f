//! `break` and `continue`.

use super::{Dest, Lowerer, Target};
use crate::ir::{VarId, jump_expr, var_expr};
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Lifetime};

impl Lowerer {
    /// What a jump goes to; `None` if the label is unknown here, which rustc reports.
    fn target(&self, label: Option<&Lifetime>, continues: bool) -> Option<usize> {
        let label = label.map(|label| label.ident.to_string());
        self.targets.iter().rposition(|target| match &label {
            Some(label) => target.label.as_ref() == Some(label),
            None => target.is_loop && (!continues || target.head.is_some()),
        })
    }

    pub(super) fn break_stmt(&mut self, jump: syn::ExprBreak, dest: Dest) {
        let Some(at) = self.target(jump.label.as_ref(), false) else {
            return self.store(dest, Expr::Break(jump));
        };
        let (after, into) = (self.targets[at].after, self.targets[at].dest);
        match jump.expr {
            Some(value) => self.evaluate(*value, into),
            None => self.store_unit(into),
        }
        self.goto(after);
    }

    pub(super) fn continue_stmt(&mut self, jump: syn::ExprContinue, dest: Dest) {
        match self.target(jump.label.as_ref(), true).and_then(|at| self.targets[at].head) {
            Some(head) => self.goto(head),
            None => self.store(dest, Expr::Continue(jump)),
        }
    }

    /// Syntax without awaits, kept as written but for its jumps to lowered loops.
    pub(super) fn kept(&mut self, mut expr: Expr) -> Expr {
        if self.targets.is_empty() {
            return expr;
        }
        let mut rewriter = Rewriter { lowerer: self, loops: 0, labels: Vec::new() };
        rewriter.visit_expr_mut(&mut expr);
        expr
    }
}

/// Replaces jumps to lowered loops in kept syntax; jumps to kept loops stay.
struct Rewriter<'a> {
    lowerer: &'a mut Lowerer,
    loops: usize,
    labels: Vec<String>,
}

impl Rewriter<'_> {
    fn goes_out(&self, label: Option<&Lifetime>) -> bool {
        match label {
            Some(label) => !self.labels.contains(&label.ident.to_string()),
            None => self.loops == 0,
        }
    }

    fn within(&mut self, label: Option<&syn::Label>, is_loop: bool, inside: impl FnOnce(&mut Self)) {
        let before = self.labels.len();
        self.labels.extend(label.map(|label| label.name.ident.to_string()));
        self.loops += usize::from(is_loop);
        inside(self);
        self.loops -= usize::from(is_loop);
        self.labels.truncate(before);
    }

    fn set(&self, dest: VarId, value: &Expr, jump: &Expr) -> Expr {
        let var = var_expr(dest, self.lowerer.function.vars[dest].ident.span());
        syn::parse_quote!({ #var = #value; #jump })
    }
}

impl VisitMut for Rewriter<'_> {
    fn visit_item_mut(&mut self, _: &mut syn::Item) {}

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Closure(_) | Expr::Async(_) => {}
            Expr::While(e) => {
                let label = e.label.clone();
                // A jump in a `while`'s condition belongs to the loop around it.
                self.visit_expr_mut(&mut e.cond);
                self.within(label.as_ref(), true, |this| {
                    this.visit_block_mut(&mut e.body);
                });
            }
            Expr::ForLoop(e) => {
                let label = e.label.clone();
                self.visit_expr_mut(&mut e.expr);
                self.within(label.as_ref(), true, |this| {
                    this.visit_block_mut(&mut e.body);
                });
            }
            Expr::Loop(e) => {
                let label = e.label.clone();
                self.within(label.as_ref(), true, |this| {
                    this.visit_block_mut(&mut e.body);
                });
            }
            Expr::Block(e) if e.label.is_some() => {
                let label = e.label.clone();
                self.within(label.as_ref(), false, |this| {
                    this.visit_block_mut(&mut e.block);
                });
            }
            Expr::Break(e) => {
                if let Some(value) = &mut e.expr {
                    self.visit_expr_mut(value);
                }
                if !self.goes_out(e.label.as_ref()) {
                    return;
                }
                let Some(at) = self.lowerer.target(e.label.as_ref(), false) else {
                    return;
                };
                let Target { after, dest, .. } = self.lowerer.targets[at];
                self.lowerer.entered[after] = true;
                let jump = jump_expr(after, e.break_token.span);
                let unit: Expr = syn::parse_quote!(());
                let value = e.expr.as_deref();
                *expr = match (dest, value) {
                    (Dest::Return, value) => syn::parse_quote!(return #value),
                    (Dest::Var(var), value) => self.set(var, value.unwrap_or(&unit), &jump),
                    (Dest::Discard, Some(value)) => syn::parse_quote!({ #value; #jump }),
                    (Dest::Discard, None) => jump,
                };
            }
            Expr::Continue(e) => {
                if !self.goes_out(e.label.as_ref()) {
                    return;
                }
                let Some(at) = self.lowerer.target(e.label.as_ref(), true) else {
                    return;
                };
                if let Some(head) = self.lowerer.targets[at].head {
                    *expr = jump_expr(head, e.continue_token.span);
                }
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }
}
