//! The grammar of `select!`, which is tokio's: `biased;`, then `pattern = operation, if condition => body`, then `else => body`.

use super::PAGE;
use crate::diagnostics::refusal;
use proc_macro2::Span;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, Macro, Pat, Token};

/// Each one is code of its own in the user's crate.
pub(super) const MAX_BRANCHES: usize = 8;

/// A `select!` as written.
pub(super) struct Select {
    pub(super) biased: bool,
    pub(super) branches: Vec<Branch>,
    pub(super) otherwise: Option<Expr>,
}

/// `pattern = operation, if condition => body`
pub(super) struct Branch {
    pub(super) pat: Pat,
    pub(super) operation: Operation,
    pub(super) condition: Option<Expr>,
    pub(super) body: Expr,
}

/// What a branch waits for.
pub(super) enum Operation {
    /// It is the branch's own and ends with it.
    Own(Expr),
    /// `&mut place`: it is left there.
    Lent(syn::ExprReference),
}

/// Reads the tokens of the macro.
pub(super) fn parse(mac: &Macro) -> syn::Result<Select> {
    let at = mac.path.segments.last().map_or_else(Span::call_site, |last| last.ident.span());
    let select = select.parse2(mac.tokens.clone())?;
    if let Some(branch) = select.branches.get(MAX_BRANCHES) {
        let what =
            format!("this `select!` has {} branches, and {MAX_BRANCHES} is the limit", select.branches.len());
        let help = "race operations of one type with `vec![..].race()`, or select among some of them in a second `#[workflow]` and call that";
        return Err(syn::Error::new_spanned(&branch.pat, refusal(what, help, PAGE)));
    }
    if select.branches.is_empty() {
        let message =
            refusal("this `select!` waits for nothing", "write `pattern = operation => body`", PAGE);
        return Err(syn::Error::new(at, message));
    }
    Ok(select)
}

fn select(input: ParseStream<'_>) -> syn::Result<Select> {
    let mut select = Select { biased: false, branches: Vec::new(), otherwise: None };
    let is_biased = input.fork().parse::<Ident>().is_ok_and(|ident| ident == "biased");
    if is_biased && input.peek2(Token![;]) {
        input.parse::<Ident>()?;
        input.parse::<Token![;]>()?;
        select.biased = true;
    }
    while !input.is_empty() {
        if select.otherwise.is_some() {
            let message = refusal("`else` is the last branch of a `select!`", "move it to the end", PAGE);
            return Err(input.error(message));
        }
        if input.peek(Token![else]) {
            input.parse::<Token![else]>()?;
            arrow(input)?;
            select.otherwise = Some(body(input)?);
        } else {
            select.branches.push(branch(input)?);
        }
    }
    Ok(select)
}

fn branch(input: ParseStream<'_>) -> syn::Result<Branch> {
    let pat = Pat::parse_multi_with_leading_vert(input).map_err(|error| in_branch(&error))?;
    // `default =>`, as futures has it, begins with the same character.
    if input.peek(Token![=>]) || !input.peek(Token![=]) {
        return Err(in_branch(&input.error("expected `=`")));
    }
    input.parse::<Token![=]>()?;
    let operation = operation(input.parse().map_err(|error| in_branch(&error))?)?;
    let mut condition = None;
    if input.peek(Token![,]) && input.peek2(Token![if]) {
        input.parse::<Token![,]>()?;
        input.parse::<Token![if]>()?;
        condition = Some(input.parse().map_err(|error| in_branch(&error))?);
    }
    arrow(input)?;
    Ok(Branch { pat, operation, condition, body: body(input)? })
}

fn arrow(input: ParseStream<'_>) -> syn::Result<()> {
    input.parse::<Token![=>]>().map(drop).map_err(|error| in_branch(&error))
}

/// As in an arm of a `match`: what ends with a brace needs no comma behind it.
fn body(input: ParseStream<'_>) -> syn::Result<Expr> {
    let body = if input.peek(syn::token::Brace) && !input.peek2(Token![.]) && !input.peek2(Token![?]) {
        Expr::Block(syn::ExprBlock { attrs: Vec::new(), label: None, block: input.parse()? })
    } else {
        Expr::parse_with_earlier_boundary_rule(input)?
    };
    let ends = matches!(
        body,
        Expr::Block(_)
            | Expr::ForLoop(_)
            | Expr::If(_)
            | Expr::Loop(_)
            | Expr::Match(_)
            | Expr::Unsafe(_)
            | Expr::While(_)
    );
    if input.parse::<Option<Token![,]>>()?.is_none() && !ends && !input.is_empty() {
        return Err(in_branch(&input.error("expected `,`")));
    }
    Ok(body)
}

/// rustc's own words for what is missing, and how a branch is written.
fn in_branch(error: &syn::Error) -> syn::Error {
    let what = format!("this is no branch of a `select!`: {error}");
    let help =
        "write `pattern = operation => body`, with `, if condition` before the `=>` where it needs one";
    syn::Error::new(error.span(), refusal(what, help, PAGE))
}

fn operation(expr: Expr) -> syn::Result<Operation> {
    match expr {
        Expr::Group(inner) if matches!(&*inner.expr, Expr::Reference(_)) => operation(*inner.expr),
        Expr::Paren(inner) if matches!(&*inner.expr, Expr::Reference(_)) => operation(*inner.expr),
        Expr::Reference(borrow) if borrow.mutability.is_some() => {
            if is_place(&borrow.expr) {
                return Ok(Operation::Lent(borrow));
            }
            let message = refusal(
                "`&mut` in a branch of a `select!` lends what stands in a place with a name",
                "name it first: `let mut operation = ..;`, and write `&mut operation`",
                PAGE,
            );
            Err(syn::Error::new_spanned(&borrow.expr, message))
        }
        Expr::Await(awaited) => {
            let message = refusal(
                "a branch of a `select!` awaits its operation itself",
                "leave out the `.await`",
                PAGE,
            );
            Err(syn::Error::new(awaited.await_token.span, message))
        }
        expr => Ok(Operation::Own(expr)),
    }
}

/// A place that can be written twice: nothing is evaluated in it.
fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(path) => path.qself.is_none(),
        Expr::Paren(inner) => is_place(&inner.expr),
        Expr::Group(inner) => is_place(&inner.expr),
        Expr::Field(field) => is_place(&field.base),
        Expr::Index(index) => {
            is_place(&index.expr) && (matches!(&*index.index, Expr::Lit(_)) || is_place(&index.index))
        }
        _ => false,
    }
}
