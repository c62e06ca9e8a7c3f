//! Which borrows can be made again after a restore, and how.
//!
//! Rule: an immutable binding with one initialiser that is a borrow of a *place*, or a pattern over one. A place is a field path
//! over variables; an index in it is a literal or an immutable variable. A mutable root is allowed when it is saved itself: then
//! it owns its value, and the borrow that is alive keeps rustc from letting it change. String literals and constants are made
//! again as well.

use super::Lowerer;
use crate::ir::{Function, Remat, VarId, as_var, bound, marked, var_expr};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Pat};

/// Methods that borrow from their receiver and do nothing else.
const VIEWS: &[&str] =
    &["as_str", "as_slice", "as_bytes", "as_path", "as_ref", "as_deref", "as_mut", "as_deref_mut"];
/// Methods that iterate over their receiver in an order that survives a restore.
const ITERATORS: &[&str] = &[
    "iter",
    "iter_mut",
    "chars",
    "char_indices",
    "bytes",
    "lines",
    "keys",
    "values",
    "values_mut",
    "split_whitespace",
    "chunks",
    "windows",
    "chunks_exact",
];
/// Adaptors of iterators without a closure.
const ADAPTORS: &[&str] =
    &["enumerate", "rev", "skip", "take", "step_by", "zip", "peekable", "copied", "cloned", "fuse", "chain"];

/// A place: evaluating it has no effect and moves nothing by itself.
pub(super) fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) => true,
        Expr::Paren(e) => is_place(&e.expr),
        Expr::Group(e) => is_place(&e.expr),
        Expr::Field(e) => is_place(&e.base),
        Expr::Index(e) => is_place(&e.expr) && is_plain_index(&e.index),
        Expr::Unary(e) => matches!(e.op, syn::UnOp::Deref(_)) && is_place(&e.expr),
        _ => false,
    }
}

/// Something that is the same whenever it is evaluated: a literal, a constant, a function's path.
pub(super) fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) => true,
        Expr::Path(_) => as_var(expr).is_none(),
        Expr::Paren(e) => is_constant(&e.expr),
        Expr::Group(e) => is_constant(&e.expr),
        Expr::Unary(e) => matches!(e.op, syn::UnOp::Neg(_) | syn::UnOp::Not(_)) && is_constant(&e.expr),
        Expr::Cast(e) => is_constant(&e.expr),
        Expr::Reference(e) => is_constant(&e.expr),
        Expr::Tuple(e) => e.elems.iter().all(is_constant),
        Expr::Array(e) => e.elems.iter().all(is_constant),
        _ => false,
    }
}

/// An index without effects: `[0]`, `[i]`, `[..]`, `[i..]`.
fn is_plain_index(expr: &Expr) -> bool {
    match expr {
        Expr::Range(e) => e.start.iter().chain(&e.end).all(|part| is_plain_index(part)),
        expr => is_constant(expr) || is_place(expr),
    }
}

/// Whether a pattern binds by `ref`.
pub(super) fn binds_by_ref(pat: &Pat) -> bool {
    use syn::visit::Visit;
    struct Finder(bool);
    impl<'a> Visit<'a> for Finder {
        fn visit_pat_ident(&mut self, pat: &'a syn::PatIdent) {
            self.0 |= pat.by_ref.is_some();
            syn::visit::visit_pat_ident(self, pat);
        }
    }
    let mut finder = Finder(false);
    finder.visit_pat(pat);
    finder.0
}

/// Replaces the bindings of some variables by `_`.
pub(crate) fn forget(pat: &mut Pat, vars: &[VarId]) {
    struct Forget<'a>(&'a [VarId]);
    impl VisitMut for Forget<'_> {
        fn visit_pat_mut(&mut self, pat: &mut Pat) {
            visit_mut::visit_pat_mut(self, pat);
            if let Pat::Ident(ident) = pat
                && marked(&ident.ident).is_some_and(|var| self.0.contains(&var))
            {
                *pat = match ident.subpat.take() {
                    Some((_, inner)) => *inner,
                    None => syn::parse_quote!(_),
                };
            }
        }
    }
    Forget(vars).visit_pat_mut(pat);
}

impl Lowerer {
    /// A reference to a temporary value keeps that value in a variable of its own: `let x = &make();`.
    pub(super) fn keep_temporary(&mut self, value: Expr) -> Expr {
        match value {
            Expr::Reference(mut reference)
                if !is_place(&reference.expr)
                    && !is_constant(&reference.expr)
                    && !is_view(&reference.expr) =>
            {
                let inner = std::mem::replace(&mut *reference.expr, Expr::PLACEHOLDER);
                let span = inner.span();
                let inner = self.keep_temporary(inner);
                let temp = self.bind_temp("borrowed".to_owned(), inner, reference.mutability.is_some());
                *reference.expr = var_expr(temp, span);
                Expr::Reference(reference)
            }
            value => value,
        }
    }

    /// Finds the bindings of a pattern that can be made again by matching the value again.
    pub(super) fn rematerialise_pattern(&mut self, pat: &Pat, value: &Expr) {
        let by_reference = self.is_borrow(value);
        if !by_reference && !self.is_stable_place(value) {
            return;
        }
        let mut found = Vec::new();
        borrowed_bindings(pat, by_reference, &mut found);
        found.retain(|var| !self.function.vars[*var].mutable);
        if found.is_empty() {
            return;
        }
        let saved: Vec<VarId> = bound(pat).into_iter().filter(|var| !found.contains(var)).collect();
        let mut pat = pat.clone();
        forget(&mut pat, &saved);
        self.function.remats.push(Remat { pat, expr: value.clone(), count: None });
        for var in found {
            self.function.vars[var].remat = Some(self.function.remats.len() - 1);
        }
    }

    /// An expression whose value is a borrow of a place, or a copy of one.
    fn is_borrow(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Reference(e) => self.is_stable_place(&e.expr) || is_constant(&e.expr),
            Expr::Lit(e) => matches!(e.lit, syn::Lit::Str(_) | syn::Lit::ByteStr(_) | syn::Lit::CStr(_)),
            Expr::Path(e) if is_const_path(&e.path) => true,
            Expr::Paren(e) => self.is_borrow(&e.expr),
            Expr::Group(e) => self.is_borrow(&e.expr),
            Expr::MethodCall(e) => {
                VIEWS.contains(&e.method.to_string().as_str())
                    && e.args.is_empty()
                    && self.is_stable_place(&e.receiver)
            }
            expr => as_var(expr).is_some_and(|var| self.function.vars[var].remat.is_some()),
        }
    }

    /// A place that is the same after a restore.
    fn is_stable_place(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Paren(e) => self.is_stable_place(&e.expr),
            Expr::Group(e) => self.is_stable_place(&e.expr),
            Expr::Field(e) => self.is_stable_place(&e.base),
            Expr::Unary(e) => matches!(e.op, syn::UnOp::Deref(_)) && self.is_stable_place(&e.expr),
            Expr::Index(e) => self.is_stable_place(&e.expr) && is_stable_index(&self.function, &e.index),
            Expr::MethodCall(_) => self.is_borrow(expr),
            expr => as_var(expr).is_some_and(|var| self.function.vars[var].flattened),
        }
    }

    /// Whether a `for` runs over something borrowed, whose iterator can be made again.
    pub(super) fn is_borrowed_iteration(&self, expr: &Expr) -> bool {
        if self.is_borrow(expr) {
            // A constant may be an array, which is iterated by value.
            return !is_constant(expr) || matches!(expr, Expr::Reference(_));
        }
        match expr {
            Expr::Paren(e) => self.is_borrowed_iteration(&e.expr),
            Expr::Group(e) => self.is_borrowed_iteration(&e.expr),
            Expr::MethodCall(e) => {
                let method = e.method.to_string();
                let stable =
                    |arg: &Expr| is_stable_index(&self.function, arg) || self.is_borrowed_iteration(arg);
                if !e.args.iter().all(stable) {
                    return false;
                }
                (ITERATORS.contains(&method.as_str()) && self.is_stable_place(&e.receiver))
                    || (ADAPTORS.contains(&method.as_str()) && self.is_borrowed_iteration(&e.receiver))
            }
            _ => false,
        }
    }
}

/// A constant by its spelling, `LIMIT` or `module::LIMIT`: its value may be a `&'static str`, which can't be saved.
fn is_const_path(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|last| {
        let name = last.ident.to_string();
        name.len() > 1
            && marked(&last.ident).is_none()
            && name.chars().all(|c| c.is_uppercase() || c.is_numeric() || c == '_')
    })
}

fn is_view(expr: &Expr) -> bool {
    matches!(expr, Expr::MethodCall(e) if VIEWS.contains(&e.method.to_string().as_str()) && is_place(&e.receiver))
}

fn is_stable_index(function: &Function, expr: &Expr) -> bool {
    match expr {
        Expr::Range(e) => {
            let stable =
                |part: &Option<Box<Expr>>| part.as_ref().is_none_or(|part| is_stable_index(function, part));
            stable(&e.start) && stable(&e.end)
        }
        expr => is_constant(expr) || as_var(expr).is_some_and(|var| !function.vars[var].mutable),
    }
}

/// The bindings of a pattern that are references into the matched value: `ref`, or by the default binding mode.
fn borrowed_bindings(pat: &Pat, by_reference: bool, found: &mut Vec<VarId>) {
    let mut all = |pats: &mut dyn Iterator<Item = &Pat>| {
        pats.for_each(|pat| borrowed_bindings(pat, by_reference, found));
    };
    match pat {
        Pat::Ident(pat) => {
            if (by_reference || pat.by_ref.is_some())
                && let Some(var) = marked(&pat.ident)
                && !found.contains(&var)
            {
                found.push(var);
            }
            if let Some((_, inner)) = &pat.subpat {
                borrowed_bindings(inner, by_reference, found);
            }
        }
        Pat::Reference(pat) => borrowed_bindings(&pat.pat, false, found),
        Pat::Or(pat) => all(&mut pat.cases.iter()),
        Pat::Paren(pat) => borrowed_bindings(&pat.pat, by_reference, found),
        Pat::Slice(pat) => all(&mut pat.elems.iter()),
        Pat::Struct(pat) => all(&mut pat.fields.iter().map(|field| &*field.pat)),
        Pat::Tuple(pat) => all(&mut pat.elems.iter()),
        Pat::TupleStruct(pat) => all(&mut pat.elems.iter()),
        Pat::Type(pat) => borrowed_bindings(&pat.pat, by_reference, found),
        _ => {}
    }
}
