//! Expressions that contain an await, evaluated in Rust's order.
//!
//! `operand` gives back an expression that has not been evaluated yet; the caller evaluates it before anything else, or makes it
//! a temporary (`keep`). Everything that Rust evaluates before an await is made a temporary, unless it may be delayed.

use super::borrow::is_place;
use super::changed::{Changes, derefs, indexes, is_compound, unindexed};
use super::constant::is_constant;
use super::guard::renamed;
use super::{Dest, Lowerer, is_control, point, var_pat};
use crate::diagnostics;
use crate::effects::{Effects, Set};
use crate::ir::{Let, POLL, Stmt, VarKind, as_var, var_expr};
use quote::ToTokens;
use std::collections::BTreeMap;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{BinOp, Expr};

/// How an operand is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Moved or copied.
    Value,
    /// Borrowed by the operation, or copied when it is evaluated: a method's receiver, an operand of a comparison.
    Place,
    /// What is indexed: a place that is looked at behind its index.
    Base,
}

impl Lowerer {
    /// Lowers an expression to one without awaits, to be evaluated next.
    pub(super) fn operand(&mut self, expr: Expr) -> Expr {
        if !point::has_await(&expr) {
            return self.kept(expr);
        }
        if is_control(&expr) || matches!(expr, Expr::Unsafe(_)) {
            return self.through_temp(expr);
        }
        match expr {
            Expr::Await(awaited) => self.await_expr(awaited),
            Expr::Paren(mut e) => {
                *e.expr = self.operand(*e.expr);
                Expr::Paren(e)
            }
            Expr::Group(e) => self.operand(*e.expr),
            Expr::Try(mut e) => {
                *e.expr = self.operand(*e.expr);
                Expr::Try(e)
            }
            Expr::Unary(mut e) => {
                *e.expr = self.operand(*e.expr);
                Expr::Unary(e)
            }
            Expr::Cast(mut e) => {
                *e.expr = self.operand(*e.expr);
                Expr::Cast(e)
            }
            Expr::Field(mut e) => {
                *e.base = self.operand(*e.base);
                Expr::Field(e)
            }
            Expr::Reference(mut e) => {
                *e.expr = self.operand(*e.expr);
                Expr::Reference(e)
            }
            Expr::Binary(e) => self.binary(e),
            Expr::Assign(e) => self.assign(e),
            Expr::Return(_) | Expr::Break(_) => {
                let span = expr.span();
                self.evaluate(expr, Dest::Discard);
                never(span)
            }
            other => self.composite(other),
        }
    }

    /// A value that several paths compute.
    fn through_temp(&mut self, expr: Expr) -> Expr {
        let span = expr.span();
        let temp = self.temp("value".to_owned(), span);
        self.push(Stmt::Declare(temp));
        self.evaluate(expr, Dest::Var(temp));
        if self.current.is_none() { never(span) } else { var_expr(temp, span) }
    }

    /// Calls, literals of structs and arrays, and whatever else has several operands.
    fn composite(&mut self, expr: Expr) -> Expr {
        match expr {
            Expr::Call(mut e) => {
                let name = callee_name(&e.func);
                let func = std::mem::replace(&mut *e.func, Expr::PLACEHOLDER);
                let mut parts = vec![(func, Mode::Place)];
                parts.extend(e.args.into_iter().map(|arg| (arg, Mode::Value)));
                let mut parts = self.operands(&name, parts, 1).into_iter();
                if let Some(func) = parts.next() {
                    *e.func = func;
                }
                e.args = parts.collect();
                Expr::Call(e)
            }
            Expr::MethodCall(mut e) => {
                let name = e.method.to_string();
                let receiver = std::mem::replace(&mut *e.receiver, Expr::PLACEHOLDER);
                let mut parts = vec![(receiver, Mode::Place)];
                parts.extend(e.args.into_iter().map(|arg| (arg, Mode::Value)));
                let mut parts = self.operands(&name, parts, 1).into_iter();
                if let Some(receiver) = parts.next() {
                    *e.receiver = receiver;
                }
                e.args = parts.collect();
                Expr::MethodCall(e)
            }
            Expr::Index(e) => self.index(e),
            Expr::Tuple(mut e) => {
                e.elems = self.values("tuple", e.elems).into_iter().collect();
                if e.elems.len() == 1 {
                    e.elems.push_punct(syn::token::Comma::default());
                }
                Expr::Tuple(e)
            }
            Expr::Array(mut e) => {
                e.elems = self.values("array", e.elems).into_iter().collect();
                Expr::Array(e)
            }
            Expr::Repeat(mut e) => {
                *e.expr = self.operand(*e.expr);
                Expr::Repeat(e)
            }
            Expr::Struct(mut e) => {
                let name =
                    e.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
                let fields = e.fields.iter().map(|field| field.expr.clone());
                let parts: Vec<Expr> = fields.chain(e.rest.as_deref().cloned()).collect();
                let mut parts = self.values(&name, parts).into_iter();
                for (field, value) in e.fields.iter_mut().zip(&mut parts) {
                    field.expr = value;
                    field.colon_token.get_or_insert_with(syn::token::Colon::default);
                }
                e.rest = parts.next().map(Box::new);
                Expr::Struct(e)
            }
            Expr::Range(mut e) => {
                let parts: Vec<Expr> = e.start.iter().chain(&e.end).map(|part| (**part).clone()).collect();
                let mut parts = self.values("range", parts).into_iter();
                e.start = e.start.and_then(|_| parts.next()).map(Box::new);
                e.end = e.end.and_then(|_| parts.next()).map(Box::new);
                Expr::Range(e)
            }
            other => {
                self.errors.push(other.span(), diagnostics::UNSUPPORTED_POSITION);
                other
            }
        }
    }

    fn index(&mut self, mut e: syn::ExprIndex) -> Expr {
        let mut parts = vec![(std::mem::replace(&mut *e.expr, Expr::PLACEHOLDER), Mode::Base)];
        // A range that is kept would be moved by its use; its bounds are copied.
        match &mut *e.index {
            Expr::Range(range) => {
                let bounds = [&mut range.start, &mut range.end].into_iter().flatten();
                parts.extend(
                    bounds.map(|bound| (std::mem::replace(&mut **bound, Expr::PLACEHOLDER), Mode::Value)),
                );
            }
            index => parts.push((std::mem::replace(index, Expr::PLACEHOLDER), Mode::Value)),
        }
        let awaits: Vec<bool> = parts.iter().map(|(part, _)| point::has_await(part)).collect();
        let mut parts = self.operands("index", parts, 1).into_iter();
        if let Some(base) = parts.next() {
            *e.expr = base;
        }
        // An index that is a variable can be evaluated again with its place.
        let parts: Vec<Expr> = parts
            .zip(&awaits[1..])
            .enumerate()
            .map(
                |(at, (part, awaits))| {
                    if *awaits { self.keep(format!("index({at})"), part, Mode::Value) } else { part }
                },
            )
            .collect();
        let mut parts = parts.into_iter();
        match &mut *e.index {
            Expr::Range(range) => {
                let bounds = [&mut range.start, &mut range.end].into_iter().flatten();
                bounds.zip(parts).for_each(|(bound, part)| **bound = part);
            }
            index => *index = parts.next().unwrap_or_else(|| never(e.bracket_token.span.join())),
        }
        Expr::Index(e)
    }

    /// What is matched after an await. It is kept in a variable, so that borrows of it can be made again; but if it looks like a
    /// borrow of what was awaited, that is kept, as long as the
    /// `match` lasts. What is matched `again` has to be a place.
    pub(super) fn awaited_scrutinee(
        &mut self,
        name: &str,
        mut value: Expr,
        again: bool,
        by_ref: bool,
    ) -> Expr {
        if borrows_temporary(&value) {
            value = self.polled(name, value);
            if !again {
                return self.keep_scrutinee(value);
            }
        }
        let span = value.span();
        var_expr(self.bind_temp(name.to_owned(), value, by_ref), span)
    }

    /// Polls before the rest of an expression.
    pub(super) fn polled(&mut self, name: &str, mut value: Expr) -> Expr {
        for stmt in self.polls(name, &mut value) {
            self.push(stmt);
        }
        value
    }

    /// Takes the polls out of an expression; gives what binds them.
    pub(super) fn polls(&mut self, name: &str, expr: &mut Expr) -> Vec<Stmt> {
        let mut polls = Polls { lowerer: self, name, found: Vec::new() };
        polls.visit_expr_mut(expr);
        polls.found
    }

    fn values(&mut self, name: &str, parts: impl IntoIterator<Item = Expr>) -> Vec<Expr> {
        let parts = parts.into_iter().map(|part| (part, Mode::Value)).collect();
        self.operands(name, parts, 0)
    }

    /// Operands in evaluation order. Those before the last await are made temporaries named `name(position)`; the first
    /// `unnamed` operands are not arguments.
    fn operands(&mut self, name: &str, parts: Vec<(Expr, Mode)>, unnamed: usize) -> Vec<Expr> {
        let last = parts.iter().rposition(|(part, _)| point::has_await(part)).unwrap_or(0);
        let changes: Vec<Changes> =
            (0..parts.len()).map(|at| Changes::of(parts[at + 1..].iter().map(|(part, _)| part))).collect();
        let mut results: Vec<Expr> = Vec::new();
        let mut releases: Vec<Stmt> = Vec::new();
        let mut held = false;
        for (at, (part, mode)) in parts.into_iter().enumerate() {
            let label =
                at.checked_sub(unnamed).map_or_else(|| format!("{name}.self"), |at| format!("{name}({at})"));
            let mut value = self.operand(part);
            if at < last && borrows_temporary(&value) {
                value = self.polled(&label, value);
            }
            let value = if at < last {
                let value = if changes[at].is_empty() {
                    self.keep(label, value, mode)
                } else {
                    let value = self.keep_unchanged(label.clone(), value, mode, &changes[at]);
                    if mode == Mode::Place && is_place(&value) && changes[at].lends(&value) {
                        releases.extend(self.keep_borrowed(label, &value));
                    }
                    value
                };
                held |= !is_constant(&value);
                value
            } else if at == last && held {
                // Its poll saves the operands before it, so these must not have been moved or borrowed yet.
                self.polled(&label, value)
            } else {
                value
            };
            if at == last {
                std::mem::take(&mut releases).into_iter().for_each(|release| self.push(release));
            }
            results.push(value);
        }
        results
    }

    /// Borrows a place that stays where it is until what stands behind it is evaluated: gives the statement that ends the borrow. What
    /// changes the place in between is an error of rustc's then. Only a receiver by value would bear it (`changed`).
    fn keep_borrowed(&mut self, name: String, place: &Expr) -> Option<Stmt> {
        let place = unindexed(place);
        let span = place.span();
        let borrow: Expr = syn::parse_quote_spanned!(span=> &#place);
        self.again(&borrow).ok()?;
        let held = var_expr(self.bind_temp(name, borrow, false), span);
        Some(Stmt::Keep(Box::new(syn::parse_quote_spanned!(span=> let _ = &#held;))))
    }

    /// Makes an operand survive what is evaluated behind it.
    pub(super) fn keep(&mut self, name: String, value: Expr, mode: Mode) -> Expr {
        let place = is_place(&value);
        match value {
            value if is_constant(&value) => value,
            Expr::Closure(_) => value,
            value if mode != Mode::Value && place => value,
            // It is a variable already, made for this place.
            value if as_var(&value).is_some_and(|var| self.function.vars[var].kind == VarKind::Temp) => value,
            Expr::Reference(mut reference) => {
                if !is_place(&reference.expr) && !is_constant(&reference.expr) {
                    let span = reference.expr.span();
                    let mutable = reference.mutability.is_some();
                    let temp = self.bind_temp(name, *reference.expr, mutable);
                    *reference.expr = var_expr(temp, span);
                }
                Expr::Reference(reference)
            }
            value => self.keep_always(name, value, mode),
        }
    }

    /// Makes an operand survive what assigns variables that it mentions. What is borrowed can't be assigned, so that a place
    /// that is assigned is copied; the variables of an index are copied in any case.
    fn keep_unchanged(&mut self, name: String, mut value: Expr, mode: Mode, changes: &Changes) -> Expr {
        if let Expr::Closure(closure) = &mut value {
            let vars = if closure.capture.is_some() { changes.all_vars() } else { changes.vars() };
            self.capture_unchanged(&name, closure, &vars);
        }
        Indexes { lowerer: self, name: &name, changes }.visit_expr_mut(&mut value);
        if mode == Mode::Place && is_place(&value) && changes.changes(&value) {
            return self.keep_always(name, value, mode);
        }
        self.keep(name, value, mode)
    }

    /// A closure is made where it is used, but has what it moves in as it was here: a variable that a closure borrows can't be
    /// assigned behind it.
    fn capture_unchanged(&mut self, name: &str, closure: &mut syn::ExprClosure, changed: &Set) {
        let mentions = Effects::of_tokens(&closure.body.to_token_stream()).mentions;
        let mut copies = BTreeMap::new();
        for &var in mentions.intersection(changed) {
            let (span, label) =
                (closure.body.span(), format!("{name}.{}", self.function.vars[var].stored_name));
            copies.insert(var, self.bind_temp(label, var_expr(var, span), true));
        }
        if let Ok(body) = syn::parse2(renamed(closure.body.to_token_stream(), &copies)) {
            *closure.body = body;
        }
    }

    fn keep_always(&mut self, name: String, value: Expr, mode: Mode) -> Expr {
        let span = value.span();
        let temp = self.bind_temp(name, value, mode != Mode::Value);
        var_expr(temp, span)
    }

    fn binary(&mut self, mut e: syn::ExprBinary) -> Expr {
        let mode = match e.op {
            BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => {
                Mode::Place
            }
            _ => Mode::Value,
        };
        if is_compound(&e.op) {
            if point::has_await(&e.left) && is_pure(&e.right) {
                *e.left = self.operand(*e.left);
                return Expr::Binary(e);
            }
            // Before the right side if the types overload the operator, behind it if they are numbers.
            let awaits = point::has_await(&e.right);
            let changes = if awaits { Changes::of([&*e.right]) } else { Changes::default() };
            let certain = changes.vars();
            let places = indexes(&e.left);
            let is_moved_on =
                places.iter().any(|index| !Effects::of_expr(index).mentions.is_disjoint(&certain));
            if point::has_await(&e.left) || !is_place(&e.left) || is_moved_on {
                self.errors.push(e.left.span(), diagnostics::COMPOUND_LEFT);
            }
            let lent = places.into_iter().filter(|index| is_place(index) && changes.lends(index));
            let releases: Vec<Stmt> =
                lent.filter_map(|index| self.keep_borrowed("left.index".to_owned(), index)).collect();
            let right = self.operand(*e.right);
            *e.right = self.polled("right", right);
            releases.into_iter().for_each(|release| self.push(release));
            *e.left = self.kept(*e.left);
            return Expr::Binary(e);
        }
        let mut parts = self.operands("operator", vec![(*e.left, mode), (*e.right, mode)], 0).into_iter();
        if let (Some(left), Some(right)) = (parts.next(), parts.next()) {
            (*e.left, *e.right) = (left, right);
            return Expr::Binary(e);
        }
        never(e.op.span())
    }

    /// Rust evaluates the right side first.
    fn assign(&mut self, mut e: syn::ExprAssign) -> Expr {
        let destructures =
            !matches!(&*e.left, Expr::Index(_) | Expr::Field(_) | Expr::Unary(_) | Expr::Paren(_));
        if point::has_await(&e.left) && destructures {
            self.errors.push(e.left.span(), diagnostics::ASSIGNED_PLACES);
        }
        let mut right = self.operand(*e.right);
        if point::has_await(&e.left) {
            right = self.keep("right".to_owned(), right, Mode::Value);
        } else if !is_place(&e.left) {
            right = self.keep_always("right".to_owned(), right, Mode::Value);
        }
        *e.right = right;
        *e.left = self.operand(*e.left);
        Expr::Assign(e)
    }
}

/// Takes the polls out of an expression, each into a temporary.
struct Polls<'a> {
    lowerer: &'a mut Lowerer,
    name: &'a str,
    found: Vec<Stmt>,
}

impl VisitMut for Polls<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Expr::Macro(mac) = expr
            && mac.mac.path.is_ident(POLL)
        {
            let span = mac.mac.path.span();
            let temp = self.lowerer.temp(self.name.to_owned(), span);
            self.lowerer.function.vars[temp].mutable = true;
            let init = std::mem::replace(expr, var_expr(temp, span));
            let pat = var_pat(temp, span);
            self.found.push(Stmt::Let(Box::new(Let {
                attrs: Vec::new(),
                pat,
                ty: None,
                init,
                diverge: None,
            })));
        } else {
            visit_mut::visit_expr_mut(self, expr);
        }
    }
}

/// Whether a value looks like a borrow of a temporary that the same expression makes: `text().await.trim()`.
pub(super) fn borrows_temporary(expr: &Expr) -> bool {
    const VIEWS: &[&str] = &[
        "borrow", "chars", "deref", "first", "get", "iter", "keys", "last", "lines", "lock", "peek", "read",
        "values", "write",
    ];
    struct Finder(bool);
    impl<'a> Visit<'a> for Finder {
        fn visit_expr_method_call(&mut self, call: &'a syn::ExprMethodCall) {
            let name = call.method.to_string();
            let prefixes = ["as_", "get_", "iter_", "split", "strip_", "to_str", "trim"];
            self.0 |= VIEWS.contains(&name.as_str())
                || (name != "to_string" && prefixes.iter().any(|prefix| name.starts_with(prefix)));
            visit::visit_expr_method_call(self, call);
        }
        fn visit_expr_reference(&mut self, _: &'a syn::ExprReference) {
            self.0 = true;
        }
        fn visit_expr_closure(&mut self, _: &'a syn::ExprClosure) {}
    }
    let mut finder = Finder(false);
    finder.visit_expr(expr);
    finder.0
}

/// Copies the variables of indexes that are going to change.
struct Indexes<'a> {
    lowerer: &'a mut Lowerer,
    name: &'a str,
    changes: &'a Changes,
}

impl Indexes<'_> {
    /// A variable that is not `mut` changes only by a reference that it holds.
    fn may_change(&self, index: &Expr) -> bool {
        let (changed, lent) = (self.changes.vars(), self.changes.all_vars());
        let mut mentions = Effects::of_expr(index).mentions.into_iter();
        mentions.any(|var| {
            let is_mutable = self.lowerer.function.vars[var].mutable || derefs(index);
            changed.contains(&var) || (is_mutable && lent.contains(&var))
        })
    }
}

impl VisitMut for Indexes<'_> {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Closure(_) | Expr::Async(_) => {}
            Expr::Index(e) => {
                self.visit_expr_mut(&mut e.expr);
                if self.may_change(&e.index) {
                    let index = std::mem::replace(&mut *e.index, Expr::PLACEHOLDER);
                    let name = format!("{}.index", self.name);
                    *e.index = self.lowerer.keep_always(name, index, Mode::Value);
                }
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }
}

/// An expression without effects, which may be evaluated before or after another.
fn is_pure(expr: &Expr) -> bool {
    match expr {
        Expr::Binary(e) => is_pure(&e.left) && is_pure(&e.right),
        Expr::Unary(e) => is_pure(&e.expr),
        Expr::Cast(e) => is_pure(&e.expr),
        Expr::Paren(e) => is_pure(&e.expr),
        Expr::Group(e) => is_pure(&e.expr),
        expr => is_constant(expr) || is_place(expr),
    }
}

/// Stands where control does not come.
fn never(span: proc_macro2::Span) -> Expr {
    syn::parse_quote_spanned!(span=> ::core::unreachable!())
}

fn callee_name(func: &Expr) -> String {
    match func {
        Expr::Path(path) => {
            path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
        }
        _ => "call".to_owned(),
    }
}
