//! Names: every binding becomes a numbered variable and every mention of it a marker.
//!
//! Scopes are lexical, so two bindings of one name are two variables. A pattern identifier that begins with an uppercase
//! letter and stands alone is a constant or a unit variant, as rustc's own lints expect. Items inside the body capture nothing
//! and are left alone; closures capture and are walked.
//!
//! What the later phases can't see through is refused here, at its own tokens: an await inside a macro, a closure, an async block.

mod foreign;
mod likely;
mod macros;

use crate::diagnostics::{self, Errors};
use crate::fragments;
use crate::ir::{Function, Text, VarId, VarKind, marker};
use crate::parse::Workflow;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::{BTreeSet, HashMap};
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, Pat, Stmt};

/// What `resolve` learnt about names, beside the markers.
#[derive(Default)]
pub(crate) struct Names {
    /// Identifiers that are used as paths and are not variables: functions, constants.
    pub(crate) free: BTreeSet<String>,
    /// Every identifier in the body.
    pub(crate) all: BTreeSet<String>,
}

pub(crate) use likely::{ANY, Ask, has_error};

/// Resolves the parameters and the body of a workflow.
pub(crate) fn resolve(workflow: &mut Workflow) -> syn::Result<(Function, Names)> {
    let mut resolver = Resolver {
        function: Function::default(),
        names: Names::default(),
        errors: Errors::default(),
        scopes: vec![HashMap::new()],
        context: Context::Body,
    };
    let item = &workflow.item;
    Idents(&mut resolver.names.all).visit_item_fn(item);
    for param in &mut workflow.params {
        resolver.bind(&mut param.pat);
    }
    resolver.visit_block_mut(&mut workflow.item.block);
    let Resolver { function, names, errors, .. } = resolver;
    errors.check()?;
    Ok((function, names))
}

/// All identifiers of a piece of syntax, without printing it.
struct Idents<'a>(&'a mut BTreeSet<String>);

impl<'a> Visit<'a> for Idents<'_> {
    fn visit_ident(&mut self, ident: &'a Ident) {
        self.0.insert(ident.to_string());
    }

    fn visit_macro(&mut self, mac: &'a syn::Macro) {
        self.visit_path(&mac.path);
        collect_idents(&mac.tokens, self.0);
    }

    fn visit_meta_list(&mut self, list: &'a syn::MetaList) {
        self.visit_path(&list.path);
        collect_idents(&list.tokens, self.0);
    }

    fn visit_item(&mut self, item: &'a syn::Item) {
        collect_idents(&item.to_token_stream(), self.0);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Verbatim(tokens) => collect_idents(tokens, self.0),
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_pat(&mut self, pat: &'a Pat) {
        match pat {
            Pat::Verbatim(tokens) => collect_idents(tokens, self.0),
            _ => visit::visit_pat(self, pat),
        }
    }

    fn visit_type(&mut self, ty: &'a syn::Type) {
        collect_idents(&ty.to_token_stream(), self.0);
    }
}

pub(crate) fn collect_idents(tokens: &TokenStream, found: &mut BTreeSet<String>) {
    for tree in tokens.clone() {
        match tree {
            TokenTree::Ident(ident) => {
                found.insert(ident.to_string());
            }
            TokenTree::Group(group) => collect_idents(&group.stream(), found),
            _ => {}
        }
    }
}

/// Where an await would be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Body,
    Closure,
    Async,
    Unsafe,
    /// Inside of what is refused already.
    Refused,
}

/// A name as rustc compares them: in a function that a `macro_rules` macro writes, the macro's `x` and the `x` that it was
/// given are two.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Name {
    text: String,
    context: String,
}

impl Name {
    fn of(ident: &Ident) -> Self {
        Self::new(ident.to_string(), ident.span())
    }

    /// A span's syntax context shows only in its `Debug` form, `#4 bytes(12..15)`. Where that changes, all names are
    /// taken to be of one context, as in a function that no macro writes.
    fn new(text: String, span: Span) -> Self {
        let shown = format!("{span:?}");
        let context = shown.split_once(' ').map_or("", |(context, _)| context);
        let context = if context.starts_with('#') { context.to_owned() } else { String::new() };
        Self { text, context }
    }
}

struct Resolver {
    function: Function,
    names: Names,
    errors: Errors,
    scopes: Vec<HashMap<Name, VarId>>,
    context: Context,
}

impl Resolver {
    fn lookup(&self, name: &Name) -> Option<VarId> {
        self.scopes
            .iter()
            .rev()
            .find_map(|scope| scope.get(name).copied())
            .or_else(|| self.lookup_anywhere(name))
    }

    /// Another macro's attribute may have written one of two names that are one.
    fn lookup_anywhere(&self, name: &Name) -> Option<VarId> {
        let same = |scope: &HashMap<Name, VarId>| {
            scope.iter().find(|(other, _)| other.text == name.text).map(|(_, var)| *var)
        };
        self.scopes.iter().rev().find_map(same)
    }

    fn scoped<T>(&mut self, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.push(HashMap::new());
        let result = inside(self);
        self.scopes.pop();
        result
    }

    fn within(&mut self, context: Context, inside: impl FnOnce(&mut Self)) {
        // What is refused once is not refused for what stands in it.
        let context = if self.context == Context::Refused { Context::Refused } else { context };
        let outer = std::mem::replace(&mut self.context, context);
        inside(self);
        self.context = outer;
    }

    /// Declares what a pattern binds, in the innermost scope.
    fn bind(&mut self, pat: &mut Pat) {
        let mut binder = Binder { resolver: self, bound: HashMap::new() };
        binder.visit_pat_mut(pat);
        let bound = binder.bound;
        if let Some(scope) = self.scopes.last_mut() {
            scope.extend(bound);
        }
    }

    /// Turns an identifier into its variable's marker.
    fn mention(&mut self, ident: &mut Ident) -> bool {
        let name = Name::of(ident);
        if let Some(var) = self.lookup(&name) {
            *ident = marker(var, ident.span());
            true
        } else {
            self.names.free.insert(name.text);
            false
        }
    }

    fn block_like(&mut self, block: &mut Block) {
        self.scoped(|this| visit_mut::visit_block_mut(this, block));
        self.notice_guards(block);
    }

    /// A guard that nothing mentions again is not live at an await behind it, and so is dropped there: its owner thinks otherwise.
    fn notice_guards(&mut self, block: &Block) {
        for (at, stmt) in block.stmts.iter().enumerate() {
            let Stmt::Local(local) = stmt else { continue };
            let Pat::Ident(pat) = &local.pat else { continue };
            let Some(var) = crate::ir::marked(&pat.ident) else { continue };
            if !likely::is_guard(self.function.vars[var].ask) {
                continue;
            }
            let rest: TokenStream = block.stmts[at + 1..].iter().map(ToTokens::to_token_stream).collect();
            let mut mentioned = BTreeSet::new();
            collect_idents(&rest, &mut mentioned);
            if !mentioned.contains(&pat.ident.to_string()) && macros::find_await(&rest).is_some() {
                self.function.released.push(pat.ident.span());
            }
        }
    }
}

/// Numbers the bindings of one pattern; alternatives of an or-pattern share them.
struct Binder<'a> {
    resolver: &'a mut Resolver,
    bound: HashMap<Name, VarId>,
}

impl VisitMut for Binder<'_> {
    fn visit_pat_ident_mut(&mut self, pat: &mut syn::PatIdent) {
        let name = pat.ident.to_string();
        let alone = pat.subpat.is_none() && pat.by_ref.is_none() && pat.mutability.is_none();
        if alone && name.trim_start_matches("r#").starts_with(char::is_uppercase) {
            return;
        }
        let resolver = &mut *self.resolver;
        let ident = &pat.ident;
        let var = *self.bound.entry(Name::of(ident)).or_insert_with(|| {
            let stored_name = name.trim_start_matches("r#").to_owned();
            // No `let` binds a `self`.
            let ident = if name == "self" { Ident::new("__self", ident.span()) } else { ident.clone() };
            resolver.function.new_var(VarKind::User, ident, stored_name)
        });
        resolver.function.vars[var].mutable = pat.mutability.is_some() && pat.by_ref.is_none();
        pat.ident = marker(var, pat.ident.span());
        visit_mut::visit_pat_ident_mut(self, pat);
    }

    fn visit_field_pat_mut(&mut self, field: &mut syn::FieldPat) {
        let shorthand = field.colon_token.is_none();
        visit_mut::visit_field_pat_mut(self, field);
        // `S { x }` becomes `S { x: marker }`; `S { ref x }` likewise.
        if shorthand && matches!(&*field.pat, Pat::Ident(pat) if crate::ir::marked(&pat.ident).is_some()) {
            field.colon_token = Some(syn::token::Colon::default());
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        self.resolver.visit_expr_mut(expr);
    }
}

impl VisitMut for Resolver {
    fn visit_block_mut(&mut self, block: &mut Block) {
        self.block_like(block);
    }

    fn visit_item_mut(&mut self, item: &mut syn::Item) {
        if let syn::Item::Macro(item) = item {
            self.refuse_locals(&item.mac.tokens);
        }
    }

    fn visit_type_mut(&mut self, _: &mut syn::Type) {}

    fn visit_local_mut(&mut self, local: &mut syn::Local) {
        let ty = match &local.pat {
            Pat::Type(typed) => Some(&*typed.ty),
            _ => None,
        };
        let ask = likely::likely(ty, local.init.as_ref().map(|init| &*init.expr));
        let text = local.init.as_ref().map_or(Text::Perhaps, |init| likely::text(&init.expr));
        if let Some(init) = &mut local.init {
            self.visit_expr_mut(&mut init.expr);
            if let Some((_, diverge)) = &mut init.diverge {
                self.visit_expr_mut(diverge);
            }
        }
        self.bind(&mut local.pat);
        for var in crate::ir::bound(&local.pat) {
            self.function.vars[var].ask = ask;
            self.function.vars[var].text = text;
        }
    }

    fn visit_stmt_mut(&mut self, stmt: &mut Stmt) {
        if let Stmt::Macro(stmt) = stmt {
            self.rewrite_macro(&mut stmt.mac);
            return;
        }
        visit_mut::visit_stmt_mut(self, stmt);
    }

    fn visit_arm_mut(&mut self, arm: &mut syn::Arm) {
        self.scoped(|this| {
            this.bind(&mut arm.pat);
            if let Some((_, guard)) = &mut arm.guard {
                this.visit_expr_mut(guard);
            }
            this.visit_expr_mut(&mut arm.body);
        });
    }

    fn visit_field_value_mut(&mut self, field: &mut syn::FieldValue) {
        self.visit_expr_mut(&mut field.expr);
        if field.colon_token.is_none() && crate::ir::as_var(&field.expr).is_some() {
            field.colon_token = Some(syn::token::Colon::default());
        }
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        fragments::bracket(expr);
        match expr {
            Expr::Path(path) => {
                if path.qself.is_none() && path.path.leading_colon.is_none() && path.path.segments.len() == 1
                {
                    let segment = &mut path.path.segments[0];
                    if segment.arguments.is_none() {
                        self.mention(&mut segment.ident);
                    } else {
                        self.names.free.insert(segment.ident.to_string());
                    }
                }
            }
            Expr::Call(call) if self.refuse_call(call) => self.within(Context::Refused, |this| {
                visit_mut::visit_expr_call_mut(this, call);
            }),
            Expr::Macro(mac) => self.rewrite_macro(&mut mac.mac),
            Expr::Let(cond) => {
                self.visit_expr_mut(&mut cond.expr);
                self.bind(&mut cond.pat);
            }
            Expr::If(cond) => {
                self.scoped(|this| {
                    this.visit_expr_mut(&mut cond.cond);
                    this.visit_block_mut(&mut cond.then_branch);
                });
                if let Some((_, other)) = &mut cond.else_branch {
                    self.visit_expr_mut(other);
                }
            }
            Expr::While(cond) => self.scoped(|this| {
                this.visit_expr_mut(&mut cond.cond);
                this.visit_block_mut(&mut cond.body);
            }),
            Expr::ForLoop(each) => {
                self.visit_expr_mut(&mut each.expr);
                self.scoped(|this| {
                    this.bind(&mut each.pat);
                    this.visit_block_mut(&mut each.body);
                });
            }
            Expr::Closure(closure) => self.scoped(|this| {
                for input in &mut closure.inputs {
                    this.bind(input);
                }
                this.within(Context::Closure, |this| this.visit_expr_mut(&mut closure.body));
            }),
            Expr::Async(block) => self.within(Context::Async, |this| {
                this.visit_block_mut(&mut block.block);
            }),
            Expr::Unsafe(block) => self.within(Context::Unsafe, |this| {
                this.visit_block_mut(&mut block.block);
            }),
            Expr::Await(awaited) => {
                let span = awaited.await_token.span;
                match self.context {
                    Context::Body | Context::Refused => {}
                    Context::Closure => self.errors.push(span, diagnostics::AWAIT_IN_CLOSURE),
                    Context::Async => self.errors.push(span, diagnostics::AWAIT_IN_ASYNC),
                    Context::Unsafe => self.errors.push(span, diagnostics::AWAIT_IN_UNSAFE),
                }
                self.visit_expr_mut(&mut awaited.base);
            }
            _ => visit_mut::visit_expr_mut(self, expr),
        }
    }
}

#[cfg(test)]
mod tests;
