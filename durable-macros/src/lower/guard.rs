//! A `match` with guards that await: a chain of matches over one place.
//!
//! Rust evaluates a guard while the pattern's bindings are only borrowed, moves them when the arm is taken, and goes on with
//! the next arm if it is not. So each such arm ends a `match`, in which its pattern binds nothing; the guard is lowered like a
//! condition; if it holds, a second `match` binds the arm's variables, and if not, another `match` holds the arms behind it.
//! A resume in a guard or in a body is behind the choice, which is never made again.
//!
//! What mentions a binding in such a guard is evaluated in a guard of rustc's own (`in_guard`): only there has a
//! binding by value its type and is not moved, and no type is known here.

use super::pattern::forget;
use super::{Lowerer, Pat, point};
use crate::diagnostics;
use crate::effects::Effects;
use crate::ir::{Arm, BlockId, Stmt, Term, VarId, VarKind, bound, marked, marker};
use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::BTreeMap;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Lifetime, Stmt as UserStmt};

/// Whether an arm's guard makes the `match` a chain: it awaits, or it binds variables of its own.
pub(super) fn is_chained(arm: &syn::Arm) -> bool {
    fn binds(expr: &Expr) -> bool {
        match expr {
            Expr::Let(_) => true,
            Expr::Binary(binary) => binds(&binary.left) || binds(&binary.right),
            Expr::Paren(inner) => binds(&inner.expr),
            Expr::Group(inner) => binds(&inner.expr),
            _ => false,
        }
    }
    arm.guard.as_ref().is_some_and(|(_, guard)| point::has_await(guard) || binds(guard))
}

impl Lowerer {
    /// Lowers the choice; gives the arms' bodies with their blocks.
    pub(super) fn chain(
        &mut self,
        arms: Vec<syn::Arm>,
        scrutinee: &Expr,
        names: &[String],
    ) -> Vec<(BlockId, Expr)> {
        let mut bodies = Vec::new();
        // Arms without a guard, which can't match any more further down: they are there for rustc's exhaustiveness.
        let mut passed: Vec<Pat> = Vec::new();
        let mut open: Vec<Arm> = Vec::new();
        for (arm, name) in arms.into_iter().zip(names) {
            let target = self.new_block();
            if is_chained(&arm) {
                self.path.push(format!("{name}.guard"));
                let next = self.chained_arm(&arm, scrutinee, target, std::mem::take(&mut open));
                self.path.pop();
                self.start(next);
                open = passed.iter().map(|pat| self.passed_arm(pat)).collect();
            } else {
                self.rematerialise_pattern(&arm.pat, None, scrutinee);
                self.flatten(&arm.pat, Some(target));
                let guard = arm.guard.map(|(_, guard)| self.kept(*guard));
                if guard.is_none() {
                    passed.push(arm.pat.clone());
                }
                open.push(Arm { attrs: arm.attrs, pat: arm.pat, guard, target });
            }
            bodies.push((target, *arm.body));
        }
        self.choose(scrutinee, open);
        bodies
    }

    /// Ends the block with a `match`; arms that can't be reached have their `unreachable!()`.
    fn choose(&mut self, scrutinee: &Expr, arms: Vec<Arm>) {
        let targets: Vec<BlockId> = arms.iter().map(|arm| arm.target).collect();
        self.end(Term::Match { scrutinee: Box::new(scrutinee.clone()), arms });
        for target in targets {
            if self.function.blocks[target].never {
                self.start(target);
                self.push(Stmt::Keep(Box::new(syn::parse_quote!(::core::unreachable!();))));
                self.end(Term::Never);
            }
        }
    }

    fn passed_arm(&mut self, pat: &Pat) -> Arm {
        let mut pat = pat.clone();
        let all = bound(&pat);
        forget(&mut pat, &all);
        let target = self.never_block();
        Arm { attrs: Vec::new(), pat, guard: None, target }
    }

    fn never_block(&mut self) -> BlockId {
        let block = self.new_block();
        self.function.blocks[block].never = true;
        block
    }

    /// Ends the `match` under construction with an arm whose guard awaits; gives the block where the arms behind it go on.
    fn chained_arm(
        &mut self,
        arm: &syn::Arm,
        scrutinee: &Expr,
        target: BlockId,
        mut open: Vec<Arm>,
    ) -> BlockId {
        if may_match_twice(&arm.pat) {
            self.errors.push(arm.pat.span(), diagnostics::GUARDED_ALTERNATIVES);
        }
        let (test, taken, next) = (self.new_block(), self.new_block(), self.new_block());
        let mut unbound = arm.pat.clone();
        forget(&mut unbound, &bound(&arm.pat));
        open.push(Arm { attrs: arm.attrs.clone(), pat: unbound, guard: None, target: test });
        open.push(otherwise(next));
        self.choose(scrutinee, open);
        self.start(test);
        if let Some((_, guard)) = &arm.guard {
            self.guard(&arm.pat, guard, scrutinee, (test, taken, next));
        }
        self.start(taken);
        self.rematerialise_pattern(&arm.pat, None, scrutinee);
        self.flatten(&arm.pat, Some(target));
        let impossible = self.never_block();
        // A binding that only the guard uses is used.
        let taken = Arm {
            attrs: vec![syn::parse_quote!(#[allow(unused_variables)])],
            pat: arm.pat.clone(),
            guard: None,
            target,
        };
        self.choose(scrutinee, vec![taken, otherwise(impossible)]);
        next
    }

    fn guard(
        &mut self,
        pat: &Pat,
        guard: &Expr,
        scrutinee: &Expr,
        (test, taken, next): (BlockId, BlockId, BlockId),
    ) {
        let mut copies = BTreeMap::new();
        for var in bound(pat) {
            let ident = self.function.vars[var].ident.clone();
            let name = self.function.vars[var].stored_name.clone();
            let copy = self.function.new_var(VarKind::Temp, ident, name);
            self.function.vars[copy].flattened = false;
            copies.insert(var, copy);
        }
        let mut pat = pat.clone();
        Copies(&copies).visit_pat_mut(&mut pat);
        let guard = match syn::parse2(renamed(guard.to_token_stream(), &copies)) {
            Ok(guard) => guard,
            Err(error) => return self.errors.push_error(error),
        };
        let first = self.function.blocks.len();
        self.condition(guard, taken, next);
        let label = Lifetime::new(&format!("'guard{test}"), Span::mixed_site());
        let place = Guarded { pat, scrutinee: scrutinee.clone(), label };
        for block in std::iter::once(test).chain(first..self.function.blocks.len()) {
            self.guarded_block(block, &place);
        }
    }

    fn guarded_block(&mut self, block: BlockId, place: &Guarded) {
        let stmts = std::mem::take(&mut self.function.blocks[block].stmts);
        let mut term = std::mem::take(&mut self.function.blocks[block].term);
        let mut done = Vec::new();
        for mut stmt in stmts {
            match &mut stmt {
                Stmt::Keep(kept) => {
                    if let UserStmt::Expr(expr, _) = &mut **kept {
                        self.in_guard(expr, place, &mut done);
                    } else if place.is_mentioned(kept) {
                        let mut expr: Expr = syn::parse_quote!({ #kept });
                        self.in_guard(&mut expr, place, &mut done);
                        **kept = UserStmt::Expr(expr, Some(syn::token::Semi::default()));
                    }
                }
                Stmt::Let(bind) => self.in_guard(&mut bind.init, place, &mut done),
                Stmt::Set(_, value) => self.in_guard(value, place, &mut done),
                Stmt::Declare(_) => {}
            }
            done.push(stmt);
        }
        match &mut term {
            Term::If { cond, .. } => self.in_guard_chain(cond, place, &mut done),
            Term::Match { scrutinee, .. } => self.in_guard(scrutinee, place, &mut done),
            Term::Return(Some(value)) => self.in_guard(value, place, &mut done),
            _ => {}
        }
        self.function.blocks[block].stmts = done;
        self.function.blocks[block].term = term;
    }

    fn in_guard_chain(&mut self, cond: &mut Expr, place: &Guarded, before: &mut Vec<Stmt>) {
        match cond {
            Expr::Let(cond) => self.in_guard(&mut cond.expr, place, before),
            Expr::Binary(e) if matches!(e.op, syn::BinOp::And(_)) => {
                self.in_guard_chain(&mut e.left, place, before);
                self.in_guard_chain(&mut e.right, place, before);
            }
            other => self.in_guard(other, place, before),
        }
    }

    /// `'guard: { match scrutinee { pat if break 'guard (expr) => .. } }`.
    fn in_guard(&mut self, expr: &mut Expr, place: &Guarded, before: &mut Vec<Stmt>) {
        if !place.is_mentioned(expr) {
            return;
        }
        // A poll saves variables by their names, which the pattern may have hidden.
        before.extend(self.polls("guard", expr));
        *expr = place.evaluated(expr);
    }
}

/// What the pieces of a guard are evaluated in.
struct Guarded {
    pat: Pat,
    scrutinee: Expr,
    label: Lifetime,
}

impl Guarded {
    fn is_mentioned(&self, syntax: &impl ToTokens) -> bool {
        let mentions = Effects::of_tokens(&syntax.to_token_stream()).mentions;
        bound(&self.pat).iter().any(|var| mentions.contains(var))
    }

    fn evaluated(&self, expr: &Expr) -> Expr {
        let (label, scrutinee) = (&self.label, &self.scrutinee);
        let mentions = Effects::of_tokens(&expr.to_token_stream()).mentions;
        let unused: Vec<VarId> = bound(&self.pat).into_iter().filter(|var| !mentions.contains(var)).collect();
        let mut pat = self.pat.clone();
        forget(&mut pat, &unused);
        syn::parse_quote!(#label: {
            match #scrutinee {
                #pat if break #label (#expr) => ::core::unreachable!(),
                #[allow(unreachable_patterns)]
                _ => ::core::unreachable!(),
            }
        })
    }
}

/// Gives the bindings of a pattern other variables, which are immutable.
struct Copies<'a>(&'a BTreeMap<VarId, VarId>);

impl VisitMut for Copies<'_> {
    fn visit_pat_ident_mut(&mut self, pat: &mut syn::PatIdent) {
        if let Some(copy) = marked(&pat.ident).and_then(|var| self.0.get(&var)) {
            pat.ident = marker(*copy, pat.ident.span());
            if pat.by_ref.is_none() {
                pat.mutability = None;
            }
        }
        visit_mut::visit_pat_ident_mut(self, pat);
    }
}

/// The same tokens with other variables.
pub(super) fn renamed(tokens: TokenStream, copies: &BTreeMap<VarId, VarId>) -> TokenStream {
    let rename = |tree| match tree {
        TokenTree::Ident(ident) => {
            let copy = marked(&ident).and_then(|var| copies.get(&var));
            TokenTree::Ident(copy.map_or(ident.clone(), |copy| marker(*copy, ident.span())))
        }
        TokenTree::Group(group) => {
            let mut copy = Group::new(group.delimiter(), renamed(group.stream(), copies));
            copy.set_span(group.span());
            TokenTree::Group(copy)
        }
        other => other,
    };
    tokens.into_iter().map(rename).collect()
}

/// The arm of whatever did not match, which may be nothing.
fn otherwise(target: BlockId) -> Arm {
    let attrs = vec![syn::parse_quote!(#[allow(unreachable_patterns)])];
    Arm { attrs, pat: syn::parse_quote!(_), guard: None, target }
}

/// Whether two alternatives of a pattern may match the same value: Rust would try the guard for each of them.
fn may_match_twice(pat: &Pat) -> bool {
    use syn::visit::{self, Visit};
    struct Finder(bool);
    impl<'a> Visit<'a> for Finder {
        fn visit_pat_or(&mut self, pat: &'a syn::PatOr) {
            let cases: Vec<&Pat> = pat.cases.iter().collect();
            for (at, case) in cases.iter().enumerate() {
                self.0 |= cases[..at].iter().any(|other| !are_disjoint(case, other));
            }
            visit::visit_pat_or(self, pat);
        }
    }
    let mut finder = Finder(false);
    finder.visit_pat(pat);
    finder.0
}

/// Whether no value matches both patterns, as far as their spelling tells.
fn are_disjoint(a: &Pat, b: &Pat) -> bool {
    let any = |a: Vec<&Pat>, b: Vec<&Pat>| {
        let open = |pats: &[&Pat]| pats.iter().any(|pat| matches!(pat, Pat::Rest(_)));
        !open(&a) && !open(&b) && a.iter().zip(&b).any(|(a, b)| are_disjoint(a, b))
    };
    match (inner(a), inner(b)) {
        (Pat::Lit(a), Pat::Lit(b)) => a.to_token_stream().to_string() != b.to_token_stream().to_string(),
        (Pat::Tuple(a), Pat::Tuple(b)) => any(a.elems.iter().collect(), b.elems.iter().collect()),
        (Pat::Reference(a), Pat::Reference(b)) => are_disjoint(&a.pat, &b.pat),
        (Pat::Or(a), _) => a.cases.iter().all(|case| are_disjoint(case, b)),
        (_, Pat::Or(b)) => b.cases.iter().all(|case| are_disjoint(a, case)),
        (a, b) => match (constructor(a), constructor(b)) {
            (Some(x), Some(y)) if x != y => true,
            (Some(_), Some(_)) => match (a, b) {
                (Pat::TupleStruct(a), Pat::TupleStruct(b)) => {
                    any(a.elems.iter().collect(), b.elems.iter().collect())
                }
                (Pat::Struct(a), Pat::Struct(b)) => a.fields.iter().any(|field| {
                    let same = b.fields.iter().find(|other| other.member == field.member);
                    same.is_some_and(|other| are_disjoint(&field.pat, &other.pat))
                }),
                _ => false,
            },
            _ => false,
        },
    }
}

fn inner(pat: &Pat) -> &Pat {
    match pat {
        Pat::Paren(pat) => inner(&pat.pat),
        Pat::Ident(syn::PatIdent { subpat: Some((_, pat)), .. }) => inner(pat),
        pat => pat,
    }
}

/// The name of the variant or struct that a pattern matches.
fn constructor(pat: &Pat) -> Option<String> {
    let last = |path: &syn::Path| path.segments.last().map(|segment| segment.ident.to_string());
    match pat {
        Pat::TupleStruct(pat) => last(&pat.path),
        Pat::Struct(pat) => last(&pat.path),
        Pat::Path(pat) => last(&pat.path),
        Pat::Ident(pat) if marked(&pat.ident).is_none() => Some(pat.ident.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::may_match_twice;
    use syn::parse::Parser;

    #[test]
    fn alternatives_that_overlap() {
        for (pattern, twice) in [
            ("x", false),
            ("A(x) | B(x)", false),
            ("Kind::A { x, .. } | Kind::B(x)", false),
            ("1 | 2", false),
            ("(A, x) | (B, x)", false),
            ("A(1, x) | A(2, x)", false),
            ("Some(A | B)", false),
            ("(x, _) | (_, x)", true),
            ("A(1, x) | A(x, 1)", true),
            ("1..=5 | 3", true),
        ] {
            let parsed = syn::Pat::parse_multi.parse_str(pattern).expect("a pattern");
            assert_eq!(may_match_twice(&parsed), twice, "{pattern}");
        }
    }
}
