//! Resume points: the dispatch that leads to them, what it loads, what is made again, and the poll.
//!
//! A resume goes from level to level: the function's dispatch loads what is declared there and jumps to the point or to the loop
//! around it, whose head dispatches again. Borrows are made again by a prologue in front of the block that a level jumps to:
//! it stands behind the user's code, where all types are known.

use super::body::{Emitter, Place, Routes, Unmut, label, made_up, momentary, pending};
use super::names::Render;
use crate::ir::{BlockId, PointId, Text, VarId, bound};
use crate::layout::Level;
use crate::loads::Loads;
use crate::lower::plain;
use crate::spans::asked_at;
use proc_macro2::{Delimiter, Group, Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use std::collections::BTreeSet;
use std::rc::Rc;
use syn::Lifetime;
use syn::visit_mut::VisitMut;

/// What a resume does in front of the block it jumps to, for the points that do the same.
pub(super) struct Prologue {
    pub(super) points: Vec<PointId>,
    pub(super) text: TokenStream,
    written: String,
}

/// Points as a pattern.
fn numbers(points: &[PointId]) -> TokenStream {
    let literal = |point: &PointId| Literal::usize_unsuffixed(point + 1);
    let runs = points.chunk_by(|one, next| one + 1 == *next).map(|run| match run {
        [first, .., last] => {
            let (first, last) = (literal(first), literal(last));
            quote!(#first..=#last)
        }
        _ => run.iter().map(literal).map(TokenTree::from).collect(),
    });
    quote!(#(#runs)|*)
}

/// The witness that a variable can be stored.
fn storable(var: VarId) -> Ident {
    made_up(&format!("storable_{var}"))
}

impl Emitter<'_> {
    /// One witness for each variable that a point saves: what is asked of a type is asked once, at the user's binding. Whether it
    /// is a borrow of text is asked behind the user's code, where every type is known: rustc finds that out too late to say it well.
    pub(crate) fn storables(&self) -> (TokenStream, TokenStream) {
        let vars = self.layout.witnesses();
        let (mut witnesses, mut questions) = (TokenStream::new(), TokenStream::new());
        for var in vars {
            let info = &self.function.vars[var];
            let at = asked_at(info.ident.span());
            let (name, cx, p) = (storable(var), made_up("cx"), Ident::new("__p", at));
            let ask = Ident::new(info.ask, at);
            let call = quote_spanned!(at=> #p::#ask(#cx));
            witnesses.extend(quote!(let #name = #call;));
            if !info.pinned && info.text == Text::Perhaps {
                let question = quote_spanned!(at=> #name.is_no_text());
                questions.extend(quote!(#question;));
            }
        }
        if questions.is_empty() {
            return (witnesses, questions);
        }
        // A closure that nobody calls: it is checked, and costs nothing else.
        let p = made_up("__p");
        (witnesses, quote!(let _ = || { use #p::NoText as _; #questions };))
    }

    pub(super) fn poll(&self, point: PointId, span: Span) -> TokenStream {
        let info = &self.function.points[point];
        let place = self.place(info.block);
        let (cx, p, number) = (made_up("cx"), made_up("__p"), Literal::usize_unsuffixed(point + 1));
        let future = place.name(info.future, None);
        let (written, span) = (span, Span::mixed_site().located_at(span));
        // A value of the wrong type is shown where it was awaited.
        let value = Ident::new("value", span);
        // The future is given away, so that the suspended function does not hold it. In parentheses, so that any operator
        // may follow it wherever it stands.
        let held = self.held(point).map(|iterator| place.name(iterator, None));
        let held: TokenStream = held.map(|iterator| quote!(let _ = &#iterator;)).collect();
        let ready = if held.is_empty() { quote!(#value) } else { quote!({ #held #value }) };
        let suspended = self.suspend(point, span);
        let arms = quote_spanned!(span=> #p::Ready(#value) => #ready, _ => #suspended,);
        // The `match` is the user's, from its keyword to its brace: what is wrong with it as an argument, a bound of the parameter's, is
        // shown at the `await`. The place of a generated argument is where its macro was called, the attribute.
        let (keyword, mut arms) = (Ident::new("match", written), Group::new(Delimiter::Brace, arms));
        arms.set_span(written);
        quote_spanned!(span=> (#keyword #cx.poll(#future, #number) #arms))
    }

    /// The iterators that a point on the way out of a loop needs for its item alone. The item is taken from them again, so what
    /// they go over must not change before: a mention behind the point tells rustc.
    fn held(&self, point: PointId) -> impl Iterator<Item = VarId> {
        let block = self.function.points[point].block;
        let loops = self.function.loops_around(block).into_iter();
        loops.filter_map(move |id| {
            let looped = &self.function.loops[id];
            let items = looped.items?;
            let needed = |var: &VarId| self.function.vars[*var].remat == Some(items);
            let leaves =
                !self.live.reaches(block, looped.head) && self.live.at_point[point].iter().any(needed);
            let expr = &self.function.remats[items].expr;
            leaves.then(|| crate::effects::Effects::of_expr(expr).uses.first().copied()).flatten()
        })
    }

    /// The points that a level's dispatch leads to, each with the block it jumps to.
    pub(super) fn routes(&self, level: Level) -> Rc<Routes> {
        if let Some(known) = self.routes.borrow().get(&level) {
            return Rc::clone(known);
        }
        let made = Rc::new(self.make_routes(level));
        self.routes.borrow_mut().insert(level, Rc::clone(&made));
        made
    }

    fn make_routes(&self, level: Level) -> Routes {
        let mut routes = Vec::new();
        for &point in &self.layout.points {
            let block = self.function.points[point].block;
            let loops = self.function.loops_around(block);
            let depth = match level {
                None => 0,
                Some(id) => match loops.iter().position(|other| *other == id) {
                    Some(at) => at + 1,
                    None => continue,
                },
            };
            routes.push((point, loops.get(depth).map_or(block, |id| self.function.loops[*id].head)));
        }
        routes
    }

    pub(super) fn dispatch(&self, block: BlockId, normal: BlockId, next: Option<BlockId>) -> TokenStream {
        let level = self.function.blocks[block].head_of;
        let resume = made_up("resume");
        let dispatch = match self.layout.loads.get(&level) {
            Some(loads) => {
                let (numbers, branch) = (numbers(&loads.points), self.branch(level, loads));
                quote!(match #resume { #numbers => { #branch } _ => {} })
            }
            None => TokenStream::new(),
        };
        let takes = self.layout.slots.iter().filter(|(id, _)| level == Some(*id)).map(|(id, var)| {
            let (slot, name, value, pending) = (
                self.slot(*id, *var),
                self.naming.at(self.function, *var, level, None),
                made_up("value"),
                pending(),
            );
            quote!(#name = match ::core::option::Option::take(&mut #slot) {
                ::core::option::Option::Some(#value) => #value,
                ::core::option::Option::None => break #pending,
            };)
        });
        let takes: TokenStream = takes.collect();
        let normal = self.goto(block, normal, next);
        quote!(#dispatch #takes #normal)
    }

    /// Loads what some points of a level need and leaves to where they go on. All of it is done in front of the user's code; what is
    /// loaded has the types that the code behind it gives them.
    fn branch(&self, level: Level, loads: &Loads) -> TokenStream {
        let Some(first) = loads.points.first() else { return TokenStream::new() };
        let place = self.place(self.function.points[*first].block);
        let (cx, resume) = (made_up("cx"), made_up("resume"));
        let loaded: TokenStream = loads
            .vars
            .iter()
            .map(|var| {
                let (name, storable) = (place.name(*var, None), storable(*var));
                quote!(#name = (#storable.0)(#cx);)
            })
            .collect();
        let rest = match loads.parted.as_deref() {
            Some((fewer, others)) => {
                let (numbers, fewer) = (numbers(&fewer.points), self.branch(level, fewer));
                let others = self.branch(level, others);
                quote!(match #resume { #numbers => { #fewer } _ => {} } #others)
            }
            None => self.leave(level, &loads.points),
        };
        quote!(#loaded #rest)
    }

    /// Jumps to where each of these points goes on.
    fn leave(&self, level: Level, points: &[PointId]) -> TokenStream {
        let (pending, resume) = (pending(), made_up("resume"));
        let mut ways: Vec<(Vec<PointId>, Lifetime, Option<TokenStream>)> = Vec::new();
        for &(point, target) in self.routes(level).iter().filter(|(point, _)| points.contains(point)) {
            let direct = self.function.points[point].block == target;
            let reset = (direct && level.is_some()).then(|| quote!(#resume = 0;));
            let prologues = self.prologues(target);
            let jump = match prologues.iter().position(|prologue| prologue.points.contains(&point)) {
                Some(index) => label("r", target * 1000 + index),
                None => label("b", target),
            };
            match ways.iter_mut().find(|(_, other, _)| *other == jump) {
                Some((points, ..)) => points.push(point),
                None => ways.push((vec![point], jump, reset)),
            }
        }
        if let [(_, jump, reset)] = &*ways {
            return quote!(#reset break #jump;);
        }
        let ways = ways.iter().map(|(points, jump, reset)| {
            let numbers = numbers(points);
            if let Some(reset) = reset {
                quote!(#numbers => { #reset break #jump; })
            } else {
                quote!(#numbers => break #jump,)
            }
        });
        quote!(match #resume { #(#ways)* _ => break #pending })
    }

    pub(super) fn has_prologue(&self, block: BlockId) -> bool {
        !self.prologues(block).is_empty()
    }

    /// What a resume that comes to this block loads and makes again first.
    pub(super) fn prologues(&self, target: BlockId) -> Rc<Vec<Prologue>> {
        if let Some(known) = self.prologues.borrow().get(&target) {
            return Rc::clone(known);
        }
        let made = Rc::new(self.make_prologues(target));
        self.prologues.borrow_mut().insert(target, Rc::clone(&made));
        made
    }

    fn make_prologues(&self, target: BlockId) -> Vec<Prologue> {
        let block = &self.function.blocks[target];
        let level = match block.head_of {
            Some(id) => self.function.loops[id].parent,
            None if block.point.is_some() => block.in_loop,
            None => return Vec::new(),
        };
        let mut groups: Vec<Prologue> = Vec::new();
        for &(point, to) in self.routes(level).iter() {
            if to != target {
                continue;
            }
            let text = self.remake(level, point);
            // At a resume point's block it says that there is no future yet.
            if text.is_empty() && block.point.is_none() {
                continue;
            }
            let written = if text.is_empty() { String::new() } else { text.to_string() };
            match groups.iter_mut().find(|group| group.written == written) {
                Some(group) => group.points.push(point),
                None => groups.push(Prologue { points: vec![point], text, written }),
            }
        }
        groups
    }

    /// Makes again the borrows of one level that are alive at a point.
    pub(super) fn remake(&self, level: Level, point: PointId) -> TokenStream {
        let all = self.function.loops_around(self.function.points[point].block);
        let depth = level.map_or(0, |id| all.iter().position(|other| *other == id).map_or(0, |at| at + 1));
        let place =
            || Place { emitter: self, block: 0, loops: all[..depth].to_vec(), bound: BTreeSet::new() };
        let mut wanted: BTreeSet<usize> = BTreeSet::new();
        let mut vars: BTreeSet<VarId> = BTreeSet::new();
        for &var in &self.live.at_point[point] {
            if let Some(remat) = self.function.vars[var].remat
                && self.layout.hoisted[var].is_some()
                && self.layout.level(var, &all) == level
            {
                wanted.insert(remat);
                vars.insert(var);
            }
        }
        // The current item is taken wherever the iterator is used again, so that it stands behind it.
        let items_remat = level.and_then(|id| self.function.loops[id].items);
        let block = self.function.points[point].block;
        if level.is_some_and(|id| self.live.reaches(block, self.function.loops[id].head)) {
            wanted.extend(items_remat);
        }
        let mut tokens = TokenStream::new();
        for remat in wanted {
            tokens.extend(self.remake_one(&mut place(), remat, &vars, Some(remat) == items_remat));
        }
        tokens
    }

    pub(super) fn remake_one(
        &self,
        place: &mut Place<'_>,
        remat: usize,
        vars: &BTreeSet<VarId>,
        is_item: bool,
    ) -> TokenStream {
        let info = &self.function.remats[remat];
        let expr = place.render(info.expr.to_token_stream());
        let checks = info.checks.iter().map(|check| place.render(check.to_token_stream()));
        let checks: TokenStream = checks.map(|check| quote!(let _ = #check;)).collect();
        if let (Some(var), false) = (plain(&info.pat), is_item) {
            let name = place.name(var, None);
            let Some(count) = info.count else {
                return quote!(#checks #name = #expr;);
            };
            let (p, count) = (made_up("__p"), place.name(count, None));
            let again = if info.constant { quote!(listed_at) } else { quote!(ordered_at) };
            return quote!(#checks #name = #p::#again(#expr, #count););
        }
        let mut pat = info.pat.clone();
        crate::lower::retain(&mut pat, &|var| vars.contains(&var));
        Unmut(vars).visit_pat_mut(&mut pat);
        let bound_here: BTreeSet<VarId> = bound(&pat).into_iter().collect();
        let moves: TokenStream = bound_here
            .iter()
            .map(|var| {
                let (name, value) = (place.name(*var, None), momentary(*var));
                quote!(#name = #value;)
            })
            .collect();
        place.bound = bound_here;
        let pat = place.render(pat.to_token_stream());
        let pat = if is_item { quote!(::core::option::Option::Some(#pat)) } else { quote!((#pat)) };
        quote!(#checks #[allow(irrefutable_let_patterns)] let #pat = #expr else { ::core::unreachable!() }; #moves)
    }
}
