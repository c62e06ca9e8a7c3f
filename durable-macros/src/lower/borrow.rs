//! Which borrows can be made again after a restore, and how.
//!
//! Rule: an immutable binding with one initialiser that is a borrow of a *place*, or a pattern over one. A place is a field path
//! over variables; an index in it, and an argument of a lookup, is a constant or *frozen*: an immutable variable that is saved, or
//! made from such ones alone. The place itself may be mutable: then the borrow that is alive keeps rustc from letting it change.
//! Nothing keeps an index from changing after it was used, which is why it must be frozen; one that is not is copied into a
//! temporary first.
//!
//! A borrow that can't be made again is remembered with the reason (`Refusal`); it is an error only if it is alive at a resume
//! point (`crate::borrows`).

use super::constant::{is_const_path, is_constant, is_literal_text, is_text};
use super::pattern::References;
use super::views::Method;
use super::{Lowerer, plain};
use crate::effects::Effects;
use crate::ir::{Refusal, Remat, VarId, as_var};
use quote::ToTokens;
use syn::{Expr, Pat, Type};

/// The page on most borrows.
pub(super) const PAGE: &str = "borrow";

/// Why an expression is not made again.
pub(super) enum Not {
    /// It is a value, as far as its syntax shows.
    Owned,
    /// It is a borrow, and this is why.
    Refused(Why),
    /// It is taken from a variable that was refused.
    Derived(usize),
}

/// A reason, the way out, and the page that explains both.
pub(super) struct Why {
    pub(super) because: String,
    pub(super) instead: String,
    pub(super) page: &'static str,
}

/// What must be asked of types before an expression is made again, or why it is not.
pub(super) type Again = Result<Vec<Expr>, Not>;

/// A place: evaluating it has no effect and moves nothing by itself.
pub(super) fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) => true,
        Expr::Paren(e) => is_place(&e.expr),
        Expr::Group(e) => is_place(&e.expr),
        Expr::Field(e) => is_place(&e.base),
        Expr::Index(e) => is_place(&e.expr) && is_plain_index(&e.index),
        Expr::Unary(e) => matches!(e.op, syn::UnOp::Deref(_)) && is_place(&e.expr),
        _ => false,
    }
}

/// An index without effects: `[0]`, `[i]`, `[..]`, `[i..]`.
fn is_plain_index(expr: &Expr) -> bool {
    match expr {
        Expr::Range(e) => e.start.iter().chain(&e.end).all(|part| is_plain_index(part)),
        expr => is_constant(expr) || is_place(expr),
    }
}

impl Lowerer {
    /// Finds the bindings of a pattern that can be made again by matching the value again, and notes why others can't.
    pub(super) fn rematerialise_pattern(&mut self, pat: &Pat, ty: Option<&Type>, value: &Expr) {
        if let (Pat::Tuple(pats), Expr::Tuple(values)) = (pat, value) {
            for (pat, value) in componentwise(pats, values) {
                self.rematerialise_pattern(pat, None, value);
            }
            return;
        }
        if ty.is_some_and(is_owned) {
            return;
        }
        let (checks, references) = match self.again(value) {
            Ok(checks) => (checks, References::of(pat, true)),
            Err(not) => {
                let Ok(checks) = self.place(value) else {
                    let not = self.refusal_of_iterator(pat, value).unwrap_or(not);
                    // Taken apart, it may give values that are saved.
                    if plain(pat).is_none()
                        && matches!(value, Expr::Array(_) | Expr::Struct(_) | Expr::Call(_))
                    {
                        return;
                    }
                    return self.refuse(&References::of(pat, true).found, ty, value, not);
                };
                (checks, References::of(pat, false))
            }
        };
        let why = || Why {
            because: "several alternatives of the pattern bind it".to_owned(),
            instead: "give each alternative an arm of its own".to_owned(),
            page: PAGE,
        };
        self.refuse(&references.ambiguous, None, value, Not::Refused(why()));
        let mut found = references.found;
        if let (Some(var), true) = (plain(pat), self.is_surely_borrow(value))
            && self.function.vars[var].mutable
        {
            let why = self.why_mutable(var, value);
            return self.refuse(&[var], None, value, Not::Refused(why));
        }
        found.retain(|var| !self.function.vars[*var].mutable);
        if found.is_empty() {
            return;
        }
        let mut pat = pat.clone();
        super::pattern::retain(&mut pat, &|var| found.contains(&var));
        self.remake(found, Remat { pat, expr: value.clone(), count: None, constant: false, checks });
    }

    /// An iterator in a variable that is no borrow, or that goes over something else.
    fn refusal_of_iterator(&self, pat: &Pat, value: &Expr) -> Option<Not> {
        let name = &self.function.vars[plain(pat)?].stored_name;
        let mut root = value;
        while let Expr::MethodCall(call) = root {
            root = &call.receiver;
        }
        let is_range = matches!(root, Expr::Paren(inner) if matches!(&*inner.expr, Expr::Range(_)));
        if !matches!(value, Expr::MethodCall(_)) || is_range || !self.is_iterator(value) {
            return None;
        }
        if let Err(not @ Not::Refused(_)) = self.iteration(value) {
            return Some(not);
        }
        Some(Not::Refused(Why {
            because: format!("an iterator can't be kept, and how far `{name}` has come is not known"),
            instead: "write a `for` loop, or keep the collection itself: a `VecDeque` and `pop_front()`"
                .to_owned(),
            page: "iterator",
        }))
    }

    pub(super) fn remake(&mut self, vars: Vec<VarId>, remat: Remat) {
        self.function.remats.push(remat);
        for var in vars {
            self.function.vars[var].remat = Some(self.function.remats.len() - 1);
        }
    }

    /// Notes why variables that borrow can't be made again.
    fn refuse(&mut self, vars: &[VarId], ty: Option<&Type>, value: &Expr, not: Not) {
        let why = match (not, ty) {
            _ if vars.is_empty() => return,
            (Not::Derived(refusal), _) => {
                for var in vars {
                    self.function.vars[*var].refusal = Some(refusal);
                }
                return;
            }
            (Not::Refused(why), _) => why,
            (Not::Owned, Some(Type::Reference(_))) => Why {
                because: "what it refers to is not known here".to_owned(),
                instead: "keep an owned copy (`.to_owned()`, `.clone()`), or make the reference again \
                          after the await"
                    .to_owned(),
                page: PAGE,
            },
            (Not::Owned, _) => return,
        };
        let shown = super::point::shown(&self.function, value.to_token_stream());
        // Long text says less than its place does.
        let shown = match value {
            Expr::Closure(_) => "this closure".to_owned(),
            _ if shown.contains("__durable_") => "this".to_owned(),
            _ => format!("`{shown}`"),
        };
        let Why { because, instead, page } = why;
        let borrow = value.to_token_stream();
        self.function.refusals.push(Refusal { borrow, shown, because, instead, page });
        for var in vars {
            self.function.vars[*var].refusal = Some(self.function.refusals.len() - 1);
        }
    }

    fn why_mutable(&self, var: VarId, value: &Expr) -> Why {
        let name = &self.function.vars[var].stored_name;
        if is_literal_text(value) {
            let shown = super::point::shown(&self.function, value.to_token_stream());
            return Why {
                because: format!("`{name}` is a `&'static str` and may have been assigned another text"),
                instead: format!("use a `String`: `let mut {name} = {shown}.to_string();`"),
                page: PAGE,
            };
        }
        if let Ok(iteration) = self.iteration(value)
            && iteration.is_iterator
        {
            let shown = super::point::shown(&self.function, value.to_token_stream());
            return Why {
                because: format!("how far `{name}` has come is not known"),
                instead: format!("write `for item in {shown}`, or count with an index"),
                page: "iterator",
            };
        }
        Why {
            because: format!("`{name}` is `mut`, so it may refer to something else by then"),
            instead: format!(
                "keep an index, a key or an owned copy in `{name}`, and borrow again after the await"
            ),
            page: PAGE,
        }
    }

    /// Whether a value is a reference or holds one, whatever the types are.
    fn is_surely_borrow(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Paren(e) => self.is_surely_borrow(&e.expr),
            Expr::Group(e) => self.is_surely_borrow(&e.expr),
            Expr::Reference(_) => true,
            Expr::MethodCall(e) => match self.method(e) {
                Method::Look => true,
                Method::Opener => self.is_surely_borrow(&e.receiver),
                Method::Start { certain } => certain,
                Method::Adaptor => self.is_surely_borrow(&e.receiver) && !gives_copies(&e.method),
                _ => false,
            },
            expr if is_literal_text(expr) => true,
            expr => as_var(expr).and_then(|var| self.function.vars[var].remat).is_some_and(|remat| {
                let remat = &self.function.remats[remat];
                remat.count.is_none() && plain(&remat.pat).is_some() && self.is_surely_borrow(&remat.expr)
            }),
        }
    }

    /// An expression that gives the same borrow again.
    pub(super) fn again(&self, expr: &Expr) -> Again {
        match expr {
            Expr::Paren(e) => self.again(&e.expr),
            Expr::Group(e) => self.again(&e.expr),
            Expr::Try(e) => self.again(&e.expr),
            Expr::Cast(e) if matches!(&*e.expr, Expr::Reference(_)) => self.again(&e.expr),
            Expr::Reference(e) => self.place(&e.expr),
            Expr::Path(e) if is_const_path(&e.path) => Ok(Vec::new()),
            expr if is_text(expr) => Ok(Vec::new()),
            Expr::Tuple(e) => self.all_again(&mut e.elems.iter()),
            Expr::Array(e) => self.all_again(&mut e.elems.iter()),
            Expr::Struct(e) if e.rest.is_none() => {
                self.all_again(&mut e.fields.iter().map(|field| &field.expr))
            }
            Expr::Call(e) if is_wrapper(&e.func) => self.all_again(&mut e.args.iter()),
            Expr::MethodCall(e) => self.view(e, expr),
            Expr::Match(e) => self.choice_again(e),
            Expr::Closure(_) => Err(Not::Refused(Why {
                because: "its code can't be stored".to_owned(),
                instead:
                    "make it a nested `fn` that takes what it captures, or write it again after the await"
                        .to_owned(),
                page: "closure",
            })),
            Expr::Index(_) | Expr::Field(_) if self.is_in_text(expr) => self.place(expr),
            expr => match as_var(expr).map(|var| &self.function.vars[var]) {
                Some(var) if var.remat.is_some() => Ok(Vec::new()),
                Some(var) => Err(var.refusal.map_or(Not::Owned, Not::Derived)),
                None => Err(Not::Owned),
            },
        }
    }

    /// Several parts, all of which are borrows or constants.
    fn all_again(&self, parts: &mut dyn Iterator<Item = &Expr>) -> Again {
        let (mut checks, mut values, mut borrows, mut names) = (Vec::new(), 0, 0, 0);
        for part in parts.filter(|part| !is_constant(part) || is_text(part)) {
            match self.again(part) {
                // The name of a constant does not say whether it is text: `[DAY, 2 * DAY]` holds values.
                Ok(_) if is_constant(part) && !is_literal_text(part) => names += 1,
                Ok(more) => {
                    borrows += 1;
                    checks.extend(more);
                }
                Err(Not::Owned) => values += 1,
                Err(not) => return Err(not),
            }
        }
        match (borrows, values) {
            (0, 0) if names == 0 => Err(Not::Owned),
            (0, 1..) => Err(Not::Owned),
            (_, 0) => Ok(checks),
            _ => Err(Not::Refused(Why {
                because: "it holds a value beside the borrow".to_owned(),
                instead: "bind the value and the borrow each by itself".to_owned(),
                page: PAGE,
            })),
        }
    }

    /// A place that is the same after a restore.
    pub(super) fn place(&self, expr: &Expr) -> Again {
        match expr {
            Expr::Paren(e) => self.place(&e.expr),
            Expr::Group(e) => self.place(&e.expr),
            Expr::Field(e) => self.place(&e.base),
            Expr::Unary(e) if matches!(e.op, syn::UnOp::Deref(_)) => self.place(&e.expr),
            Expr::Index(e) => {
                let mut checks = self.place(&e.expr)?;
                if is_constant(&e.index) {
                    return Ok(checks);
                }
                if !self.is_stable(&e.index) {
                    let shown = super::point::shown(&self.function, e.index.to_token_stream());
                    return Err(Not::Refused(Why {
                        because: format!("the index `{shown}` may be another one by then"),
                        instead: "keep an owned copy (`.clone()`), or borrow again after the await"
                            .to_owned(),
                        page: PAGE,
                    }));
                }
                checks.extend(self.again(&e.index).unwrap_or_default());
                Ok(checks)
            }
            expr if is_constant(expr) => Ok(Vec::new()),
            expr => match as_var(expr) {
                Some(var) if self.function.vars[var].flattened => Ok(Vec::new()),
                _ => self.again(expr),
            },
        }
    }

    /// A part of a constant that is not saved: `NAMES[2]`.
    fn is_in_text(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Paren(e) => self.is_in_text(&e.expr),
            Expr::Index(e) => self.is_in_text(&e.expr),
            Expr::Field(e) => self.is_in_text(&e.base),
            Expr::Path(e) if is_const_path(&e.path) => true,
            expr => as_var(expr)
                .and_then(|var| self.function.vars[var].remat)
                .is_some_and(|remat| is_text(&self.function.remats[remat].expr)),
        }
    }

    /// An index or an argument that is the same after a restore, whatever happens in between.
    pub(super) fn is_stable(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Range(e) => e.start.iter().chain(&e.end).all(|part| self.is_stable(part)),
            expr if is_constant(expr) => true,
            expr => {
                (self.place(expr).is_ok() || self.again(expr).is_ok())
                    && Effects::of_expr(expr).uses.into_iter().all(|var| self.is_frozen(var))
            }
        }
    }

    /// An immutable variable, made from immutable ones if it is made again.
    pub(super) fn is_frozen(&self, var: VarId) -> bool {
        let info = &self.function.vars[var];
        let Some(remat) = info.remat else {
            return info.flattened && !info.mutable;
        };
        let remat = &self.function.remats[remat];
        let mut roots = Effects::of_expr(&remat.expr).uses;
        roots.remove(&var);
        (remat.count.is_some() || !info.mutable) && roots.into_iter().all(|root| self.is_frozen(root))
    }
}

/// The parts of a tuple, each with its pattern.
fn componentwise<'a>(
    pats: &'a syn::PatTuple,
    values: &'a syn::ExprTuple,
) -> impl Iterator<Item = (&'a Pat, &'a Expr)> {
    let rest = pats.elems.iter().position(|pat| matches!(pat, Pat::Rest(_)));
    let before = rest.unwrap_or(pats.elems.len());
    let behind = pats.elems.len() - rest.map_or(before, |at| at + 1);
    let skipped = values.elems.len().saturating_sub(behind).max(before);
    let first = pats.elems.iter().zip(&values.elems).take(before);
    first.chain(pats.elems.iter().skip(before + 1).zip(values.elems.iter().skip(skipped)))
}

/// `Some`, `Ok`, `Err`.
fn is_wrapper(func: &Expr) -> bool {
    matches!(func, Expr::Path(path) if path.path.segments.last().is_some_and(|last| {
        last.ident == "Some" || last.ident == "Ok" || last.ident == "Err"
    }))
}

fn gives_copies(method: &syn::Ident) -> bool {
    method == "copied" || method == "cloned"
}

/// A type that the user wrote out and that holds no reference: its value is saved.
fn is_owned(ty: &Type) -> bool {
    fn has_borrow(tokens: proc_macro2::TokenStream) -> bool {
        tokens.into_iter().any(|tree| match tree {
            proc_macro2::TokenTree::Punct(punct) => matches!(punct.as_char(), '&' | '\''),
            proc_macro2::TokenTree::Ident(ident) => ident == "_",
            proc_macro2::TokenTree::Group(group) => has_borrow(group.stream()),
            proc_macro2::TokenTree::Literal(_) => false,
        })
    }
    !has_borrow(ty.to_token_stream())
}
