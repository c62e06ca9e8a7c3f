//! Types that have to be storable, asked at the user's own tokens.
//!
//! Such a type is computed from a constant in which rustc checks it: `<T as Checked<{ argument::<T>() }>>::Same`. If `T` can't be
//! stored, the constant does not compile, the type is an error, and rustc says nothing more of all that depends on it. A constant can't
//! know a type parameter; a type that mentions one is left to the bounds of the traits.

use crate::parse::Workflow;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use std::collections::BTreeSet;

/// The types of a workflow's stored arguments.
pub(crate) fn arguments(workflow: &Workflow) -> Vec<TokenStream> {
    let generics = &workflow.item.sig.generics;
    let stored = workflow.params.iter().map(|param| match &param.referent {
        Some(referent) => quote!(<#referent as ::std::borrow::ToOwned>::Owned),
        None => param.ty.to_token_stream(),
    });
    stored.map(|ty| checked(generics, "argument", &ty)).collect()
}

/// The type of its result.
pub(crate) fn result(workflow: &Workflow) -> TokenStream {
    let ask = if crate::resolve::has_error(&workflow.output) { "outcome_error" } else { "outcome" };
    checked(&workflow.item.sig.generics, ask, &workflow.output.to_token_stream())
}

fn checked(generics: &syn::Generics, ask: &str, ty: &TokenStream) -> TokenStream {
    let mut names = BTreeSet::new();
    crate::resolve::collect_idents(ty, &mut names);
    let is_generic = |name: &String| {
        name == "Self"
            || generics.type_params().any(|param| param.ident == name)
            || generics.const_params().any(|param| param.ident == name)
    };
    if names.iter().any(is_generic) {
        return ty.clone();
    }
    let (p, ask) = (Ident::new("__p", Span::mixed_site()), Ident::new(ask, Span::mixed_site()));
    quote!(<#ty as #p::Checked<{ #p::#ask::<#ty>() }>>::Same)
}
