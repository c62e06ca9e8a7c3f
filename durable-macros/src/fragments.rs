//! Fragments of `macro_rules`: `$a * 2` with `1 + 2` for `$a` is `(1 + 2) * 2`.
//!
//! What a macro passes on stands in a group without delimiters, and rustc forgets such groups in what an attribute writes. So
//! an expression in one gets brackets where it could fall apart. Its types and patterns can't.

use proc_macro2::Span;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprParen, token::Paren};

/// Brackets a fragment.
pub(crate) fn bracket(expr: &mut Expr) {
    let Expr::Group(group) = expr else { return };
    // A statement, `$s` with `let x = 1` for it.
    if matches!(&*group.expr, Expr::Let(_)) {
        return;
    }
    let inner = std::mem::replace(&mut *group.expr, Expr::PLACEHOLDER);
    *expr = if holds_together(&inner) {
        inner
    } else {
        let attrs = std::mem::take(&mut group.attrs);
        // Not the user's brackets, so no lint minds them.
        Expr::Paren(ExprParen { attrs, paren_token: Paren(Span::mixed_site()), expr: Box::new(inner) })
    };
}

fn holds_together(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::Array(_)
            | Expr::Block(_)
            | Expr::Call(_)
            | Expr::Field(_)
            | Expr::Index(_)
            | Expr::Lit(_)
            | Expr::Macro(_)
            | Expr::MethodCall(_)
            | Expr::Paren(_)
            | Expr::Path(_)
            | Expr::Repeat(_)
            | Expr::Tuple(_)
    )
}

/// Brackets all fragments.
pub(crate) struct Bracket;

impl VisitMut for Bracket {
    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        bracket(expr);
        visit_mut::visit_expr_mut(self, expr);
    }
}
