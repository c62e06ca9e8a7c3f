//! `let label = if paid { "paid" } else { "open" };`: a choice between texts or borrows.
//!
//! The condition is not evaluated again: which branch was taken is a number that is saved, and the text or the borrow is made
//! again from it.

use super::constant::{is_constant, is_literal_text};
use super::{Dest, Lowerer, borrow::Again, borrow::Not, is_control, point};
use crate::effects::{Effects, diverges};
use crate::ir::{Stmt, VarId, VarKind, as_var, bound, var_expr};
use proc_macro2::Literal;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Stmt as UserStmt};

/// What a choice chooses from.
#[derive(Default)]
struct Choice {
    leaves: Vec<Expr>,
    /// What the branches bind: a leaf that mentions it means nothing outside.
    inner: Vec<VarId>,
    impossible: bool,
}

impl Lowerer {
    /// Lowers a choice to the number of its branch, and gives back the expression that makes its value from that.
    pub(super) fn numbered_choice(&mut self, init: &Expr) -> Option<Expr> {
        if !matches!(init, Expr::If(_) | Expr::Match(_)) {
            return None;
        }
        let mut numbered = init.clone();
        let mut choice = Choice::default();
        self.number(&mut numbered, &mut choice);
        let Choice { mut leaves, inner, impossible } = choice;
        let is_inner = |leaf: &Expr| Effects::of_expr(leaf).mentions.iter().any(|var| inner.contains(var));
        let is_borrow = |leaf: &Expr| is_literal_text(leaf) || matches!(leaf, Expr::Reference(_));
        if impossible || leaves.len() < 2 || leaves.iter().any(is_inner) || !leaves.iter().any(is_borrow) {
            return None;
        }
        let span = init.span();
        let which = if point::has_await(&numbered) && is_control(&numbered) {
            let temp = self.temp("choice".to_owned(), span);
            self.push(Stmt::Declare(temp));
            self.evaluate(numbered, Dest::Var(temp));
            temp
        } else {
            let numbered = self.kept(numbered);
            self.bind_temp("choice".to_owned(), numbered, false)
        };
        let which = var_expr(which, span);
        let last = leaves.pop()?;
        let numbers = (0..leaves.len()).map(Literal::usize_suffixed);
        Some(syn::parse_quote!(match #which { #(#numbers => #leaves,)* _ => #last }))
    }

    /// Replaces the leaves of a choice by numbers.
    fn number(&self, expr: &mut Expr, choice: &mut Choice) {
        match expr {
            Expr::If(e) => {
                self.number_block(&mut e.then_branch, choice);
                collect_bound(&e.cond, &mut choice.inner);
                match &mut e.else_branch {
                    Some((_, other)) => self.number(other, choice),
                    None => choice.impossible = true,
                }
            }
            Expr::Match(e) => {
                for arm in &mut e.arms {
                    choice.inner.extend(bound(&arm.pat));
                    self.number(&mut arm.body, choice);
                }
            }
            Expr::Block(e) if e.label.is_none() => self.number_block(&mut e.block, choice),
            Expr::Return(_) | Expr::Break(_) | Expr::Continue(_) => {}
            Expr::Macro(e) if diverges(&e.mac.path) => {}
            leaf if is_constant(leaf) || self.again(leaf).is_ok() => {
                let number = Literal::usize_suffixed(choice.leaves.len());
                let span = leaf.span();
                choice.leaves.push(std::mem::replace(leaf, syn::parse_quote_spanned!(span=> #number)));
            }
            _ => choice.impossible = true,
        }
    }

    fn number_block(&self, block: &mut syn::Block, choice: &mut Choice) {
        let mut found = Bound(Vec::new());
        block.stmts.iter().for_each(|stmt| found.visit_stmt(stmt));
        choice.inner.extend(found.0);
        match block.stmts.last_mut() {
            Some(UserStmt::Expr(tail, None)) => self.number(tail, choice),
            Some(UserStmt::Expr(Expr::Return(_) | Expr::Break(_) | Expr::Continue(_), _)) => {}
            Some(UserStmt::Macro(mac)) if diverges(&mac.mac.path) => {}
            _ => choice.impossible = true,
        }
    }

    /// A choice by a number that is saved.
    pub(super) fn choice_again(&self, choice: &syn::ExprMatch) -> Again {
        let is_number = as_var(&choice.expr).is_some_and(|var| {
            let var = &self.function.vars[var];
            var.kind == VarKind::Temp && var.stored_name == "choice" && var.remat.is_none() && !var.mutable
        });
        if !is_number {
            return Err(Not::Owned);
        }
        let mut checks = Vec::new();
        for arm in choice.arms.iter().filter(|arm| !is_constant(&arm.body)) {
            checks.extend(self.again(&arm.body)?);
        }
        Ok(checks)
    }
}

struct Bound(Vec<VarId>);

impl<'a> Visit<'a> for Bound {
    fn visit_pat(&mut self, pat: &'a syn::Pat) {
        self.0.extend(bound(pat));
        visit::visit_pat(self, pat);
    }
}

fn collect_bound(expr: &Expr, found: &mut Vec<VarId>) {
    let mut visitor = Bound(Vec::new());
    visitor.visit_expr(expr);
    found.extend(visitor.0);
}
