//! What operands do to a place that stands in front of them.
//!
//! `receiver.method(operand)` evaluates its receiver first. A receiver by value is copied then, and whatever the operand does to the
//! variable changes nothing of it; a receiver that the method borrows is the variable itself, and rustc refuses an operand that
//! changes it. Which of the two it is the types decide, which are not known here:
//!
//! - An operand that assigns the place, or lends it with `&mut`, would be refused beside a receiver that is borrowed. So it is one
//!   by value: it is copied (`changed`).
//! - An operand that calls a method on the place may change it or read it (`lent`). The place is left as it is, which is right if it
//!   is read, and borrowed until the operands are evaluated, so that rustc refuses what changes it (`keep_borrowed`).
//!
//! Two fields of one variable are two places.

use crate::effects::{Effects, Set};
use crate::ir::{VarId, as_var};
use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Pat};

/// A place, as far as the syntax tells it from others: a variable and the fields up to an index.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Path {
    var: VarId,
    fields: Vec<String>,
    /// An index ends it: which element is not known.
    ended: bool,
}

impl Path {
    pub(super) fn of(place: &Expr) -> Option<Self> {
        match place {
            Expr::Paren(e) => Self::of(&e.expr),
            Expr::Group(e) => Self::of(&e.expr),
            // Through a reference stands the same place as through its name.
            Expr::Unary(e) if matches!(e.op, syn::UnOp::Deref(_)) => Self::of(&e.expr),
            Expr::Index(e) => Some(Self { ended: true, ..Self::of(&e.expr)? }),
            Expr::Field(e) => {
                let mut path = Self::of(&e.base)?;
                if !path.ended {
                    path.fields.push(e.member.to_token_stream().to_string());
                }
                Some(path)
            }
            expr => as_var(expr).map(Self::whole),
        }
    }

    fn whole(var: VarId) -> Self {
        Self { var, fields: Vec::new(), ended: false }
    }

    /// Whether one is the other or a part of it.
    fn overlaps(&self, other: &Self) -> bool {
        self.var == other.var && self.fields.iter().zip(&other.fields).all(|(one, other)| one == other)
    }
}

/// What some operands do to variables.
#[derive(Default)]
pub(super) struct Changes {
    /// Places that they assign or lend with `&mut`.
    changed: Vec<Path>,
    /// Places that they may change in another way.
    lent: Vec<Path>,
}

impl Changes {
    pub(super) fn of<'e>(operands: impl IntoIterator<Item = &'e Expr>) -> Self {
        let mut changes = Self::default();
        operands.into_iter().for_each(|operand| changes.visit_expr(operand));
        changes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.lent.is_empty()
    }

    /// The variables that are certain to change, whatever part of them.
    pub(super) fn vars(&self) -> Set {
        self.changed.iter().map(|path| path.var).collect()
    }

    /// The same, with those that may.
    pub(super) fn all_vars(&self) -> Set {
        self.changed.iter().chain(&self.lent).map(|path| path.var).collect()
    }

    pub(super) fn changes(&self, place: &Expr) -> bool {
        Path::of(place).is_some_and(|path| self.changed.iter().any(|other| other.overlaps(&path)))
    }

    pub(super) fn lends(&self, place: &Expr) -> bool {
        Path::of(place).is_some_and(|path| self.lent.iter().any(|other| other.overlaps(&path)))
    }

    /// What an expression assigns or lends; behind a `*` it is not the variable that changes.
    fn assigned(&mut self, place: &Expr) {
        match place {
            Expr::Tuple(e) => e.elems.iter().for_each(|elem| self.assigned(elem)),
            Expr::Array(e) => e.elems.iter().for_each(|elem| self.assigned(elem)),
            Expr::Call(e) => e.args.iter().for_each(|arg| self.assigned(arg)),
            Expr::Struct(e) => e.fields.iter().for_each(|field| self.assigned(&field.expr)),
            place if derefs(place) => self.lent.extend(Path::of(place)),
            place => self.changed.extend(Path::of(place)),
        }
    }

    fn mentioned(&mut self, tokens: &TokenStream) {
        self.lent.extend(Effects::of_tokens(tokens).mentions.into_iter().map(Path::whole));
    }
}

impl<'a> Visit<'a> for Changes {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Assign(e) => self.assigned(&e.left),
            Expr::Binary(e) if is_compound(&e.op) => self.assigned(&e.left),
            Expr::Reference(e) if e.mutability.is_some() => self.assigned(&e.expr),
            Expr::MethodCall(e) => self.lent.extend(Path::of(&e.receiver)),
            Expr::Closure(e) => self.mentioned(&e.body.to_token_stream()),
            // `ref mut`
            Expr::Match(e) if e.arms.iter().any(|arm| lends(&arm.pat)) => {
                self.lent.extend(Path::of(&e.expr));
            }
            Expr::Let(e) if lends(&e.pat) => self.lent.extend(Path::of(&e.expr)),
            _ => {}
        }
        visit::visit_expr(self, expr);
    }

    fn visit_local(&mut self, local: &'a syn::Local) {
        if let Some(init) = &local.init
            && lends(&local.pat)
        {
            self.lent.extend(Path::of(&init.expr));
        }
        visit::visit_local(self, local);
    }

    fn visit_macro(&mut self, mac: &'a syn::Macro) {
        self.mentioned(&mac.tokens);
    }

    fn visit_item(&mut self, _: &'a syn::Item) {}
}

/// Whether a pattern binds by `ref mut`.
fn lends(pat: &Pat) -> bool {
    struct Finder(bool);
    impl<'a> Visit<'a> for Finder {
        fn visit_pat_ident(&mut self, pat: &'a syn::PatIdent) {
            self.0 |= pat.by_ref.is_some() && pat.mutability.is_some();
            visit::visit_pat_ident(self, pat);
        }
    }
    let mut finder = Finder(false);
    finder.visit_pat(pat);
    finder.0
}

/// Whether a place is found through a reference that is dereferenced by name.
pub(super) fn derefs(place: &Expr) -> bool {
    match place {
        Expr::Paren(e) => derefs(&e.expr),
        Expr::Group(e) => derefs(&e.expr),
        Expr::Field(e) => derefs(&e.base),
        Expr::Index(e) => derefs(&e.expr),
        Expr::Unary(_) => true,
        _ => false,
    }
}

/// The part of a place in front of its first index.
pub(super) fn unindexed(place: &Expr) -> &Expr {
    fn indexed(place: &Expr) -> Option<&Expr> {
        match place {
            Expr::Paren(e) => indexed(&e.expr),
            Expr::Group(e) => indexed(&e.expr),
            Expr::Unary(e) => indexed(&e.expr),
            Expr::Field(e) => indexed(&e.base),
            Expr::Index(e) => Some(indexed(&e.expr).unwrap_or(&e.expr)),
            _ => None,
        }
    }
    indexed(place).unwrap_or(place)
}

/// The indexes of a place.
pub(super) fn indexes(place: &Expr) -> Vec<&Expr> {
    match place {
        Expr::Index(e) => {
            let mut found = indexes(&e.expr);
            found.push(&e.index);
            found
        }
        Expr::Field(e) => indexes(&e.base),
        Expr::Unary(e) => indexes(&e.expr),
        Expr::Paren(e) => indexes(&e.expr),
        Expr::Group(e) => indexes(&e.expr),
        _ => Vec::new(),
    }
}

pub(super) fn is_compound(op: &BinOp) -> bool {
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
