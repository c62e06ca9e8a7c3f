//! Conditions: `&&`, `||`, `!`, `let` chains, as branches.

use super::{Dest, Lowerer, point};
use crate::effects::Effects;
use crate::ir::{BlockId, Term, var_expr};
use crate::liveness::bound_in;
use crate::lower::borrow::is_place;
use syn::spanned::Spanned;
use syn::{BinOp, Expr};

impl Lowerer {
    /// Goes to `then` if the condition holds and to `other` if not.
    pub(super) fn condition(&mut self, cond: Expr, then: BlockId, other: BlockId) {
        if !point::has_await(&cond) && !self.must_split(&cond) {
            let cond = self.kept(cond);
            self.flatten_chain(&cond, then);
            return self.end(Term::If { cond: Box::new(cond), then, other });
        }
        match cond {
            Expr::Paren(inner) => self.condition(*inner.expr, then, other),
            Expr::Group(inner) => self.condition(*inner.expr, then, other),
            Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => {
                if !bound_in(&binary.left).is_empty() {
                    // In a chain it is no mistake that a pattern always matches.
                    self.allow(&[syn::parse_quote!(#[allow(irrefutable_let_patterns)])]);
                }
                let middle = self.new_block();
                self.condition(*binary.left, middle, other);
                self.start(middle);
                self.condition(*binary.right, then, other);
            }
            Expr::Binary(binary) if matches!(binary.op, BinOp::Or(_)) => {
                let middle = self.new_block();
                self.condition(*binary.left, then, middle);
                self.start(middle);
                self.condition(*binary.right, then, other);
            }
            Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Not(_)) => {
                self.condition(*unary.expr, other, then);
            }
            Expr::Let(mut cond) => {
                let awaits = point::has_await(&cond.expr);
                let value = self.operand(*cond.expr);
                let value = self.keep_scrutinee(value);
                let value = if awaits && !is_place(&value) && self.again(&value).is_err() {
                    self.awaited_scrutinee("let", value, false, false)
                } else {
                    value
                };
                *cond.expr = value;
                let cond = Expr::Let(cond);
                self.flatten_chain(&cond, then);
                self.end(Term::If { cond: Box::new(cond), then, other });
            }
            other_cond => {
                let value = self.operand(other_cond);
                self.end(Term::If { cond: Box::new(value), then, other });
            }
        }
    }

    /// The bindings of the `let`s in a chain are declared where the chain holds.
    fn flatten_chain(&mut self, cond: &Expr, then: BlockId) {
        match cond {
            Expr::Let(cond) => {
                self.rematerialise_pattern(&cond.pat, None, &cond.expr);
                self.flatten(&cond.pat, Some(then));
            }
            Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => {
                self.flatten_chain(&binary.left, then);
                self.flatten_chain(&binary.right, then);
            }
            Expr::Paren(inner) => self.flatten_chain(&inner.expr, then),
            Expr::Group(inner) => self.flatten_chain(&inner.expr, then),
            _ => {}
        }
    }

    /// `a && b.await` and `a || b.await` as values.
    pub(super) fn lazy(&mut self, binary: syn::ExprBinary, dest: Dest) {
        let span = binary.op.span();
        let (yes, no, join) = (self.new_block(), self.new_block(), self.new_block());
        if matches!(dest, Dest::Discard) {
            let temp = self.temp("value".to_owned(), span);
            self.push(crate::ir::Stmt::Declare(temp));
            self.lazy(binary, Dest::Var(temp));
            let value = var_expr(temp, span);
            return self.store(Dest::Discard, value);
        }
        let rest = self.new_block();
        let and = matches!(binary.op, BinOp::And(_));
        if and {
            self.condition(*binary.left, rest, no);
        } else {
            self.condition(*binary.left, yes, rest);
        }
        self.start(rest);
        self.evaluate(*binary.right, dest);
        self.goto(join);
        let constant = if and { no } else { yes };
        self.start(constant);
        let value = if and { syn::parse_quote!(false) } else { syn::parse_quote!(true) };
        self.store(dest, value);
        self.goto(join);
        self.start(join);
    }

    /// A `let` over a borrow that needs a temporary, which must outlive the `if`'s own text, or over what the chain has bound.
    fn must_split(&self, cond: &Expr) -> bool {
        match cond {
            Expr::Let(cond) => !self.needs_no_temporary(&cond.expr),
            Expr::Binary(binary) if matches!(binary.op, BinOp::And(_)) => {
                looks_back(binary) || self.must_split(&binary.left) || self.must_split(&binary.right)
            }
            Expr::Paren(inner) => self.must_split(&inner.expr),
            Expr::Group(inner) => self.must_split(&inner.expr),
            _ => false,
        }
    }
}

/// Whether a `let` matches what was bound to the left of it: that must be in its variable by then.
fn looks_back(chain: &syn::ExprBinary) -> bool {
    let bound = bound_in(&chain.left);
    match &*chain.right {
        Expr::Let(cond) => {
            let mentions = Effects::of_expr(&cond.expr).mentions;
            bound.iter().any(|var| mentions.contains(var))
        }
        _ => false,
    }
}
