//! Where a body is suspended: behind the text, once for all points of a level that save the same variables.
//!
//! ```text
//! let point = 's0: {
//!     ..the text of the level: match poll(future_1) { Ready(v) => v, Pending => break 's0 1 }..
//! };
//! match save(point, &[&order, &total]).await {}
//! ```
//!
//! What rustc does for a suspension (the borrows of what is saved, the casts, the state of the coroutine) it then does once and not at
//! each point: a straight function of a hundred awaits compiles in half the time. The text of a level never comes to its
//! end, so only such a jump leads behind it. Whatever stands deeper is dropped on the way there, and what is saved is declared in front.
//!
//! A point that needs a variable of a narrower scope suspends where it stands.

use super::body::{Emitter, label, made_up};
use super::names::Render;
use crate::ir::{Function, PointId, VarId};
use crate::layout::{Layout, Level};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::collections::BTreeMap;
use syn::Lifetime;

/// The suspensions that stand behind a level's text.
#[derive(Default)]
pub(crate) struct Suspensions {
    /// By level; the position is the number in the label.
    levels: BTreeMap<Level, Vec<Suspension>>,
}

/// What is saved, and for which points.
struct Suspension {
    vars: Vec<VarId>,
    points: Vec<PointId>,
}

fn name(level: Level, number: usize) -> Lifetime {
    match level {
        None => label("s", number),
        Some(id) => label(&format!("s{id}_"), number),
    }
}

impl Suspensions {
    /// Sorts the points.
    pub(crate) fn plan(function: &Function, layout: &Layout) -> Self {
        let mut plan = Self::default();
        for &point in &layout.points {
            let level = function.loops_around(function.points[point].block).last().copied();
            let vars = layout.saved(function, point);
            if vars.iter().any(|var| layout.scoped.contains_key(var)) {
                continue;
            }
            let suspensions = plan.levels.entry(level).or_default();
            match suspensions.iter_mut().find(|other| other.vars == vars) {
                Some(suspension) => suspension.points.push(point),
                None => suspensions.push(Suspension { vars, points: vec![point] }),
            }
        }
        plan
    }
}

impl Emitter<'_> {
    /// What is done at a point whose future is pending.
    pub(super) fn suspend(&self, point: PointId, span: Span) -> TokenStream {
        let number = Literal::usize_unsuffixed(point + 1);
        for (level, suspensions) in &self.suspensions.levels {
            if let Some(at) = suspensions.iter().position(|other| other.points.contains(&point)) {
                let label = name(*level, at);
                return quote!(break #label #number);
            }
        }
        let (cx, value) = (made_up("cx"), Ident::new("value", span));
        let saved = self.saved(point, &self.layout.saved(self.function, point));
        quote_spanned!(span=> {
            let #value = #cx.save(#number, #saved);
            match #value.await {}
        })
    }

    /// The text of a level, with its suspensions behind it.
    pub(super) fn suspending(&self, level: Level, mut text: TokenStream) -> TokenStream {
        let (cx, point, value) = (made_up("cx"), made_up("point"), made_up("value"));
        let suspensions = self.suspensions.levels.get(&level);
        for (number, Suspension { vars, points }) in suspensions.into_iter().flatten().enumerate() {
            let Some(last) = points.last() else { continue };
            let (label, saved) = (name(level, number), self.saved(*last, vars));
            text = quote! {
                let #point = #label: { #text };
                let #value = #cx.save(#point, #saved);
                match #value.await {}
            };
        }
        text
    }

    /// Casts to `&dyn Any` and not calls: a call is an unwind edge. What rustc says of a variable that can't be saved, because it was
    /// moved or has no value yet, it says of the await; of several, of the last, which the most stands in front of.
    fn saved(&self, point: PointId, vars: &[VarId]) -> TokenStream {
        let info = &self.function.points[point];
        let (place, span) = (self.place(info.block), Span::mixed_site().located_at(info.span));
        let vars = vars.iter().map(|var| {
            let mut name = place.name(*var, None);
            name.set_span(name.span().located_at(span));
            quote_spanned!(span=> &#name)
        });
        quote!(&[#(#vars),*])
    }
}
