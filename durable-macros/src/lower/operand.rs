//! Expressions that contain an await, evaluated in Rust's order.
//!
//! `operand` gives back an expression that has not been evaluated yet; the caller evaluates it before anything else, or makes it
//! a temporary (`keep`). Everything that Rust evaluates before an await is made a temporary, unless it may be delayed.

use super::borrow::is_place;
use super::constant::is_constant;
use super::{Dest, Lowerer, is_control, point};
use crate::diagnostics;
use crate::ir::var_expr;
use syn::spanned::Spanned;
use syn::{BinOp, Expr};

/// How an operand is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Moved or copied.
    Value,
    /// Borrowed by the operation: a method's receiver, an operand of a comparison, what is indexed.
    Place,
}

impl Lowerer {
    /// Lowers an expression to one without awaits, to be evaluated next.
    pub(super) fn operand(&mut self, expr: Expr) -> Expr {
        if !point::has_await(&expr) {
            return self.kept(expr);
        }
        if is_control(&expr) || matches!(expr, Expr::Unsafe(_)) {
            return self.through_temp(expr);
        }
        match expr {
            Expr::Await(awaited) => self.await_expr(awaited),
            Expr::Paren(mut e) => {
                *e.expr = self.operand(*e.expr);
                Expr::Paren(e)
            }
            Expr::Group(e) => self.operand(*e.expr),
            Expr::Try(mut e) => {
                *e.expr = self.operand(*e.expr);
                Expr::Try(e)
            }
            Expr::Unary(mut e) => {
                *e.expr = self.operand(*e.expr);
                Expr::Unary(e)
            }
            Expr::Cast(mut e) => {
                *e.expr = self.operand(*e.expr);
                Expr::Cast(e)
            }
            Expr::Field(mut e) => {
                *e.base = self.operand(*e.base);
                Expr::Field(e)
            }
            Expr::Reference(mut e) => {
                *e.expr = self.operand(*e.expr);
                Expr::Reference(e)
            }
            Expr::Binary(e) => self.binary(e),
            Expr::Assign(e) => self.assign(e),
            Expr::Return(_) | Expr::Break(_) => {
                let span = expr.span();
                self.evaluate(expr, Dest::Discard);
                never(span)
            }
            Expr::Let(e) => {
                self.errors.push(
                    e.let_token.span,
                    "a `let` condition with an await is not supported here: bind the awaited value before",
                );
                Expr::Let(e)
            }
            other => self.composite(other),
        }
    }

    /// A value that several paths compute.
    fn through_temp(&mut self, expr: Expr) -> Expr {
        let span = expr.span();
        let temp = self.temp("value".to_owned());
        self.push(crate::ir::Stmt::Declare(temp));
        self.evaluate(expr, Dest::Var(temp));
        if self.current.is_none() { never(span) } else { var_expr(temp, span) }
    }

    /// Calls, literals of structs and arrays, and whatever else has several operands.
    fn composite(&mut self, expr: Expr) -> Expr {
        match expr {
            Expr::Call(mut e) => {
                let name = callee_name(&e.func);
                let func = std::mem::replace(&mut *e.func, Expr::PLACEHOLDER);
                let mut parts = vec![(func, Mode::Place)];
                parts.extend(e.args.into_iter().map(|arg| (arg, Mode::Value)));
                let mut parts = self.operands(&name, parts, 1).into_iter();
                if let Some(func) = parts.next() {
                    *e.func = func;
                }
                e.args = parts.collect();
                Expr::Call(e)
            }
            Expr::MethodCall(mut e) => {
                let name = e.method.to_string();
                let receiver = std::mem::replace(&mut *e.receiver, Expr::PLACEHOLDER);
                let mut parts = vec![(receiver, Mode::Place)];
                parts.extend(e.args.into_iter().map(|arg| (arg, Mode::Value)));
                let mut parts = self.operands(&name, parts, 1).into_iter();
                if let Some(receiver) = parts.next() {
                    *e.receiver = receiver;
                }
                e.args = parts.collect();
                Expr::MethodCall(e)
            }
            Expr::Index(mut e) => {
                let mut parts = self
                    .operands("index", vec![(*e.expr, Mode::Place), (*e.index, Mode::Value)], 1)
                    .into_iter();
                if let (Some(base), Some(index)) = (parts.next(), parts.next()) {
                    (*e.expr, *e.index) = (base, index);
                    return Expr::Index(e);
                }
                never(e.bracket_token.span.join())
            }
            Expr::Tuple(mut e) => {
                e.elems = self.values("tuple", e.elems).into_iter().collect();
                if e.elems.len() == 1 {
                    e.elems.push_punct(syn::token::Comma::default());
                }
                Expr::Tuple(e)
            }
            Expr::Array(mut e) => {
                e.elems = self.values("array", e.elems).into_iter().collect();
                Expr::Array(e)
            }
            Expr::Repeat(mut e) => {
                *e.expr = self.operand(*e.expr);
                Expr::Repeat(e)
            }
            Expr::Struct(mut e) => {
                let name =
                    e.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
                let fields = e.fields.iter().map(|field| field.expr.clone());
                let parts: Vec<Expr> = fields.chain(e.rest.as_deref().cloned()).collect();
                let mut parts = self.values(&name, parts).into_iter();
                for (field, value) in e.fields.iter_mut().zip(&mut parts) {
                    field.expr = value;
                    field.colon_token.get_or_insert_with(syn::token::Colon::default);
                }
                e.rest = parts.next().map(Box::new);
                Expr::Struct(e)
            }
            Expr::Range(mut e) => {
                let parts: Vec<Expr> = e.start.iter().chain(&e.end).map(|part| (**part).clone()).collect();
                let mut parts = self.values("range", parts).into_iter();
                e.start = e.start.and_then(|_| parts.next()).map(Box::new);
                e.end = e.end.and_then(|_| parts.next()).map(Box::new);
                Expr::Range(e)
            }
            other => {
                self.errors.push(
                    other.span(),
                    "an await inside this expression is not supported yet: bind the awaited value before",
                );
                other
            }
        }
    }

    fn values(&mut self, name: &str, parts: impl IntoIterator<Item = Expr>) -> Vec<Expr> {
        let parts = parts.into_iter().map(|part| (part, Mode::Value)).collect();
        self.operands(name, parts, 0)
    }

    /// Operands in evaluation order. Those before the last await are made temporaries named `name(position)`; the first
    /// `unnamed` operands are not arguments.
    fn operands(&mut self, name: &str, parts: Vec<(Expr, Mode)>, unnamed: usize) -> Vec<Expr> {
        let last = parts.iter().rposition(|(part, _)| point::has_await(part)).unwrap_or(0);
        let mut results: Vec<Expr> = Vec::new();
        let mut held = false;
        for (at, (part, mode)) in parts.into_iter().enumerate() {
            let label =
                at.checked_sub(unnamed).map_or_else(|| format!("{name}.self"), |at| format!("{name}({at})"));
            let value = self.operand(part);
            let value = if at < last {
                let value = self.keep(label, value, mode);
                held |= !is_constant(&value);
                value
            } else if at == last && held {
                // Its poll saves the operands before it, so these must not have been moved or borrowed yet.
                self.keep_always(label, value, mode)
            } else {
                value
            };
            results.push(value);
        }
        results
    }

    /// Makes an operand survive what is evaluated behind it.
    pub(super) fn keep(&mut self, name: String, value: Expr, mode: Mode) -> Expr {
        let place = is_place(&value);
        match value {
            value if is_constant(&value) => value,
            Expr::Closure(_) => value,
            value if mode == Mode::Place && place => value,
            Expr::Reference(mut reference) => {
                if !is_place(&reference.expr) && !is_constant(&reference.expr) {
                    let span = reference.expr.span();
                    let mutable = reference.mutability.is_some();
                    let temp = self.bind_temp(name, *reference.expr, mutable);
                    *reference.expr = var_expr(temp, span);
                }
                Expr::Reference(reference)
            }
            value => self.keep_always(name, value, mode),
        }
    }

    fn keep_always(&mut self, name: String, value: Expr, mode: Mode) -> Expr {
        let span = value.span();
        let temp = self.bind_temp(name, value, mode == Mode::Place);
        var_expr(temp, span)
    }

    fn binary(&mut self, mut e: syn::ExprBinary) -> Expr {
        let mode = match e.op {
            BinOp::Eq(_) | BinOp::Ne(_) | BinOp::Lt(_) | BinOp::Le(_) | BinOp::Gt(_) | BinOp::Ge(_) => {
                Mode::Place
            }
            _ => Mode::Value,
        };
        if is_compound(&e.op) {
            if point::has_await(&e.left) || !is_place(&e.left) {
                self.errors.push(e.left.span(), diagnostics::COMPOUND_LEFT);
            }
            let right = self.operand(*e.right);
            *e.right = self.keep_always("right".to_owned(), right, Mode::Value);
            *e.left = self.kept(*e.left);
            return Expr::Binary(e);
        }
        let mut parts = self.operands("operator", vec![(*e.left, mode), (*e.right, mode)], 0).into_iter();
        if let (Some(left), Some(right)) = (parts.next(), parts.next()) {
            (*e.left, *e.right) = (left, right);
            return Expr::Binary(e);
        }
        never(e.op.span())
    }

    /// Rust evaluates the right side first.
    fn assign(&mut self, mut e: syn::ExprAssign) -> Expr {
        let mut right = self.operand(*e.right);
        if point::has_await(&e.left) {
            right = self.keep("right".to_owned(), right, Mode::Value);
        } else if !is_place(&e.left) {
            right = self.keep_always("right".to_owned(), right, Mode::Value);
        }
        *e.right = right;
        *e.left = self.operand(*e.left);
        Expr::Assign(e)
    }
}

/// Stands where control does not come.
fn never(span: proc_macro2::Span) -> Expr {
    syn::parse_quote_spanned!(span=> ::core::unreachable!())
}

fn is_compound(op: &BinOp) -> bool {
    use BinOp as B;
    matches!(
        op,
        B::AddAssign(_)
            | B::SubAssign(_)
            | B::MulAssign(_)
            | B::DivAssign(_)
            | B::RemAssign(_)
            | B::BitXorAssign(_)
            | B::BitAndAssign(_)
            | B::BitOrAssign(_)
            | B::ShlAssign(_)
            | B::ShrAssign(_)
    )
}

fn callee_name(func: &Expr) -> String {
    match func {
        Expr::Path(path) => {
            path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
        }
        _ => "call".to_owned(),
    }
}
