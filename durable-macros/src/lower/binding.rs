//! Parameters and `let`.

use super::pattern::binds_by_ref;
use super::{Dest, Lowerer, borrow, is_control, plain, point, var_pat};
use crate::diagnostics;
use crate::ir::{ARGS, Let, Stmt, Term, bound, marked, var_expr};
use crate::parse::{Workflow, take_resume, take_was};
use proc_macro2::{Ident, Span};
use syn::spanned::Spanned;
use syn::{Expr, Pat, Type};

impl Lowerer {
    pub(super) fn params(&mut self, workflow: &Workflow) {
        let mut pats: Vec<Pat> = Vec::new();
        let mut separate = Vec::new();
        for param in &workflow.params {
            if param.referent.is_some() || !param.attrs.is_empty() {
                let name = match &param.pat {
                    Pat::Ident(pat) => {
                        marked(&pat.ident).map(|var| self.function.vars[var].stored_name.clone())
                    }
                    _ => None,
                };
                let owned =
                    self.temp(name.unwrap_or_else(|| format!("argument({})", pats.len())), param.pat.span());
                self.function.vars[owned].was.clone_from(&param.was);
                pats.push(var_pat(owned, param.pat.span()));
                separate.push((owned, param));
            } else {
                self.flatten(&param.pat, self.current);
                pats.push(param.pat.clone());
            }
            for var in bound(&param.pat) {
                self.function.vars[var].was.clone_from(&param.was);
            }
        }
        let args = Ident::new(ARGS, Span::mixed_site());
        let init: Expr = syn::parse_quote!(#args!());
        let pat = syn::parse_quote!((#(#pats,)*));
        let types = crate::storable::arguments(workflow);
        let ty = Some(syn::parse_quote!((#(#types,)*)));
        self.push(Stmt::Let(Box::new(Let { attrs: Vec::new(), pat, ty, init, diverge: None })));
        for (owned, param) in separate {
            let owned = var_expr(owned, param.pat.span());
            let value = if param.referent.is_some() { syn::parse_quote!(&#owned) } else { owned };
            self.simple_let(param.attrs.clone(), param.pat.clone(), Some(param.ty.clone()), value, None);
        }
    }

    pub(super) fn local(&mut self, mut local: syn::Local) {
        self.resume = take_resume(&mut local.attrs, &mut self.errors);
        let was = self.errors.was(take_was(&mut local.attrs, &local.pat));
        self.allow(&local.attrs);
        let (pat, ty) = match local.pat {
            Pat::Type(typed) => (*typed.pat, Some(*typed.ty)),
            pat => (pat, None),
        };
        if let Pat::Ident(ident) = &pat
            && let Some(var) = marked(&ident.ident)
        {
            self.binding = self.function.vars[var].stored_name.clone();
            self.function.vars[var].was = was;
        }
        match local.init {
            None => self.deferred(&pat, ty.as_ref()),
            Some(init) => {
                let diverge = init.diverge.map(|(_, diverge)| *diverge);
                self.initialised(local.attrs, pat, ty, *init.expr, diverge);
            }
        }
        self.unused_resume();
    }

    /// `let x;`
    fn deferred(&mut self, pat: &Pat, ty: Option<&Type>) {
        self.flatten(pat, self.current);
        if let Some(ty) = ty {
            self.annotate(pat, ty);
        }
        for var in bound(pat) {
            self.push(Stmt::Declare(var));
        }
    }

    /// Gives each variable of a deferred pattern its own part of the type.
    fn annotate(&mut self, pat: &Pat, ty: &Type) {
        match (pat, ty) {
            (Pat::Tuple(pat), Type::Tuple(ty)) if pat.elems.len() == ty.elems.len() => {
                pat.elems.iter().zip(&ty.elems).for_each(|(pat, ty)| self.annotate(pat, ty));
            }
            (Pat::Slice(pat), Type::Array(ty)) => {
                pat.elems.iter().for_each(|pat| self.annotate(pat, &ty.elem));
            }
            (Pat::Paren(pat), ty) => self.annotate(&pat.pat, ty),
            (Pat::Wild(_) | Pat::Rest(_), _) => {}
            (pat, ty) => match plain(pat) {
                Some(var) => self.function.vars[var].ty = Some(ty.clone()),
                None => self.errors.push(pat.span(), diagnostics::DEFERRED_PATTERN),
            },
        }
    }

    pub(super) fn initialised(
        &mut self,
        attrs: Vec<syn::Attribute>,
        pat: Pat,
        ty: Option<Type>,
        init: Expr,
        diverge: Option<Expr>,
    ) {
        if let Some(diverge) = &diverge
            && point::has_await(diverge)
        {
            return self.let_else(&pat, ty, init, diverge.clone());
        }
        if let (Some(var), None) = (plain(&pat), &diverge)
            && !self.function.vars[var].mutable
            && let Some(chosen) = self.numbered_choice(&init)
        {
            return self.simple_let(attrs, pat, ty, chosen, None);
        }
        if !point::has_await(&init) {
            let init = self.kept(init);
            return self.simple_let(attrs, pat, ty, init, diverge);
        }
        if let (Some(var), true, None) = (plain(&pat), is_control(&init), &diverge) {
            self.flatten(&pat, self.current);
            self.function.vars[var].ty = ty;
            self.push(Stmt::Declare(var));
            return self.evaluate(init, Dest::Var(var));
        }
        let init = self.operand(init);
        self.simple_let(attrs, pat, ty, init, diverge);
    }

    /// A `let` whose initialiser is evaluated at once.
    pub(super) fn simple_let(
        &mut self,
        attrs: Vec<syn::Attribute>,
        pat: Pat,
        ty: Option<Type>,
        init: Expr,
        diverge: Option<Expr>,
    ) {
        let diverge = diverge.map(|diverge| self.kept(diverge));
        let mut init = self.keep_temporary(init);
        if binds_by_ref(&pat) && !borrow::is_place(&init) && !matches!(init, Expr::Reference(_)) {
            let span = init.span();
            let temp = self.bind_temp("borrowed".to_owned(), init, true);
            init = var_expr(temp, span);
        }
        self.flatten(&pat, self.current);
        if let Some(var) = plain(&pat) {
            self.function.vars[var].ty.clone_from(&ty);
        }
        self.rematerialise_pattern(&pat, ty.as_ref(), &init);
        self.push(Stmt::Let(Box::new(Let { attrs, pat, ty, init, diverge })));
    }

    /// `let PAT = init else { .. await .. };` is a `match` whose first arm is the rest of the block.
    pub(super) fn let_else(&mut self, pat: &Pat, ty: Option<Type>, init: Expr, diverge: Expr) {
        let mut value = self.operand(init);
        if let Some(ty) = ty {
            let temp = self.bind_temp("let".to_owned(), value, false);
            self.function.vars[temp].ty = Some(ty);
            value = var_expr(temp, pat.span());
        }
        let value = self.keep_scrutinee(value);
        let (matched, other) = (self.new_block(), self.new_block());
        self.rematerialise_pattern(pat, None, &value);
        self.flatten(pat, Some(matched));
        self.end(Term::If { cond: Box::new(syn::parse_quote!(let #pat = #value)), then: matched, other });
        self.start(other);
        let segment = self.path.enter("let");
        self.path.push(format!("{segment}.else"));
        self.evaluate(diverge, Dest::Discard);
        self.path.pop();
        self.end(Term::Never);
        self.start(matched);
    }
}
