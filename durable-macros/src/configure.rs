//! `#[cfg(..)]` inside a workflow.
//!
//! An attribute macro sees its function before rustc has removed what is configured out, and a machine can't be made of code that
//! may not be there. So a function with such attributes is compiled once per combination of its conditions, each under the
//! `#[cfg(..)]` that says when it is meant; rustc keeps one of them. Nested items and macros' arguments keep their attributes.

use crate::diagnostics::Errors;
use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Attribute, Expr, ItemFn, Stmt, Token};

/// Each one doubles what is compiled.
const MAX_CONDITIONS: usize = 4;

/// A function for one combination of its conditions.
pub(crate) struct Variant {
    pub(crate) item: ItemFn,
    /// `#[cfg(..)]`, or nothing if there is only this one.
    pub(crate) when: TokenStream,
}

/// The function once per combination of its conditions.
pub(crate) fn variants(item: &ItemFn) -> syn::Result<Vec<Variant>> {
    let mut conditions = Conditions::default();
    item.sig.inputs.iter().for_each(|input| conditions.visit_fn_arg(input));
    conditions.visit_block(&item.block);
    let found = conditions.0;
    if found.is_empty() {
        return Ok(vec![Variant { item: item.clone(), when: TokenStream::new() }]);
    }
    if let Some((_, span)) = found.get(MAX_CONDITIONS) {
        let mut errors = Errors::default();
        errors.push(*span, format!("a workflow is compiled once per combination of its `#[cfg(..)]`s, and this is one condition more than {MAX_CONDITIONS}: move the code under it to a function of its own"));
        errors.check()?;
    }
    let mut variants = Vec::new();
    for combination in 0..1usize << found.len() {
        let holds: Vec<(String, bool)> = found
            .iter()
            .enumerate()
            .map(|(at, (condition, _))| (condition.to_string(), combination & (1 << at) != 0))
            .collect();
        let parts =
            found.iter().zip(&holds).map(
                |((condition, _), (_, holds))| {
                    if *holds { condition.clone() } else { quote!(not(#condition)) }
                },
            );
        let when = quote!(#[cfg(all(#(#parts),*))]);
        let mut item = item.clone();
        let mut configured = Configured { holds };
        configured.keep(&mut item.sig.inputs);
        configured.visit_block_mut(&mut item.block);
        variants.push(Variant { item, when });
    }
    Ok(variants)
}

/// The condition of a `#[cfg(condition)]`.
fn condition(attr: &Attribute) -> Option<TokenStream> {
    match &attr.meta {
        syn::Meta::List(list) if list.path.is_ident("cfg") => Some(list.tokens.clone()),
        _ => None,
    }
}

/// The different conditions of a function, each at its first place.
#[derive(Default)]
struct Conditions(Vec<(TokenStream, Span)>);

impl<'a> Visit<'a> for Conditions {
    fn visit_item(&mut self, _: &'a syn::Item) {}

    fn visit_attribute(&mut self, attr: &'a Attribute) {
        if let Some(condition) = condition(attr)
            && !self.0.iter().any(|(known, _)| known.to_string() == condition.to_string())
        {
            self.0.push((condition, attr.span()));
        }
        visit::visit_attribute(self, attr);
    }
}

/// Removes what one combination has not.
struct Configured {
    holds: Vec<(String, bool)>,
}

impl Configured {
    /// Whether something with these attributes is there; if it is, they are not needed any more.
    fn is_there(&self, attrs: &mut Vec<Attribute>) -> bool {
        let mut there = true;
        attrs.retain(|attr| {
            let Some(condition) = condition(attr) else {
                return true;
            };
            let condition = condition.to_string();
            there &= self.holds.iter().any(|(known, holds)| *known == condition && *holds);
            false
        });
        there
    }

    /// The same for whatever begins with attributes. syn hangs those of `#[a] x + y` on the `x`, rustc on the whole.
    fn configured<T: ToTokens>(&self, value: T, parse: impl FnOnce(TokenStream) -> Option<T>) -> Option<T> {
        let tokens = value.to_token_stream();
        if !matches!(tokens.clone().into_iter().next(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#')
        {
            return Some(value);
        }
        let parser = |input: syn::parse::ParseStream<'_>| {
            Ok((Attribute::parse_outer(input)?, input.parse::<TokenStream>()?))
        };
        let Ok((mut attrs, rest)) = parser.parse2(tokens) else {
            return Some(value);
        };
        if !self.is_there(&mut attrs) {
            return None;
        }
        Some(parse(quote!(#(#attrs)* #rest)).unwrap_or(value))
    }

    fn keep<T: ToTokens + syn::parse::Parse + Clone>(&self, list: &mut Punctuated<T, Token![,]>) {
        let all = std::mem::take(list);
        list.extend(
            all.into_iter().filter_map(|part| self.configured(part, |tokens| syn::parse2(tokens).ok())),
        );
    }
}

impl VisitMut for Configured {
    fn visit_item_mut(&mut self, _: &mut syn::Item) {}

    fn visit_block_mut(&mut self, block: &mut syn::Block) {
        let stmts = std::mem::take(&mut block.stmts);
        block.stmts = stmts
            .into_iter()
            .filter_map(|stmt| match stmt {
                Stmt::Item(_) => Some(stmt),
                // Parsed as the last statement of a block, an expression needs no semicolon.
                stmt => self.configured(stmt, |tokens| {
                    syn::Block::parse_within.parse2(tokens).ok()?.into_iter().next()
                }),
            })
            .collect();
        visit_mut::visit_block_mut(self, block);
    }

    fn visit_expr_match_mut(&mut self, choice: &mut syn::ExprMatch) {
        choice.arms.retain_mut(|arm| self.is_there(&mut arm.attrs));
        visit_mut::visit_expr_match_mut(self, choice);
    }

    fn visit_expr_struct_mut(&mut self, literal: &mut syn::ExprStruct) {
        let fields = std::mem::take(&mut literal.fields);
        literal.fields = fields
            .into_iter()
            .filter_map(|mut field| self.is_there(&mut field.attrs).then_some(field))
            .collect();
        visit_mut::visit_expr_struct_mut(self, literal);
    }

    fn visit_pat_struct_mut(&mut self, pat: &mut syn::PatStruct) {
        let fields = std::mem::take(&mut pat.fields);
        pat.fields = fields
            .into_iter()
            .filter_map(|mut field| self.is_there(&mut field.attrs).then_some(field))
            .collect();
        visit_mut::visit_pat_struct_mut(self, pat);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Call(e) => self.keep(&mut e.args),
            Expr::MethodCall(e) => self.keep(&mut e.args),
            Expr::Array(e) => self.keep(&mut e.elems),
            Expr::Tuple(e) => self.keep(&mut e.elems),
            _ => {}
        }
        visit_mut::visit_expr_mut(self, expr);
    }
}
