//! `#[workflow]` on an `impl` block: it tells the functions that have the attribute too what stands around them.
//!
//! An attribute of a function alone can't do that. What the engine finds at its start is a type with a trait, both are items,
//! and an item inside a function can't name the `Self` and the type parameters of the `impl` around it; only the block's own
//! head says what they are. `Self` keeps its meaning in the user's code, because the machine is a function of a local trait
//! that is implemented for the block's type; where the compiler writes types outside of that trait, it writes them out.

use crate::diagnostics::{self, Errors};
use crate::emit::made_up;
use crate::parse::Options;
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::token::Paren;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Expr, ExprPath, Generics, ImplItem, ImplItemFn, ItemImpl, MacroDelimiter, Meta, MetaList,
    Path, QSelf, Type,
};

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

/// As `expand` writes it behind the `impl` of an attribute's arguments.
impl Parse for Home {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        syn::braced!(content in input);
        let mut generics: Generics = content.parse()?;
        let self_ty = content.parse()?;
        generics.where_clause = content.parse()?;
        Ok(Self { self_ty, generics })
    }
}

impl ToTokens for Home {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { self_ty, generics } = self;
        let clause = &generics.where_clause;
        tokens.extend(quote!({ #generics #self_ty #clause }));
    }
}

/// Tells the marked functions of a block what stands around them: each keeps its attribute, with the block's head as one more
/// argument, and compiles itself.
pub(crate) fn expand(options: TokenStream, mut block: ItemImpl) -> TokenStream {
    let mut errors = Errors::default();
    let arguments = options.clone();
    let options = Options::read(options, &mut errors);
    if let (Some(first), Some(_)) = (arguments.clone().into_iter().next(), &options.name) {
        errors.push(first.span(), diagnostics::NAME_OF_BLOCK);
    }
    if let (Some(first), Some(_)) = (arguments.clone().into_iter().next(), options.deadline_ms) {
        errors.push(first.span(), diagnostics::DEADLINE_OF_BLOCK);
    }
    if let (Some(first), Some(_)) = (arguments.clone().into_iter().next(), &options.migrate) {
        errors.push(first.span(), diagnostics::MIGRATE_OF_BLOCK);
    }
    if let Some((_, path, _)) = &block.trait_ {
        errors.push(path.span(), diagnostics::TRAIT_BLOCK);
    }
    let home = Home { self_ty: (*block.self_ty).clone(), generics: block.generics.clone() };
    let krate = (!arguments.is_empty()).then_some(&options.krate);
    let (mut found, mut registrations) = (false, TokenStream::new());
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else { continue };
        let Some(at) = function.attrs.iter().position(is_mark) else { continue };
        found = true;
        if block.trait_.is_some() {
            // Refused already: what the body awaits is no second mistake.
            function.attrs[at] = syn::parse_quote!(#[allow(unused_variables)]);
            function.block = syn::parse_quote!({ ::core::unreachable!() });
        } else {
            registrations.extend(registration(function, &function.attrs[at], &home, &options.krate));
            add_home(&mut function.attrs[at].meta, &home, krate);
        }
    }
    if !found {
        errors.push(block.impl_token.span, diagnostics::EMPTY_BLOCK);
    }
    let mut tokens = errors.into_compile_errors();
    block.to_tokens(&mut tokens);
    tokens.extend(registrations);
    tokens
}

/// Makes a function known to the engine. It stands beside the block: inside, clippy would hold what a registration is made of
/// against a type that derives `Deserialize`.
fn registration(function: &ImplItemFn, mark: &Attribute, home: &Home, krate: &Path) -> Option<TokenStream> {
    let sig = &function.sig;
    let is_activity = is_named(mark, "activity");
    if !home.generics.params.is_empty()
        || !sig.generics.params.is_empty()
        || (is_activity && sig.receiver().is_some())
    {
        return None;
    }
    let (self_ty, name, p) = (&home.self_ty, &sig.ident, quote!(#krate::__private));
    let make = made_up(if is_activity { "activity_registration" } else { "workflow_registration" });
    let conditions = function.attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
    Some(quote! {
        #(#conditions)*
        #[allow(deprecated)]
        const _: () = {
            #p::inventory::submit! { #p::#make(&<#self_ty>::#name) }
        };
    })
}

fn add_home(mark: &mut Meta, home: &Home, krate: Option<&Path>) {
    let own = match &*mark {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    let says_itself = own.clone().into_iter().any(|tree| tree.to_string() == "crate");
    let krate = krate.filter(|_| !says_itself).map(|krate| quote!(crate = #krate,));
    *mark = Meta::List(MetaList {
        path: mark.path().clone(),
        delimiter: MacroDelimiter::Paren(Paren::default()),
        tokens: quote!(impl #home, #krate #own),
    });
}

/// `#[workflow(..)]` or `#[activity(..)]`.
fn is_mark(attr: &Attribute) -> bool {
    is_named(attr, "workflow") || is_named(attr, "activity")
}

fn is_named(attr: &Attribute, name: &str) -> bool {
    attr.path().segments.last().is_some_and(|last| last.ident == name)
}
