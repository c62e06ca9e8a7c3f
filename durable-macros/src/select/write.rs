//! What a `select!` becomes. Everything that is made up stands at the `select`, everything else where the user wrote it.

use super::parse::{Branch, Operation, Select};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Pat};

/// The variants of `WonN`.
const VARIANTS: [&str; 8] = ["A", "B", "C", "D", "E", "F", "G", "H"];

/// The expression that a `select!` is.
pub(super) fn written_out(select: &Select, at: Span) -> Expr {
    let written =
        Writer { count: select.branches.len(), at: Span::mixed_site().located_at(at) }.write(select);
    // What is made up parses; what the user wrote was parsed already.
    syn::parse2(written).unwrap_or_else(|error| Expr::Verbatim(error.into_compile_error()))
}

struct Writer {
    count: usize,
    at: Span,
}

impl Writer {
    fn write(&self, select: &Select) -> TokenStream {
        let at = self.at;
        let may_fail = select.branches.iter().any(|branch| may_fail(&branch.pat));
        let won = self.won(select, &self.awaited(select, may_fail));
        let arms = select.branches.iter().enumerate().map(|(number, Branch { pat, body, .. })| {
            let variant = self.variant(number, &quote!((#pat)));
            quote_spanned!(at=> #variant => { #body })
        });
        let otherwise = select.otherwise.as_ref().map_or_else(
            || quote_spanned!(at=> ::core::panic!("all branches of `select!` are disabled, and it has no `else`")),
            |body| quote!(#body),
        );
        let disabled = self.variant_named(&self.ident("Disabled"));
        let mismatch =
            may_fail.then(|| quote_spanned!(at=> #[allow(unreachable_patterns)] _ => ::core::unreachable!()));
        quote_spanned!(at=> match #won { #(#arms)* #disabled => { #otherwise } #mismatch })
    }

    /// What won. The losers have ended, and what was lent is in its place again: before a pattern binds a name that hides the place's.
    fn won(&self, select: &Select, awaited: &TokenStream) -> TokenStream {
        let (at, p, end) = (self.at, self.ident("__p"), self.numbered("end"));
        let lent = |branch: &Branch| match &branch.operation {
            Operation::Lent(borrow) => Some(borrow.clone()),
            Operation::Own(_) => None,
        };
        let lent: Vec<Option<syn::ExprReference>> = select.branches.iter().map(lent).collect();
        if lent.iter().all(Option::is_none) {
            return quote_spanned!(at=> #p::#end(#awaited).0);
        }
        let won = self.ident("__won");
        let name = |number: usize| self.ident(&format!("__lent_{number}"));
        let ended = lent.iter().enumerate().map(|(number, place)| {
            let name = name(number);
            if place.is_some() { quote!(#name) } else { quote_spanned!(at=> _) }
        });
        let given = lent.iter().enumerate().filter_map(|(number, place)| {
            let (place, name) = (place.as_ref()?, name(number));
            // At the place, so that what can't be lent is one error and not two.
            let (p, give_back) = self.functions_at("give_back", place.span());
            Some(quote_spanned!(give_back.span()=> #p::#give_back(#place, #name);))
        });
        // No `let`, which would take the place of the user's own in the name of the resume point.
        quote_spanned! {at=> match #p::#end(#awaited) {
            (#won, (#(#ended,)*)) => {
                #(#given)*
                #won
            }
        }}
    }

    /// The value of the await: what won, and the operations.
    fn awaited(&self, select: &Select, may_fail: bool) -> TokenStream {
        let (at, p, biased) = (self.at, self.ident("__p"), select.biased);
        let start = self.numbered("select");
        let always = || quote_spanned!(at=> true);
        let conditions = select
            .branches
            .iter()
            .map(|branch| branch.condition.as_ref().map_or_else(always, |condition| quote!(#condition)));
        let operations = select.branches.iter().map(|branch| self.operation(&branch.operation));
        // All conditions are evaluated before all operations, as in tokio's.
        let future = quote_spanned!(at=> #p::#start(#biased, [#(#conditions),*], (#(#operations,)*)));
        if !may_fail {
            return quote_spanned!(at=> #future.await);
        }
        let (select_, won, rest) = (self.ident("__select"), self.ident("__won"), self.ident("__rest"));
        let patterns = select.branches.iter().enumerate().map(|(number, branch)| {
            let mut pat = branch.pat.clone();
            Blank.visit_pat_mut(&mut pat);
            self.variant(number, &quote!((#pat)))
        });
        let disabled = self.variant_named(&self.ident("Disabled"));
        quote_spanned! {at=> {
            let mut #select_ = #future;
            loop {
                match #p::select_again(#select_).await {
                    (#won, #rest) => if ::core::matches!(&#won, #(#patterns |)* #disabled) {
                        break (#won, #rest);
                    } else {
                        #select_ = #rest;
                    }
                }
            }
        }}
    }

    fn operation(&self, operation: &Operation) -> TokenStream {
        match operation {
            Operation::Own(operation) => {
                let (p, own) = self.functions_at("own", operation.span());
                quote!(#p::#own(#operation))
            }
            Operation::Lent(borrow) => {
                let (p, lend) = self.functions_at("lend", borrow.span());
                quote!(#p::#lend(#borrow))
            }
        }
    }

    /// What rustc says of an operand, it says at the operand.
    fn functions_at(&self, name: &str, span: Span) -> (Ident, Ident) {
        let span = self.at.located_at(span);
        (Ident::new("__p", span), Ident::new(name, span))
    }

    fn variant(&self, number: usize, fields: &TokenStream) -> TokenStream {
        let name = self.variant_named(&self.ident(VARIANTS[number]));
        quote!(#name #fields)
    }

    fn variant_named(&self, name: &Ident) -> TokenStream {
        let (p, won) = (self.ident("__p"), self.numbered("Won"));
        quote!(#p::#won::#name)
    }

    fn numbered(&self, name: &str) -> Ident {
        format_ident!("{name}{}", self.count, span = self.at)
    }

    fn ident(&self, name: &str) -> Ident {
        Ident::new(name, self.at)
    }
}

/// Whether a pattern may not match, by its syntax.
fn may_fail(pat: &Pat) -> bool {
    match pat {
        Pat::Wild(_) | Pat::Rest(_) => false,
        Pat::Ident(ident) => {
            is_constant(ident) || ident.subpat.as_ref().is_some_and(|(_, inner)| may_fail(inner))
        }
        Pat::Paren(inner) => may_fail(&inner.pat),
        Pat::Tuple(tuple) => tuple.elems.iter().any(may_fail),
        _ => true,
    }
}

/// A name that binds nothing, as `resolve` tells them.
fn is_constant(pat: &syn::PatIdent) -> bool {
    let alone = pat.subpat.is_none() && pat.by_ref.is_none() && pat.mutability.is_none();
    alone && pat.ident.to_string().trim_start_matches("r#").starts_with(char::is_uppercase)
}

/// Replaces bindings by `_`; whatever else a value must match stays.
struct Blank;

impl VisitMut for Blank {
    fn visit_pat_mut(&mut self, pat: &mut Pat) {
        visit_mut::visit_pat_mut(self, pat);
        if let Pat::Ident(ident) = pat
            && !is_constant(ident)
        {
            *pat = match ident.subpat.take() {
                Some((_, inner)) => *inner,
                None => syn::parse_quote!(_),
            };
        }
    }

    fn visit_field_pat_mut(&mut self, field: &mut syn::FieldPat) {
        visit_mut::visit_field_pat_mut(self, field);
        field.colon_token.get_or_insert_with(syn::token::Colon::default);
    }
}

/// Which branch of a `select!` an arm of its `match` is for; none if all are disabled.
pub(crate) fn branch_of(pat: &Pat) -> Option<usize> {
    let Pat::Tuple(won) = pat else { return None };
    let Some(Pat::TupleStruct(won)) = won.elems.first() else { return None };
    let variant = won.path.segments.last()?.ident.to_string();
    VARIANTS.iter().position(|name| *name == variant)
}

/// The operations of the future of a `select!`, if a call makes one. What is selected again has told them before.
pub(crate) fn operations(call: &syn::ExprCall) -> Option<Vec<&Expr>> {
    let Expr::Path(function) = &*call.func else { return None };
    let mut names = function.path.segments.iter().map(|segment| segment.ident.to_string());
    if names.next()? != "__p" || !names.next()?.starts_with("select") {
        return None;
    }
    let Some(Expr::Tuple(branches)) = call.args.last() else { return Some(Vec::new()) };
    let operations = branches.elems.iter().filter_map(|branch| match branch {
        Expr::Call(branch) => branch.args.last(),
        _ => None,
    });
    Some(operations.collect())
}
