//! Mistakes, collected until all of them are known.

use std::fmt::Display;

use proc_macro2::TokenStream;
use quote::ToTokens;

#[derive(Default)]
pub(super) struct Errors {
    found: Vec<syn::Error>,
}

impl Errors {
    /// Reports a mistake at the user's tokens.
    pub(super) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.found.push(syn::Error::new_spanned(tokens, message));
    }

    pub(super) fn push(&mut self, error: syn::Error) {
        self.found.push(error);
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    pub(super) fn into_compile_errors(self) -> TokenStream {
        self.found.iter().map(syn::Error::to_compile_error).collect()
    }
}
