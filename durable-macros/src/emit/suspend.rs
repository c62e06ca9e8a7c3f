//! Where a body is suspended: behind the text of a level, the last variable first, in the order in which a resume loads them.
//!
//! ```text
//! 's2: {
//!     's1: {
//!         ..the text of the level: match poll(future_1, 1) { Ready(v) => v, Pending => break 's1 }..
//!     }
//!     keep_all(&[&receipt]);                      // what point 1 needs and point 2 does not
//! }
//! keep_all(&[&total, &order]);                    // what both need
//! save();
//! ```
//!
//! So what points share stands there once and not at each of them, as their loads do (`loads`, whose tree this is, turned round); a
//! variable is mentioned in one place or a few, however many points save it. The text of a level never comes to its
//! end, so only such a jump leads behind it. Whatever stands deeper is dropped on the way there, and what is saved is declared in front.
//! A loop's points go on to the text of the level around it. Which point it is, the frame knows from the poll: a variable for that would be one in each
//! of these blocks, with a scope of its own in a debug build.
//!
//! A point that needs a variable of a narrower scope saves where it stands.

use super::body::{Emitter, label, made_up, pending};
use super::names::Render;
use super::text::{labelled, leave};
use crate::ir::{Function, PointId, VarId};
use crate::layout::{Layout, Level};
use crate::loads::Loads;
use proc_macro2::{Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::collections::{BTreeMap, BTreeSet};
use syn::Lifetime;

/// The points that save behind the text.
pub(crate) struct Suspensions(BTreeSet<PointId>);

impl Suspensions {
    /// Sorts the points.
    pub(crate) fn plan(function: &Function, layout: &Layout) -> Self {
        let is_narrow = |point: PointId| {
            !layout.scoped.is_empty()
                && layout.saved(function, point).iter().any(|var| layout.scoped.contains_key(var))
        };
        Self(layout.points.iter().copied().filter(|point| !is_narrow(*point)).collect())
    }

    fn of(&self, loads: &Loads) -> Vec<PointId> {
        loads.points.iter().copied().filter(|point| self.0.contains(point)).collect()
    }
}

fn name(prefix: &str, level: Level, number: usize) -> Lifetime {
    match level {
        None => label(prefix, number),
        Some(id) => label(&format!("{prefix}{id}_"), number),
    }
}

/// The label that a point's suspension begins at.
fn entry(level: Level, mut loads: &Loads, point: PointId) -> Lifetime {
    while let Some((fewer, others)) = loads.parted.as_deref() {
        loads = if fewer.points.contains(&point) { fewer } else { others };
    }
    name("s", level, loads.points.first().copied().unwrap_or(point) + 1)
}

/// `'label: { text }`
fn within(label: &Lifetime, text: TokenStream) -> TokenStream {
    let mut out = TokenStream::new();
    labelled(&mut out, label, text);
    out
}

impl Emitter<'_> {
    /// What is done at a point whose future is pending.
    pub(super) fn suspend(&self, point: PointId, span: Span) -> TokenStream {
        let level = self.function.loops_around(self.function.points[point].block).last().copied();
        if let Some(loads) = self.layout.loads.get(&level)
            && self.suspensions.0.contains(&point)
        {
            let label = entry(level, loads, point);
            return quote!(break #label);
        }
        let (cx, pending) = (made_up("cx"), pending());
        let kept = self.kept(point, &self.layout.saved(self.function, point));
        quote_spanned!(span=> { #kept #cx.save(); break #pending })
    }

    /// The text of a level, with its suspensions behind it.
    pub(super) fn suspending(&self, level: Level, text: TokenStream) -> TokenStream {
        let Some(loads) = self.layout.loads.get(&level) else { return text };
        let points = self.suspensions.of(loads);
        if points.is_empty() {
            return text;
        }
        let (text, cx) = (self.behind(level, loads, text), made_up("cx"));
        let Some(id) = level else {
            return quote!(#text #cx.save(););
        };
        let outer = self.function.loops[id].parent;
        let Some(loads) = self.layout.loads.get(&outer) else { return text };
        let mut ways: BTreeMap<Lifetime, Vec<Literal>> = BTreeMap::new();
        for number in points {
            let numbers = ways.entry(entry(outer, loads, number)).or_default();
            numbers.push(Literal::usize_unsuffixed(number + 1));
        }
        let last = ways.pop_last().map(|(label, _)| label);
        let others = ways.iter().map(|(label, numbers)| quote!(#(#numbers)|* => break #label,));
        if ways.is_empty() {
            return quote!(#text break #last;);
        }
        quote!(#text match #cx.point() { #(#others)* _ => break #last })
    }

    /// A text, and behind it what its points keep.
    fn behind(&self, level: Level, loads: &Loads, text: TokenStream) -> TokenStream {
        let points = self.suspensions.of(loads);
        let Some(last) = points.last() else { return text };
        let mut text = match loads.parted.as_deref() {
            None => within(&entry(level, loads, *last), text),
            Some((fewer, others)) => {
                match (self.suspensions.of(fewer).first(), self.suspensions.of(others).first()) {
                    (None, _) => self.behind(level, others, text),
                    (_, None) => self.behind(level, fewer, text),
                    (Some(_), Some(first)) if others.parted.is_none() && others.vars.is_empty() => {
                        within(&entry(level, others, *first), self.behind(level, fewer, text))
                    }
                    (Some(one), Some(other)) => {
                        let joined = label(&format!("j{one}_"), *other);
                        let mut text = self.behind(level, fewer, text);
                        leave(&mut text, &joined);
                        within(&joined, self.behind(level, others, text))
                    }
                }
            }
        };
        if !loads.vars.is_empty() {
            text.extend(self.kept(*last, &loads.vars));
        }
        text
    }

    /// Casts to `&dyn Any`, and one call. Calls of a function by each variable's type are less to compile in debug; in release LLVM spends seconds on
    /// making one of a hundred that follow each other. What rustc says of a variable that can't be saved, because it was
    /// moved or has no value yet, it says of the await; of several, of the last, which the most stands in front of.
    fn kept(&self, point: PointId, vars: &[VarId]) -> TokenStream {
        if vars.is_empty() {
            return TokenStream::new();
        }
        let info = &self.function.points[point];
        let (place, span) = (self.place(info.block), Span::mixed_site().located_at(info.span));
        let cx = made_up("cx");
        let vars = vars.iter().rev().map(|var| {
            let mut name = place.name(*var, None);
            name.set_span(name.span().located_at(span));
            quote_spanned!(span=> &#name)
        });
        quote!(#cx.keep_all(&[#(#vars),*]);)
    }
}
