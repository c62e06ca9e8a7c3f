//! Types that have to be storable, asked at the user's own tokens.
//!
//! Such a type is computed from a constant in which rustc checks it: `<T as Checked<{ argument::<T>() }>>::Same`. If `T` can't be
//! stored, the constant does not compile, the type is an error, and rustc says nothing more of all that depends on it. A constant can't
//! know a type parameter; a type that mentions one is left to the bounds of the traits.

use crate::home::WriteSelf;
use crate::parse::Workflow;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use std::collections::BTreeSet;
use syn::visit_mut::VisitMut;
use syn::{Generics, Type};

/// The types of a workflow's stored arguments, as items see them that stand in its function.
pub(crate) fn arguments(workflow: &Workflow) -> Vec<TokenStream> {
    let stored = workflow.params.iter().map(|param| match &param.referent {
        Some(referent) => syn::parse_quote!(<#referent as ::std::borrow::ToOwned>::Owned),
        None => param.ty.clone(),
    });
    stored.map(|ty| checked(workflow, "argument", ty)).collect()
}

/// The type of its result. That of a generic workflow is not stored: no instance begins with one.
pub(crate) fn result(workflow: &Workflow) -> TokenStream {
    let home = workflow.options.home.as_ref().map(|home| &home.generics);
    if home.into_iter().chain([&workflow.item.sig.generics]).any(|generics| !generics.params.is_empty()) {
        let mut ty = workflow.output.clone();
        if let Some(home) = &workflow.options.home {
            WriteSelf(&home.self_ty).visit_type_mut(&mut ty);
        }
        return ty.to_token_stream();
    }
    let ask = if crate::resolve::has_error(&workflow.output) { "outcome_error" } else { "outcome" };
    checked(workflow, ask, workflow.output.clone())
}

fn checked(workflow: &Workflow, ask: &str, mut ty: Type) -> TokenStream {
    let mut generics = vec![&workflow.item.sig.generics];
    if let Some(home) = &workflow.options.home {
        WriteSelf(&home.self_ty).visit_type_mut(&mut ty);
        generics.push(&home.generics);
    }
    let mut names = BTreeSet::new();
    crate::resolve::collect_idents(&ty.to_token_stream(), &mut names);
    let is_generic = |generics: &&Generics| {
        let types = generics.type_params().map(|param| &param.ident);
        types
            .chain(generics.const_params().map(|param| &param.ident))
            .any(|param| names.contains(&param.to_string()))
    };
    if generics.iter().any(is_generic) {
        return ty.to_token_stream();
    }
    let (p, ask) = (Ident::new("__p", Span::mixed_site()), Ident::new(ask, Span::mixed_site()));
    quote!(<#ty as #p::Checked<{ #p::#ask::<#ty>() }>>::Same)
}
