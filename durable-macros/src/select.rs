//! `select!`, written out on the syntax tree before any other phase sees it.
//!
//! ```text
//! select! { x = e1, if c => b1, r = &mut place => b2, else => b3 }
//!
//! match match __p::end2(__p::select2(false, [c, true], (__p::own(e1), __p::lend(&mut place))).await) {
//!     (__won, (_, __lent_1)) => { __p::give_back(&mut place, __lent_1); __won }
//! } {
//!     __p::Won2::A(x) => { b1 }
//!     __p::Won2::B(r) => { b2 }
//!     __p::Won2::Disabled => { b3 }
//! }
//! ```
//!
//! So a `select!` is one resume point, its bodies are arms of a `match`, in which everything may stand that may stand in one, and
//! no later phase learns a new construct. `end2` ends the losers; what was lent is in its place again before a body runs.
//!
//! A pattern that may not match (`Ok(x)`) turns its branch off if it does not, and the others are waited for: then a loop stands
//! around the await. It holds the patterns without their bindings and nothing else of the user's, so that a `break` in a body
//! means the user's loop.
//!
//! Deliberately absent: which branch wins, and what becomes of the losers; that is the engine's.

mod parse;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use write::{branch_of, operations};

use crate::diagnostics::{Errors, Refusal};
use proc_macro2::{Span, TokenStream, TokenTree};
use std::collections::BTreeMap;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Item, ItemFn, Macro, Path, Stmt};

/// The page of all its messages.
const PAGE: &str = "select";

/// The tokens of a `select!` that means nothing: it stands for the ones that were written out, so that rustc still finds the
/// name, and an import of it is used.
const WRITTEN_OUT: &str = "@";

const OUTSIDE: Refusal = Refusal {
    what: "`select!` works in a `#[workflow]` only",
    help: "write `#[workflow]` above the async function, or use the runtime's own `select!` in an `#[activity]`",
    page: PAGE,
};

/// Expands `select!` itself, which nothing does but rustc, where no `#[workflow]` has written it out.
pub(crate) fn outside(tokens: &TokenStream) -> TokenStream {
    if tokens.to_string() == WRITTEN_OUT {
        return TokenStream::new();
    }
    syn::Error::new(Span::call_site(), OUTSIDE).to_compile_error()
}

/// Writes every `select!` of a function out.
pub(crate) fn write_out(function: &mut ItemFn, krate: &Path, errors: &mut Errors) {
    let mut writer = Writer { krate, errors, written: BTreeMap::new() };
    writer.visit_block_mut(&mut function.block);
    let written = writer.written.into_values();
    function.block.stmts.splice(0..0, written.map(|path| Stmt::Item(mention(&path))));
}

/// `select!(@);`
fn mention(path: &Path) -> Item {
    let mac: Macro = syn::parse_quote!(#path!(@));
    Item::Macro(syn::ItemMacro {
        attrs: Vec::new(),
        ident: None,
        mac,
        semi_token: Some(syn::token::Semi::default()),
    })
}

/// The place of a `select!` in some tokens. That of a runtime is refused as such.
pub(crate) fn find(tokens: &TokenStream) -> Option<Span> {
    let mut before = [None, None];
    let trees: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        let is_called = matches!(trees.get(at + 1), Some(TokenTree::Punct(punct)) if punct.as_char() == '!')
            && matches!(trees.get(at + 2), Some(TokenTree::Group(_)));
        match tree {
            TokenTree::Ident(ident) if ident == "select" && is_called && before != [Some(':'), Some(':')] => {
                return Some(ident.span());
            }
            TokenTree::Group(group) => {
                if let Some(found) = find(&group.stream()) {
                    return Some(found);
                }
            }
            _ => {}
        }
        let punct = match tree {
            TokenTree::Punct(punct) => Some(punct.as_char()),
            _ => None,
        };
        before = [before[1], punct];
    }
    None
}

struct Writer<'a> {
    krate: &'a Path,
    errors: &'a mut Errors,
    /// The paths of those that were written out.
    written: BTreeMap<String, Path>,
}

impl Writer<'_> {
    /// Behind any other path it is a macro of the user's own, or a runtime's.
    fn is_ours(&self, path: &Path) -> bool {
        let mut segments = path.segments.iter().rev();
        if segments.next().is_none_or(|last| last.ident != "select") {
            return false;
        }
        let names = |path: &Path| -> Vec<String> {
            path.segments.iter().map(|segment| segment.ident.to_string()).collect()
        };
        let mut before = names(path);
        before.pop();
        before.is_empty() || before == ["durable"] || before == names(self.krate)
    }

    fn written_out(&mut self, mac: &Macro) -> Expr {
        let path = &mac.path;
        self.written.entry(quote::quote!(#path).to_string()).or_insert_with(|| path.clone());
        let span = path.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
        match parse::parse(mac) {
            Ok(select) => write::written_out(&select, span),
            Err(error) => {
                self.errors.push_error(error);
                syn::parse_quote_spanned!(span=> ::core::unreachable!())
            }
        }
    }
}

impl VisitMut for Writer<'_> {
    fn visit_item_mut(&mut self, _: &mut Item) {}

    fn visit_stmt_mut(&mut self, stmt: &mut Stmt) {
        if let Stmt::Macro(mac) = stmt
            && self.is_ours(&mac.mac.path)
        {
            let mut expr = self.written_out(&mac.mac);
            if let Expr::Match(choice) = &mut expr {
                choice.attrs.append(&mut mac.attrs);
            }
            *stmt = Stmt::Expr(expr, mac.semi_token);
        }
        visit_mut::visit_stmt_mut(self, stmt);
    }

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if let Expr::Macro(mac) = expr
            && self.is_ours(&mac.mac.path)
        {
            *expr = self.written_out(&mac.mac);
        }
        visit_mut::visit_expr_mut(self, expr);
    }
}
