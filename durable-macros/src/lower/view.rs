//! Chains of methods that borrow, and iterations over what is borrowed.

use super::borrow::{Again, Not, PAGE, Why};
use super::constant::is_constant;
use super::views::{Method, gives_values};
use super::{Lowerer, plain};
use crate::effects::Effects;
use crate::ir::as_var;
use crate::spans::asked_at;
use proc_macro2::Ident;
use syn::Expr;

/// What a `for` goes over and can go over again.
pub(super) struct Iteration {
    pub(super) items: Items,
    /// What must be asked of types.
    pub(super) checks: Vec<Expr>,
    /// An iterator, and not something that can be iterated.
    pub(super) is_iterator: bool,
}

/// What the items are.
#[derive(Clone, Debug)]
pub(super) enum Items {
    /// Of a constant: certain to be the same.
    Constant,
    /// References, which keep what is iterated from changing while they are alive.
    References,
    /// Values, which do not, and are saved.
    Values,
    /// Values that may hold references, and so can't be saved.
    Copies,
    Pair(Box<Items>, Box<Items>),
}

impl Lowerer {
    /// A method call that gives the same borrow again.
    pub(super) fn view(&self, call: &syn::ExprMethodCall, expr: &Expr) -> Again {
        let method = self.method(call);
        let stable = call.args.iter().all(|arg| self.is_stable(arg));
        match method {
            Method::Look => {
                let mut checks = self.place(&call.receiver)?;
                // `state.as_str()` may give a `&'static str`, which keeps no one from changing the state.
                let is_frozen =
                    Effects::of_expr(&call.receiver).uses.into_iter().all(|var| self.is_frozen(var));
                if call.method != "as_ref" && call.method != "as_mut" && !is_frozen {
                    let (p, receiver) = (runtime(call), &call.receiver);
                    checks.push(syn::parse_quote_spanned!(p.span()=> #p::viewed(&#receiver)));
                }
                Ok(checks)
            }
            Method::Lookup => {
                let mut checks = self.place(&call.receiver)?;
                if !stable {
                    return Err(Not::Owned);
                }
                let (p, receiver) = (runtime(call), &call.receiver);
                checks.push(syn::parse_quote_spanned!(p.span()=> #p::viewed(&#receiver)));
                Ok(checks)
            }
            Method::Opener => {
                let mut checks = self.again(&call.receiver)?;
                for arg in call.args.iter().filter(|arg| !is_constant(arg)) {
                    checks.extend(self.again(arg)?);
                }
                Ok(checks)
            }
            Method::Start { certain: true } | Method::Adaptor => {
                let mut checks = self.iteration(expr)?.checks;
                let p = runtime(call);
                checks.push(syn::parse_quote_spanned!(p.span()=> #p::ordered(#expr)));
                Ok(checks)
            }
            Method::End | Method::Search => {
                let Ok(Iteration { items: Items::References, mut checks, .. }) =
                    self.iteration(&call.receiver)
                else {
                    return Err(Not::Owned);
                };
                if method == Method::Search || !stable {
                    return Err(Not::Refused(search(&call.method)));
                }
                let (p, receiver) = (runtime(call), &call.receiver);
                checks.push(syn::parse_quote_spanned!(p.span()=> #p::ordered(#receiver)));
                Ok(checks)
            }
            Method::Closure => {
                self.iteration(&call.receiver)?;
                Err(Not::Refused(closure(&call.method)))
            }
            Method::Start { certain: false } | Method::Other => Err(Not::Owned),
        }
    }

    /// Something borrowed, or constant, whose items come again in the same order.
    pub(super) fn iteration(&self, expr: &Expr) -> Result<Iteration, Not> {
        match expr {
            Expr::Paren(e) => return self.iteration(&e.expr),
            Expr::Group(e) => return self.iteration(&e.expr),
            _ if is_constant(expr) && !matches!(expr, Expr::Range(_)) => {
                return Ok(Iteration { items: Items::Constant, checks: Vec::new(), is_iterator: false });
            }
            Expr::Range(e) if e.start.iter().chain(&e.end).all(|part| self.is_stable(part)) => {
                return Ok(Iteration { items: Items::Values, checks: Vec::new(), is_iterator: true });
            }
            Expr::Call(call) if is_once(&call.func) => {
                let mut checks = Vec::new();
                for arg in call.args.iter().filter(|arg| !is_constant(arg)) {
                    checks.extend(self.again(arg)?);
                }
                return Ok(Iteration { items: Items::References, checks, is_iterator: true });
            }
            Expr::MethodCall(call) => {
                let name = call.method.to_string();
                match self.method(call) {
                    Method::Start { .. } => return self.start_of(call, &name),
                    Method::Adaptor => return self.adapted(call, &name),
                    Method::Closure => {
                        self.iteration(&call.receiver)?;
                        return Err(Not::Refused(closure(&call.method)));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        let checks = self.again(expr)?;
        Ok(Iteration { items: Items::References, checks, is_iterator: false })
    }

    fn start_of(&self, call: &syn::ExprMethodCall, name: &str) -> Result<Iteration, Not> {
        let checks = self.place(&call.receiver)?;
        if !call.args.iter().all(|arg| self.is_stable(arg)) {
            return Err(unstable_argument(call));
        }
        let items = if is_constant(&call.receiver) {
            Items::Constant
        } else if gives_values(name) {
            Items::Values
        } else {
            Items::References
        };
        Ok(Iteration { items, checks, is_iterator: true })
    }

    fn adapted(&self, call: &syn::ExprMethodCall, name: &str) -> Result<Iteration, Not> {
        let Iteration { mut items, mut checks, .. } = self.iteration(&call.receiver)?;
        match (name, call.args.first()) {
            ("enumerate", _) => items = Items::Pair(Box::new(Items::Values), Box::new(items)),
            ("copied" | "cloned", _) if matches!(items, Items::References) => {
                items = if self.is_saved_root(call) { Items::Values } else { Items::Copies };
            }
            ("zip" | "chain", Some(arg)) => {
                let other = self.iteration(arg)?;
                checks.extend(other.checks);
                if name == "zip" {
                    items = Items::Pair(Box::new(items), Box::new(other.items));
                } else if !matches!(other.items, Items::References | Items::Constant) {
                    items = other.items;
                }
            }
            _ if !call.args.iter().all(|arg| self.is_stable(arg)) => return Err(unstable_argument(call)),
            _ => {}
        }
        Ok(Iteration { items, checks, is_iterator: true })
    }

    /// What a method call is, by its name and by what it is called on.
    pub(super) fn method(&self, call: &syn::ExprMethodCall) -> Method {
        Method::of(call, self.is_iterator(&call.receiver))
    }

    /// A chain that is an iterator by the names of its methods, or a variable that holds one.
    pub(super) fn is_iterator(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Paren(e) => self.is_iterator(&e.expr),
            Expr::Group(e) => self.is_iterator(&e.expr),
            Expr::Range(_) => true,
            Expr::Call(call) => is_once(&call.func),
            Expr::MethodCall(call) if call.method == "into_iter" || call.method == "drain" => true,
            Expr::MethodCall(call) => {
                matches!(self.method(call), Method::Start { .. } | Method::Adaptor | Method::Closure)
            }
            expr => as_var(expr)
                .and_then(|var| self.function.vars[var].remat)
                .map(|remat| &self.function.remats[remat])
                .is_some_and(|remat| {
                    remat.count.is_none() && plain(&remat.pat).is_some() && self.is_iterator(&remat.expr)
                }),
        }
    }

    /// Whether a chain begins at a variable that is saved: copies of what it holds can be saved as well.
    fn is_saved_root(&self, call: &syn::ExprMethodCall) -> bool {
        let mut at = &*call.receiver;
        loop {
            at = match at {
                Expr::MethodCall(call) => &call.receiver,
                Expr::Paren(e) => &e.expr,
                Expr::Group(e) => &e.expr,
                Expr::Field(e) => &e.base,
                Expr::Index(e) => &e.expr,
                Expr::Reference(e) => &e.expr,
                _ => return as_var(at).is_some_and(|var| self.function.vars[var].remat.is_none()),
            };
        }
    }
}

/// `iter::once`.
fn is_once(func: &Expr) -> bool {
    matches!(func, Expr::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "once"))
}

fn unstable_argument(call: &syn::ExprMethodCall) -> Not {
    Not::Refused(Why {
        because: format!("the argument of `{}` may be another one by then", call.method),
        instead: format!("bind it first, by a `let` without `mut`, and give `{}` that", call.method),
        page: PAGE,
    })
}

pub(super) fn closure(method: &Ident) -> Why {
    Why {
        because: format!("the closure of `{method}` can't be kept"),
        instead: "collect it first: `.collect::<Vec<_>>()`, after `.cloned()` if it goes over references"
            .to_owned(),
        page: "iterator",
    }
}

fn search(method: &Ident) -> Why {
    Why {
        because: format!("`{method}` may find another item by then"),
        instead: "find the index, `let at = ...iter().position(..)`, and borrow by it: `&items[at]`"
            .to_owned(),
        page: PAGE,
    }
}

fn runtime(call: &syn::ExprMethodCall) -> Ident {
    Ident::new("__p", asked_at(call.method.span()))
}
