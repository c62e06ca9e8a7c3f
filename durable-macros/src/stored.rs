//! Types that are stored, as the user wrote them: what of them borrows, and what owns the same.

use proc_macro2::{TokenStream, TokenTree};
use quote::quote;
use syn::{Ident, Lifetime, Type, visit::Visit, visit_mut::VisitMut};

/// What is stored of a `&T`.
pub(crate) fn owned(borrowed: &Type) -> Type {
    match borrowed {
        Type::Slice(slice) => {
            let elem = &slice.elem;
            syn::parse_quote!(::std::vec::Vec<#elem>)
        }
        Type::Path(path) if path.qself.is_none() => match path.path.segments.last() {
            Some(last) if last.arguments.is_none() && last.ident == "str" => {
                syn::parse_quote!(::std::string::String)
            }
            Some(last) if last.arguments.is_none() && last.ident == "Path" => {
                syn::parse_quote!(::std::path::PathBuf)
            }
            _ => borrowed.clone(),
        },
        Type::Paren(paren) => owned(&paren.elem),
        other => other.clone(),
    }
}

/// A type as a person writes it.
pub(crate) fn pretty(ty: &Type) -> String {
    let text = quote!(#ty).to_string().replace(":: std :: string :: ", "").replace(":: std :: vec :: ", "");
    let text = text.replace(":: std :: path :: ", "").replace(" :: ", "::").replace("& ", "&");
    text.replace(" <", "<")
        .replace("< ", "<")
        .replace(" >", ">")
        .replace(" ,", ",")
        .replace("( ", "(")
        .replace(" )", ")")
}

/// Replaces references by what owns the same, and lifetimes by `'static`.
pub(crate) struct Owning;

impl VisitMut for Owning {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Reference(reference) = ty {
            *ty = owned(&reference.elem);
        }
        syn::visit_mut::visit_type_mut(self, ty);
    }

    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        lifetime.ident = Ident::new("static", lifetime.ident.span());
    }
}

/// Finds what makes a type borrow.
#[derive(Default)]
pub(crate) struct Borrowed {
    pub(crate) reference: Option<Type>,
    pub(crate) lifetime: Option<Lifetime>,
    pub(crate) implicit: Option<Type>,
}

impl<'ast> Visit<'ast> for Borrowed {
    fn visit_type(&mut self, ty: &'ast Type) {
        match ty {
            // Function pointers and trait objects take references without holding one; rustc says that they are not stored.
            Type::BareFn(_) | Type::TraitObject(_) => {}
            Type::Reference(reference) => {
                self.reference.get_or_insert_with(|| ty.clone());
                if reference.lifetime.as_ref().is_none_or(|lifetime| lifetime.ident != "static") {
                    let lifetime = Lifetime::new("'_", reference.and_token.span);
                    self.lifetime.get_or_insert(reference.lifetime.clone().unwrap_or(lifetime));
                }
                syn::visit::visit_type(self, ty);
            }
            Type::ImplTrait(_) => {
                self.implicit.get_or_insert_with(|| ty.clone());
            }
            _ => syn::visit::visit_type(self, ty),
        }
    }

    fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
        if lifetime.ident != "static" {
            self.lifetime.get_or_insert_with(|| lifetime.clone());
        }
    }
}

/// Finds `Self`, but not in items of their own.
pub(crate) struct UsesSelf(pub(crate) Option<Ident>);

impl<'ast> Visit<'ast> for UsesSelf {
    fn visit_ident(&mut self, ident: &'ast Ident) {
        if ident == "Self" {
            self.0.get_or_insert_with(|| ident.clone());
        }
    }

    fn visit_macro(&mut self, mac: &'ast syn::Macro) {
        self.tokens(mac.tokens.clone());
    }

    // A `self` has the type `Self`, and an error of its own.
    fn visit_receiver(&mut self, _: &'ast syn::Receiver) {}
    fn visit_item_impl(&mut self, _: &'ast syn::ItemImpl) {}
    fn visit_item_trait(&mut self, _: &'ast syn::ItemTrait) {}
    fn visit_item_struct(&mut self, _: &'ast syn::ItemStruct) {}
    fn visit_item_enum(&mut self, _: &'ast syn::ItemEnum) {}
}

impl UsesSelf {
    fn tokens(&mut self, tokens: TokenStream) {
        for tree in tokens {
            match tree {
                TokenTree::Ident(ident) if ident == "Self" => {
                    self.0.get_or_insert(ident);
                }
                TokenTree::Group(group) => self.tokens(group.stream()),
                _ => {}
            }
        }
    }
}
