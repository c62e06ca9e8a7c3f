//! Temporaries that a borrow needs: what it borrows from, and the indices it was taken by.
//!
//! `&make()` keeps its value in a variable of its own, from which the borrow can be made again. An index that may change, as in
//! `&items[i]` or `items.get(i + 1)`, is copied into a variable that does not. Receivers are places, so that evaluating an index
//! before them changes nothing.

use super::Lowerer;
use super::borrow::is_place;
use super::constant::is_constant;
use super::views::Method;
use crate::ir::{VarKind, as_var, var_expr};
use proc_macro2::{Ident, Span};
use syn::Expr;
use syn::spanned::Spanned;

impl Lowerer {
    /// Prepares a `let`'s value: a reference to a temporary value keeps that value in a variable of its own.
    pub(super) fn keep_temporary(&mut self, mut value: Expr) -> Expr {
        self.hold(&mut value);
        value
    }

    /// Prepares what is matched or iterated, whose temporaries live as long as the construct.
    pub(super) fn keep_scrutinee(&mut self, mut value: Expr) -> Expr {
        let mut probed = value.clone();
        if let Some(root) = self.chain_root(&mut probed)
            && !is_place(root)
            && !is_constant(root)
            && !self.is_iterator(root)
            && !matches!(root, Expr::Reference(_))
        {
            // Would the chain borrow from a variable that holds the root?
            let span = root.span();
            let ident = Ident::new("__borrowed", Span::mixed_site());
            let probe = self.function.new_var(VarKind::Temp, ident, String::new());
            *root = var_expr(probe, span);
            let borrows =
                self.again(&probed).is_ok() || self.iteration(&probed).is_ok_and(|found| found.is_iterator);
            self.function.vars[probe].flattened = false;
            if borrows && let Some(root) = self.chain_root(&mut value) {
                let original = std::mem::replace(root, Expr::PLACEHOLDER);
                let temp = self.bind_temp("borrowed".to_owned(), original, true);
                if let Some(root) = self.chain_root(&mut probed) {
                    *root = var_expr(temp, span);
                }
                value = probed;
            }
        }
        self.hold(&mut value);
        value
    }

    /// Whether a value can be borrowed from where it stands, without temporaries.
    pub(super) fn needs_no_temporary(&self, value: &Expr) -> bool {
        match value {
            Expr::Reference(e) if !is_place(&e.expr) && !is_constant(&e.expr) => false,
            Expr::Reference(_) | Expr::Index(_) => self.again(value).is_ok() || self.place(value).is_ok(),
            Expr::MethodCall(e) => {
                self.method(e) == Method::Other || self.again(value).is_ok() || !is_place(chain_end(value))
            }
            _ => true,
        }
    }

    /// What a chain of methods that borrow is called on.
    fn chain_root<'e>(&self, expr: &'e mut Expr) -> Option<&'e mut Expr> {
        let Expr::MethodCall(call) = expr else { return None };
        if self.method(call) == Method::Other {
            return None;
        }
        let goes_on =
            matches!(&*call.receiver, Expr::MethodCall(inner) if self.method(inner) != Method::Other);
        if goes_on { self.chain_root(&mut call.receiver) } else { Some(&mut call.receiver) }
    }

    fn hold(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Paren(e) => self.hold(&mut e.expr),
            Expr::Group(e) => self.hold(&mut e.expr),
            Expr::Try(e) => self.hold(&mut e.expr),
            Expr::Reference(e) if !is_constant(&e.expr) => {
                let mutable = e.mutability.is_some();
                self.hold_place(&mut e.expr, mutable);
            }
            Expr::MethodCall(_) => self.hold_chain(expr),
            Expr::Index(_) | Expr::Field(_) if is_place(expr) => self.hold_place(expr, false),
            // Borrows of places have no effects, so that a temporary of one may come before another.
            Expr::Tuple(e)
                if e.elems.iter().all(|part| {
                    matches!(part, Expr::Reference(_)) || is_constant(part) || is_place(part)
                }) =>
            {
                e.elems.iter_mut().for_each(|part| self.hold(part));
            }
            _ => {}
        }
    }

    /// Prepares the place behind a `&`.
    fn hold_place(&mut self, expr: &mut Expr, mutable: bool) {
        if is_constant(expr) {
            return;
        }
        let is_rooted = is_place(place_root(expr)) || matches!(place_root(expr), Expr::MethodCall(_));
        match expr {
            Expr::Paren(e) => self.hold_place(&mut e.expr, mutable),
            Expr::Group(e) => self.hold_place(&mut e.expr, mutable),
            Expr::Field(e) if is_rooted => self.hold_place(&mut e.base, mutable),
            Expr::Unary(e) if is_rooted && matches!(e.op, syn::UnOp::Deref(_)) => {
                self.hold_place(&mut e.expr, mutable);
            }
            Expr::Index(e) if is_rooted => {
                self.hold_place(&mut e.expr, mutable);
                self.hold_argument(&mut e.index);
            }
            expr if is_place(expr) => {}
            expr => {
                self.hold_chain(expr);
                let borrows = self.again(expr).is_ok();
                let span = expr.span();
                let value = std::mem::replace(expr, Expr::PLACEHOLDER);
                let value = self.keep_temporary(value);
                let temp = self.bind_temp("borrowed".to_owned(), value, mutable && !borrows);
                *expr = var_expr(temp, span);
            }
        }
    }

    /// Prepares the arguments of a chain of methods that borrow from a place.
    fn hold_chain(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Paren(e) => self.hold_chain(&mut e.expr),
            Expr::Group(e) => self.hold_chain(&mut e.expr),
            Expr::Range(e) => {
                for part in e.start.iter_mut().chain(&mut e.end) {
                    self.hold_argument(part);
                }
            }
            Expr::Reference(e) if is_place(&e.expr) => self.hold_place(&mut e.expr, false),
            Expr::MethodCall(e) => {
                let method = self.method(e);
                let over = self.is_iterator(&e.receiver);
                if matches!(method, Method::Other) {
                    return;
                }
                self.hold_chain(&mut e.receiver);
                let borrows =
                    if over { self.iteration(&e.receiver).is_ok() } else { self.place(&e.receiver).is_ok() };
                if !borrows || matches!(method, Method::Closure | Method::Search) {
                    return;
                }
                for arg in &mut e.args {
                    if e.method == "zip" || e.method == "chain" {
                        self.hold_chain(arg);
                    } else {
                        self.hold_argument(arg);
                    }
                }
            }
            expr if is_place(expr) => self.hold_place(expr, false),
            _ => {}
        }
    }

    /// An index or an argument that may be another one later is copied.
    fn hold_argument(&mut self, arg: &mut Expr) {
        if let Expr::Range(e) = arg {
            for part in e.start.iter_mut().chain(&mut e.end) {
                self.hold_argument(part);
            }
            return;
        }
        let is_borrow = self.again(arg).is_ok() || matches!(arg, Expr::Reference(_) | Expr::Closure(_));
        let is_refused = as_var(arg).is_some_and(|var| self.function.vars[var].refusal.is_some());
        if is_borrow || is_refused || self.is_stable(arg) {
            return;
        }
        let span = arg.span();
        let value = std::mem::replace(arg, Expr::PLACEHOLDER);
        let temp = self.bind_temp("index".to_owned(), value, false);
        *arg = var_expr(temp, span);
    }
}

/// What a place's path begins with.
fn place_root(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(e) => place_root(&e.expr),
        Expr::Group(e) => place_root(&e.expr),
        Expr::Field(e) => place_root(&e.base),
        Expr::Index(e) => place_root(&e.expr),
        Expr::Unary(e) if matches!(e.op, syn::UnOp::Deref(_)) => place_root(&e.expr),
        expr => expr,
    }
}

fn chain_end(expr: &Expr) -> &Expr {
    match expr {
        Expr::MethodCall(call) => chain_end(&call.receiver),
        expr => place_root(expr),
    }
}
