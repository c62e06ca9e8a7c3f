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
use crate::ir::{Function, PointId, VarId};
use crate::layout::{Layout, Level};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use std::collections::BTreeMap;

/// The suspensions that stand behind a level's text.
#[derive(Default)]
pub(crate) struct Suspensions {
    /// By level, what is saved and for which points; the position is the number in the label.
    levels: BTreeMap<Level, Vec<(Vec<VarId>, Vec<PointId>)>>,
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
            let kinds = plan.levels.entry(level).or_default();
            match kinds.iter_mut().find(|(others, _)| *others == vars) {
                Some((_, points)) => points.push(point),
                None => kinds.push((vars, vec![point])),
            }
        }
        plan
    }
}

impl Emitter<'_> {
    fn suspension(&self, level: Level, number: usize) -> syn::Lifetime {
        match level {
            None => label("s", number),
            Some(id) => label(&format!("s{id}_"), number),
        }
    }

    /// What is done at a point whose future is pending.
    pub(super) fn suspend(&self, point: PointId, span: Span) -> TokenStream {
        let number = Literal::usize_unsuffixed(point + 1);
        for (level, kinds) in &self.suspensions.levels {
            if let Some(kind) = kinds.iter().position(|(_, points)| points.contains(&point)) {
                let label = self.suspension(*level, kind);
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
        for (number, (vars, points)) in self.suspensions.levels.get(&level).into_iter().flatten().enumerate()
        {
            let (label, saved) = (self.suspension(level, number), self.saved(points[0], vars));
            text = quote! {
                let #point = #label: { #text };
                let #value = #cx.save(#point, #saved);
                match #value.await {}
            };
        }
        text
    }

    /// Casts to `&dyn Any` and not calls: a call is an unwind edge, and there may be a thousand of them.
    fn saved(&self, point: PointId, vars: &[VarId]) -> TokenStream {
        use super::names::Render;
        let place = self.place(self.function.points[point].block);
        let vars = vars.iter().map(|var| place.name(*var, None)).map(|name| quote!(&#name));
        quote!(&[#(#vars),*])
    }
}
