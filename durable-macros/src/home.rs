//! `#[workflow]` on an `impl` block: its functions that have the attribute too are compiled with the block in sight.
//!
//! An attribute of a function alone can't do that. What the engine finds at its start is a type with a trait, both are items,
//! and an item inside a function can't name the `Self` and the type parameters of the `impl` around it; only the block's own
//! head says what they are. `Self` keeps its meaning in the user's code, because the machine is a function of a local trait
//! that is implemented for the block's type; where the compiler writes types outside of that trait, it writes them out.

use crate::diagnostics::Errors;
use crate::parse::Options;
use crate::{activity, expand};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, ExprPath, Generics, ImplItem, ImplItemFn, ItemImpl, Meta, Path, QSelf, Type};

/// The `impl` block around a function.
#[derive(Clone)]
pub(crate) struct Home {
    pub(crate) self_ty: Type,
    pub(crate) generics: Generics,
}

impl Home {
    /// The type's last name, for the function's path.
    pub(crate) fn name(&self) -> String {
        match &self.self_ty {
            Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        }
        .unwrap_or_else(|| "impl".to_owned())
    }
}

/// Writes `Self` out, for places in which it would mean another type.
pub(crate) struct WriteSelf<'a>(pub(crate) &'a Type);

impl WriteSelf<'_> {
    fn qualified(&self, qself: &mut Option<QSelf>, path: &mut Path) {
        if qself.is_some()
            || path.leading_colon.is_some()
            || path.segments.len() < 2
            || path.segments[0].ident != "Self"
        {
            return;
        }
        let rest: Path = {
            let segments = path.segments.iter().skip(1);
            syn::parse_quote!(::#(#segments)::*)
        };
        *path = rest;
        *qself = Some(QSelf {
            lt_token: syn::token::Lt::default(),
            ty: Box::new(self.0.clone()),
            position: 0,
            as_token: None,
            gt_token: syn::token::Gt::default(),
        });
    }
}

impl VisitMut for WriteSelf<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(path) = ty {
            if path.qself.is_none() && path.path.is_ident("Self") {
                *ty = self.0.clone();
                return;
            }
            self.qualified(&mut path.qself, &mut path.path);
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Expr::Path(ExprPath { qself, path, .. }) = expr {
            self.qualified(qself, path);
        }
        visit_mut::visit_expr_mut(self, expr);
    }
}

/// Compiles the marked functions of a block.
pub(crate) fn expand(options: TokenStream, mut block: ItemImpl) -> TokenStream {
    let mut errors = Errors::default();
    let span = options.clone().into_iter().next().map(|tree| tree.span());
    let options = Options::read(options, None, &mut errors);
    if let (Some(span), Some(_)) = (span, &options.name) {
        errors.push(span, "a name is one workflow's: give it to the function, `#[workflow(name = \"..\")]`");
    }
    if let Some((_, path, _)) = &block.trait_ {
        errors.push(
            syn::spanned::Spanned::span(path),
            "a function of a trait can't be a workflow, because the trait says what it returns: write it in an `impl` block of the type's own, and call it",
        );
    }
    let home = Home { self_ty: (*block.self_ty).clone(), generics: block.generics.clone() };
    let mut found = false;
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        let Some((kind, arguments)) = take_mark(&mut function.attrs) else { continue };
        found = true;
        if block.trait_.is_some() {
            continue;
        }
        *item = ImplItem::Verbatim(compile(kind, arguments, function, &home, &options.krate));
    }
    if !found {
        errors.push(
            block.impl_token.span,
            "no function of this `impl` block is a workflow: write `#[workflow]` above those that are",
        );
    }
    let mut tokens = errors.into_compile_errors();
    block.to_tokens(&mut tokens);
    tokens
}

enum Kind {
    Workflow,
    Activity,
}

fn compile(
    kind: Kind,
    arguments: TokenStream,
    function: &ImplItemFn,
    home: &Home,
    krate: &Path,
) -> TokenStream {
    let tokens = function.to_token_stream();
    match kind {
        Kind::Workflow => expand::function(arguments, tokens, Some(home), Some(krate)),
        Kind::Activity => activity::expand_in(arguments, tokens, Some(home), Some(krate)),
    }
}

/// Takes `#[workflow(..)]` or `#[activity(..)]` off a function.
fn take_mark(attrs: &mut Vec<Attribute>) -> Option<(Kind, TokenStream)> {
    let position = attrs.iter().position(|attr| kind(attr).is_some())?;
    let attr = attrs.remove(position);
    let arguments = match &attr.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    Some((kind(&attr)?, arguments))
}

fn kind(attr: &Attribute) -> Option<Kind> {
    let last = attr.path().segments.last()?;
    if last.ident == "workflow" {
        Some(Kind::Workflow)
    } else if last.ident == "activity" {
        Some(Kind::Activity)
    } else {
        None
    }
}
