//! What is the same whenever it is evaluated: literals, constants, and what is made of them.
//!
//! A text literal is a `&'static str`, which no snapshot can hold, so it is evaluated again. Numbers and the like are saved: a
//! resumed workflow goes on with the value that it had.

use crate::ir::{as_var, marked};
use syn::punctuated::Punctuated;
use syn::{Expr, Lit, Token};

/// Macros of the standard library that expand to a text.
const TEXTS: &[&str] = &["concat", "stringify", "include_str", "include_bytes", "file", "module_path", "env"];

/// Something that is the same whenever it is evaluated: a literal, a constant, a function's path.
pub(super) fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(_) | Expr::Const(_) => true,
        Expr::Path(_) => as_var(expr).is_none(),
        Expr::Paren(e) => is_constant(&e.expr),
        Expr::Group(e) => is_constant(&e.expr),
        Expr::Unary(e) => matches!(e.op, syn::UnOp::Neg(_) | syn::UnOp::Not(_)) && is_constant(&e.expr),
        Expr::Cast(e) => is_constant(&e.expr),
        Expr::Reference(e) => is_constant(&e.expr),
        Expr::Tuple(e) => e.elems.iter().all(is_constant),
        Expr::Array(e) => e.elems.iter().all(is_constant),
        Expr::Macro(e) => is_text_macro(&e.mac),
        _ => false,
    }
}

/// A constant that holds a text, or may: what can't be saved, and need not be.
pub(super) fn is_text(expr: &Expr) -> bool {
    let is_list = || match expr {
        Expr::Macro(e) => listed(&e.mac).is_some_and(|all| all.iter().all(is_constant)),
        _ => false,
    };
    (is_constant(expr) || is_list()) && holds_text(expr)
}

fn holds_text(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(e) => matches!(e.lit, Lit::Str(_) | Lit::ByteStr(_) | Lit::CStr(_)),
        Expr::Path(e) => is_const_path(&e.path),
        Expr::Paren(e) => holds_text(&e.expr),
        Expr::Group(e) => holds_text(&e.expr),
        // Whatever it is: a reference.
        Expr::Reference(_) => true,
        Expr::Tuple(e) => e.elems.iter().any(holds_text),
        Expr::Array(e) => e.elems.iter().any(holds_text),
        Expr::Macro(e) => {
            is_text_macro(&e.mac) || listed(&e.mac).is_some_and(|all| all.iter().any(holds_text))
        }
        _ => false,
    }
}

/// A text literal, in whatever brackets.
pub(super) fn is_literal_text(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(e) => matches!(e.lit, Lit::Str(_)),
        Expr::Macro(e) => is_text_macro(&e.mac),
        Expr::Paren(e) => is_literal_text(&e.expr),
        Expr::Group(e) => is_literal_text(&e.expr),
        _ => false,
    }
}

/// A constant by its spelling, `LIMIT` or `module::LIMIT`: its value may be a `&'static str`, which can't be saved.
pub(super) fn is_const_path(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|last| {
        let name = last.ident.to_string();
        name.len() > 1
            && marked(&last.ident).is_none()
            && name.chars().all(|c| c.is_uppercase() || c.is_numeric() || c == '_')
    })
}

fn is_text_macro(mac: &syn::Macro) -> bool {
    mac.path.segments.last().is_some_and(|last| TEXTS.contains(&last.ident.to_string().as_str()))
}

/// The elements of a `vec![..]`.
fn listed(mac: &syn::Macro) -> Option<Punctuated<Expr, Token![,]>> {
    if !mac.path.is_ident("vec") {
        return None;
    }
    mac.parse_body_with(Punctuated::parse_terminated).ok()
}
