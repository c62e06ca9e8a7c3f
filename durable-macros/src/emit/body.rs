//! The text of the body.

use super::names::{Naming, Render};
use super::resume::Prologue;
use super::suspend::Suspensions;
use super::text::{binding, labelled, path, punct};
use crate::ir::{
    ARGS, BlockId, Function, JUMP, Let, LoopId, POLL, PointId, Stmt, Term, VarId, VarKind, bound, marked,
};
use crate::layout::{Layout, Level};
use crate::liveness::{Liveness, bound_in};
use crate::lower::plain;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, Lifetime, Pat};

/// The points that a level's dispatch leads to, each with the block it jumps to.
pub(super) type Routes = Vec<(PointId, BlockId)>;

/// Everything that the text is made from.
pub(crate) struct Emitter<'a> {
    pub(crate) function: &'a Function,
    pub(crate) live: &'a Liveness,
    pub(crate) layout: &'a Layout,
    pub(crate) naming: &'a Naming,
    pub(super) suspensions: Suspensions,
    /// Made once per block.
    pub(super) prologues: RefCell<HashMap<BlockId, Rc<Vec<Prologue>>>>,
    /// Made once per level.
    pub(super) routes: RefCell<HashMap<Level, Rc<Routes>>>,
}

/// A made-up identifier.
pub(crate) fn made_up(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

pub(super) fn label(prefix: &str, number: usize) -> Lifetime {
    Lifetime::new(&format!("'{prefix}{number}"), Span::mixed_site())
}

/// The end of a body that gives no result: it is suspended, or its snapshot can't be decoded.
pub(crate) fn pending() -> Lifetime {
    Lifetime::new("'pending", Span::mixed_site())
}

/// A place in the text: names depend on the loops around, and on the pattern that a piece stands in.
pub(super) struct Place<'e> {
    pub(super) emitter: &'e Emitter<'e>,
    pub(super) block: BlockId,
    pub(super) loops: Vec<LoopId>,
    /// Variables that stand under the name that a pattern gives them for a moment.
    pub(super) bound: BTreeSet<VarId>,
}

impl Render for Place<'_> {
    fn name(&self, var: VarId, span: Option<Span>) -> Ident {
        if self.bound.contains(&var) {
            return momentary(var);
        }
        let emitter = self.emitter;
        emitter.naming.at(emitter.function, var, emitter.layout.instance(var, &self.loops), span)
    }

    fn expand(&self, placeholder: &str, argument: &TokenStream, span: Span) -> Option<TokenStream> {
        let number = argument.to_string().trim().parse::<usize>().ok();
        match placeholder {
            POLL => Some(self.emitter.poll(number?, span)),
            JUMP => Some(self.emitter.jump(self.block, number?)),
            ARGS => {
                let (args, pending, p) = (made_up("args"), pending(), made_up("__p"));
                Some(quote!(match #args { #p::Some(#args) => #args, _ => break #pending }))
            }
            _ => None,
        }
    }
}

/// The name under which a pattern binds a variable that is declared elsewhere.
pub(super) fn momentary(var: VarId) -> Ident {
    made_up(&format!("bound_{var}"))
}

impl<'a> Emitter<'a> {
    /// The body: its declarations, and all from the dispatch on.
    pub(crate) fn body(&self) -> (TokenStream, TokenStream) {
        (self.declarations(None), self.suspending(None, self.tree(0, None)))
    }

    pub(super) fn place(&'a self, block: BlockId) -> Place<'a> {
        Place { emitter: self, block, loops: self.function.loops_around(block), bound: BTreeSet::new() }
    }

    fn render(&self, block: BlockId, tokens: impl ToTokens) -> TokenStream {
        self.place(block).render(tokens.to_token_stream())
    }

    // ---- declarations

    /// `let x;` for what crosses a resume point at this level.
    fn declarations(&self, level: Level) -> TokenStream {
        let mut tokens = TokenStream::new();
        for (var, hoisted) in self.layout.hoisted.iter().enumerate() {
            if *hoisted == Some(level) && !self.layout.scoped.contains_key(&var) && self.is_mentioned(var) {
                tokens.extend(self.declaration(var, None));
            }
        }
        for (id, var) in &self.layout.slots {
            if self.function.loops[*id].parent == level {
                let slot = self.slot(*id, *var);
                tokens.extend(quote!(let mut #slot = ::core::option::Option::None;));
            }
            if level == Some(*id) {
                tokens.extend(self.declaration(*var, level));
            }
        }
        tokens
    }

    fn is_mentioned(&self, var: VarId) -> bool {
        self.live
            .mentions
            .iter()
            .enumerate()
            .any(|(block, mentions)| self.live.reachable[block] && mentions.contains(&var))
    }

    fn declaration(&self, var: VarId, instance: Level) -> TokenStream {
        let info = &self.function.vars[var];
        let name = self.naming.at(self.function, var, instance, None);
        let slotted = self.layout.slots.iter().any(|(_, other)| *other == var);
        let mutable = (info.mutable || slotted).then(|| quote!(mut));
        let parted = self.function.parts.iter().any(|parts| parts.var == var);
        let allow = (slotted || parted || (info.mutable && info.kind != VarKind::User))
            .then(|| quote!(#[allow(unused_mut)]));
        let ty = info.ty.as_ref().map(|ty| quote!(: #ty));
        quote!(#allow let #mutable #name #ty;)
    }

    pub(super) fn slot(&self, id: LoopId, var: VarId) -> Ident {
        let name = self.naming.at(self.function, var, None, None);
        made_up(&format!("slot_{}_{id}", name.to_string().trim_start_matches("r#")))
    }

    // ---- blocks

    /// A block and everything that stands behind it; `next` is what follows in the text.
    fn tree(&self, block: BlockId, next: Option<BlockId>) -> TokenStream {
        let Some(id) = self.function.blocks[block].head_of else {
            return self.within(block, next);
        };
        let (name, declarations) = (label("l", id), self.declarations(Some(id)));
        let body = self.suspending(Some(id), self.within(block, None));
        let text = quote!(#name: loop { #declarations #body });
        self.follow(text, &self.layout.exits[id], next)
    }

    /// Wraps a text in the labelled blocks that lead to what follows it.
    fn follow(&self, mut text: TokenStream, followers: &[BlockId], next: Option<BlockId>) -> TokenStream {
        for (at, &follower) in followers.iter().enumerate() {
            let name = label("b", follower);
            let after = followers
                .get(at + 1)
                .copied()
                .filter(|after| !self.has_prologue(*after))
                .or(if at + 1 < followers.len() { None } else { next });
            let scoped =
                self.layout.scoped.iter().filter(|(var, end)| **end == follower && self.is_mentioned(**var));
            let declarations: Vec<TokenStream> =
                scoped.map(|(var, _)| self.declaration(*var, None)).collect();
            if !declarations.is_empty() {
                text = quote!(#(#declarations)* #text);
            }
            let point = self.function.blocks[follower].point;
            let prologues = self.prologues(follower);
            for (index, prologue) in prologues.iter().enumerate() {
                let inner = std::mem::take(&mut text);
                labelled(&mut text, &label("r", follower * 1000 + index), inner);
                text.extend(prologue.text.clone());
                if point.is_some() {
                    // The poll loads the future: a call here would be another one at each point.
                    path(&mut text, made_up("__p"), "None");
                }
                if index + 1 < prologues.len() {
                    text.extend(quote!(break #name;));
                }
            }
            let inner = std::mem::take(&mut text);
            // A resume point's block is left with the future: so it is no variable of all that stands in front of the point.
            if let Some(point) = point {
                binding(&mut text, &self.future(point));
            }
            labelled(&mut text, &name, inner);
            if point.is_some() {
                punct(&mut text, ';');
            }
            text.extend(self.tree(follower, after));
        }
        text
    }

    fn within(&self, block: BlockId, next: Option<BlockId>) -> TokenStream {
        let followers = &self.layout.followers[block];
        let mut text = TokenStream::new();
        let mut stmts = &*self.function.blocks[block].stmts;
        let awaited = self.awaited(block);
        if awaited.is_some() {
            stmts = &stmts[..stmts.len() - 1];
        }
        for stmt in stmts {
            text.extend(self.stmt(block, stmt));
        }
        let falls_to = match followers.first() {
            Some(first) => Some(*first).filter(|first| !self.has_prologue(*first)),
            None => next,
        };
        let term = match awaited {
            Some(jump) => jump,
            None => self.term(block, falls_to),
        };
        text.extend(self.follow(term, followers, next));
        text
    }

    /// `break 'b3 Some(future);`, if that is how a block ends: the future needs no variable of its own there.
    fn awaited(&self, block: BlockId) -> Option<TokenStream> {
        let (Some(Stmt::Set(var, value)), Term::Goto(to)) =
            (self.function.blocks[block].stmts.last(), &self.function.blocks[block].term)
        else {
            return None;
        };
        let point = self.function.blocks[*to].point?;
        if self.function.points[point].future != *var
            || !self.layout.labelled[*to]
            || !self.moves(block, *to).is_empty()
        {
            return None;
        }
        let (name, value) = (label("b", *to), self.begun(block, value));
        Some(quote!(break #name #value;))
    }

    /// The future of what is awaited, as a poll takes it. In the guard of an arm it is made further inside.
    fn begun(&self, block: BlockId, value: &Expr) -> TokenStream {
        let Expr::Call(call) = value else {
            let (p, value) = (made_up("__p"), self.render(block, value));
            return quote!(#p::Some(#value));
        };
        let (args, own, cx) = (self.render(block, &call.args), call.paren_token.span.join(), made_up("cx"));
        let (p, begin) = (Ident::new("__p", own), Ident::new("begin", own));
        quote_spanned!(own=> #p::#begin(#args, #cx))
    }

    // ---- terminators

    fn term(&self, block: BlockId, next: Option<BlockId>) -> TokenStream {
        match &self.function.blocks[block].term {
            Term::Never => TokenStream::new(),
            Term::Goto(target) => self.goto(block, *target, next),
            Term::Return(value) => {
                let value = value.as_ref().map(|value| self.render(block, value));
                quote!(return #value;)
            }
            Term::If { cond, then, other } => {
                let mut cond = (**cond).clone();
                let (place, moves) = self.bind(block, &bound_in(&cond), |binder| {
                    binder.visit_expr_mut(&mut cond);
                });
                let cond = place.render(cond.to_token_stream());
                let (then, other) = (self.goto(block, *then, next), self.goto(block, *other, next));
                quote!(if #cond { #moves #then } else { #other })
            }
            Term::Match { scrutinee, arms } => {
                let scrutinee = self.render(block, scrutinee);
                let arms = arms.iter().map(|arm| {
                    let mut pat = arm.pat.clone();
                    let (place, moves) = self.bind(block, &bound(&arm.pat), |binder| {
                        binder.visit_pat_mut(&mut pat);
                    });
                    let pat = place.render(pat.to_token_stream());
                    let guard = arm
                        .guard
                        .as_ref()
                        .map(|guard| place.render(guard.to_token_stream()))
                        .map(|guard| quote!(if #guard));
                    let (attrs, text) = (&arm.attrs, self.goto(block, arm.target, next));
                    quote!(#(#attrs)* #pat #guard => { #moves #text })
                });
                quote!(match #scrutinee { #(#arms)* })
            }
            Term::Dispatch { normal } => self.dispatch(block, *normal, next),
        }
    }

    /// Goes to a block: by its text, by falling through, or by a jump.
    pub(super) fn goto(&self, from: BlockId, to: BlockId, next: Option<BlockId>) -> TokenStream {
        let moves = self.moves(from, to);
        if next == Some(to) {
            return moves;
        }
        if self.function.blocks[to].head_of.is_some_and(|id| self.function.is_in(from, Some(id)))
            || self.layout.labelled[to]
        {
            let mut text = moves;
            text.extend(self.bare_jump(from, to));
            punct(&mut text, ';');
            return text;
        }
        let mut text = moves;
        text.extend(self.tree(to, next));
        text
    }

    /// The name of a point's future.
    pub(super) fn future(&self, point: PointId) -> Ident {
        let info = &self.function.points[point];
        self.place(info.block).name(info.future, None)
    }

    fn bare_jump(&self, from: BlockId, to: BlockId) -> TokenStream {
        match self.function.blocks[to].head_of {
            Some(id) if self.function.is_in(from, Some(id)) => {
                let name = label("l", id);
                quote!(continue #name)
            }
            _ => {
                let name = label("b", to);
                let future = self.function.blocks[to].point.map(|point| self.future(point));
                quote!(break #name #future)
            }
        }
    }

    /// A jump as an expression.
    fn jump(&self, from: BlockId, to: BlockId) -> TokenStream {
        let (moves, jump) = (self.moves(from, to), self.bare_jump(from, to));
        if moves.is_empty() { jump } else { quote!({ #moves #jump }) }
    }

    /// Variables that are known by their parts from here on.
    fn parts(&self, from: BlockId, to: BlockId) -> TokenStream {
        let (here, there) = (self.place(from), self.place(to));
        let p = made_up("__p");
        let mut tokens = TokenStream::new();
        for parts in self.function.parts.iter().filter(|parts| parts.begins(from, to)) {
            let whole = here.name(parts.var, None);
            for (fields, part) in &parts.pieces {
                if self.live.live_in[to].contains(part) {
                    let name = there.name(*part, None);
                    tokens.extend(quote!(#name = {
                        #[allow(unused_imports)]
                        use #p::{CopiedByClone as _, CopiedByCodec as _};
                        (&#p::Copied(&#whole #fields)).copied()
                    };));
                }
            }
        }
        tokens
    }

    /// Variables with a slot change their instance on the way.
    fn moves(&self, from: BlockId, to: BlockId) -> TokenStream {
        let (here, there) = (self.function.loops_around(from), self.function.loops_around(to));
        let mut tokens = self.parts(from, to);
        let vars: BTreeSet<VarId> = self.layout.slots.iter().map(|(_, var)| *var).collect();
        for var in vars {
            let source = self.layout.instance(var, &here);
            let value = self.naming.at(self.function, var, source, None);
            if let Some(id) = self.function.blocks[to].head_of
                && self.layout.slots.contains(&(id, var))
            {
                let slot = self.slot(id, var);
                tokens.extend(quote!(#slot = ::core::option::Option::Some(#value);));
                continue;
            }
            let target = self.layout.instance(var, &there);
            if target != source && self.live.live_in[to].contains(&var) {
                let name = self.naming.at(self.function, var, target, None);
                tokens.extend(quote!(#name = #value;));
            }
        }
        tokens
    }

    // ---- statements

    fn stmt(&self, block: BlockId, stmt: &Stmt) -> TokenStream {
        match stmt {
            Stmt::Keep(stmt) => self.render(block, stmt),
            Stmt::Declare(var) if self.layout.hoisted[*var].is_some() || !self.is_mentioned(*var) => {
                TokenStream::new()
            }
            Stmt::Declare(var) => self.declaration(*var, None),
            Stmt::Set(var, value) => {
                let name = self.place(block).name(*var, None);
                if self.function.vars[*var].kind == VarKind::Future {
                    let value = self.begun(block, value);
                    return quote!(let #name = #value;);
                }
                let value = self.render(block, value);
                quote!(#name = #value;)
            }
            Stmt::Let(bind) => self.let_stmt(block, bind),
        }
    }

    fn let_stmt(&self, block: BlockId, bind: &Let) -> TokenStream {
        let Let { attrs, pat, ty, init, diverge } = bind;
        let init = self.render(block, init);
        let diverge =
            diverge.as_ref().map(|diverge| self.render(block, diverge)).map(|diverge| quote!(else #diverge));
        if let Some(var) = plain(pat)
            && diverge.is_none()
        {
            let name = self.place(block).name(var, Some(pat_span(pat)));
            if self.layout.hoisted[var].is_some() {
                return quote!(#name = #init;);
            }
            let info = &self.function.vars[var];
            let mutable = info.mutable.then(|| quote!(mut));
            let allow = (info.kind != VarKind::User && info.mutable).then(|| quote!(#[allow(unused_mut)]));
            let ty = ty.as_ref().or(info.ty.as_ref()).map(|ty| quote!(: #ty));
            return quote!(#(#attrs)* #allow let #mutable #name #ty = #init #diverge;);
        }
        let mut pat = pat.clone();
        let vars = bound(&pat);
        let (place, moves) = self.bind(block, &vars, |binder| binder.visit_pat_mut(&mut pat));
        let pat = place.render(pat.to_token_stream());
        let ty = ty.as_ref().map(|ty| quote!(: #ty));
        quote!(#(#attrs)* let #pat #ty = #init #diverge; #moves)
    }

    /// A pattern's bindings of hoisted variables get momentary names; the moves to the variables follow.
    fn bind(
        &self,
        block: BlockId,
        vars: &[VarId],
        rename: impl FnOnce(&mut Unmut<'_>),
    ) -> (Place<'_>, TokenStream) {
        let hoisted: BTreeSet<VarId> =
            vars.iter().copied().filter(|var| self.layout.hoisted[*var].is_some()).collect();
        rename(&mut Unmut(&hoisted));
        let mut place = self.place(block);
        let moves = hoisted.iter().map(|var| {
            let (name, value) = (place.name(*var, None), momentary(*var));
            quote!(#name = #value;)
        });
        let moves = moves.collect();
        place.bound = hoisted;
        (place, moves)
    }
}

/// Removes `mut` from the bindings of some variables, which are declared elsewhere.
pub(super) struct Unmut<'a>(pub(super) &'a BTreeSet<VarId>);

impl VisitMut for Unmut<'_> {
    fn visit_pat_ident_mut(&mut self, pat: &mut syn::PatIdent) {
        if pat.by_ref.is_none() && marked(&pat.ident).is_some_and(|var| self.0.contains(&var)) {
            pat.mutability = None;
        }
        visit_mut::visit_pat_ident_mut(self, pat);
    }
}

fn pat_span(pat: &Pat) -> Span {
    match pat {
        Pat::Ident(pat) => pat.ident.span(),
        _ => Span::mixed_site(),
    }
}
