//! Statements and blocks.

use super::pattern::{Bound, Mode};
use super::scope::{Place, State};
use super::{Callee, Generator, Here, Target};
use crate::tree::{Block, Expr, Piece, Stmt, pieces};
use crate::types::Ty;

impl Generator {
    pub(super) fn body(&mut self) -> Block {
        let mut stmts = Vec::new();
        while self.fuel > 0 {
            stmts.extend(self.stmt(4));
        }
        self.fuel = 6;
        let ret = self.ret.clone();
        let tail = self.expr(&ret, 2);
        Block { stmts, tail: Some(Box::new(tail)) }
    }

    /// A body that calls itself once, with one less.
    pub(super) fn recursive_body(&mut self, callee: &Callee) -> Block {
        let ret = callee.ret.clone();
        let first = self.perhaps(|this| this.expr(&ret, 2));
        let end = pieces!["if x <= 0 { return ", first, "; }"];
        let mut stmts = vec![end.into()];
        stmts.extend(self.stmts(2, 2));
        let call = self.call_of(callee, 1, Some("x - 1"));
        let name = self.name();
        stmts.push(pieces![format!("let {name} = "), call, ";"].into());
        self.scope.declare(&name, &ret, false);
        stmts.extend(self.stmts(1, 2));
        let tail = self.expr(&ret, 2);
        Block { stmts, tail: Some(Box::new(tail)) }
    }

    pub(super) fn block(&mut self, most: usize, tail: Option<&Ty>, depth: u32) -> Block {
        let mark = self.scope.vars.len();
        let stmts = self.stmts(most, depth);
        let tail = tail.map(|ty| Box::new(self.expr(ty, depth)));
        self.scope.leave(mark);
        Block { stmts, tail }
    }

    pub(super) fn stmts(&mut self, most: usize, depth: u32) -> Vec<Stmt> {
        let mark = self.scope.vars.len();
        let mut stmts = Vec::new();
        if self.here.pure || depth == 0 {
            return stmts;
        }
        for _ in 0..self.rng.usize(..=most) {
            stmts.extend(self.stmt(depth));
            self.give_up_a_borrow(mark);
        }
        stmts
    }

    /// A reference of this block that is not used any more.
    fn give_up_a_borrow(&mut self, mark: usize) {
        let ended = |at: &usize| {
            let var = &self.scope.vars[*at];
            var.borrows.is_some() && var.state == State::Full && var.shared + var.exclusive == 0
        };
        let candidates: Vec<usize> = (mark..self.scope.vars.len()).filter(ended).collect();
        if self.one_in(3)
            && let Some(var) = self.pick(&candidates)
        {
            self.scope.give_up(var);
        }
    }

    fn stmt(&mut self, depth: u32) -> Vec<Stmt> {
        self.fuel -= 1;
        let depth = depth.saturating_sub(1);
        let stmt = match self.rng.u32(..32) {
            0..=6 => Some(vec![self.let_value(depth)]),
            7 | 8 => self.let_borrow(),
            9 => Some(self.let_pattern(depth)),
            10 => Some(self.let_else(depth)),
            11 => Some(self.let_later(depth)),
            12..=14 => self.assign(depth),
            15 => self.compound_assign(depth),
            16 => self.assign_both(depth),
            17 => self.step(depth),
            18 => self.push(depth),
            19 | 20 => Some(vec![self.if_stmt(depth)]),
            21 | 22 => {
                let value = self.match_expr(&Ty::Unit, depth);
                Some(vec![pieces![value].into()])
            }
            23..=26 => self.repeat(depth),
            27 => self.jump(depth),
            28 => {
                let block = self.block(3, None, depth);
                Some(vec![pieces![block].into()])
            }
            _ => {
                let value = self.expr(&Ty::Unit, depth);
                (value.text() != "()").then(|| vec![pieces![value.operand(), ";"].into()])
            }
        };
        stmt.unwrap_or_else(|| vec![self.let_value(depth)])
    }

    fn value_type(&mut self) -> Ty {
        let types = [
            Ty::Int,
            Ty::Int,
            Ty::Int,
            Ty::Bool,
            Ty::Text,
            Ty::Text,
            Ty::Text,
            Ty::option(Ty::Int),
            Ty::option(Ty::Text),
            Ty::ints(),
            Ty::texts(),
            Ty::pair(),
            Ty::Item,
            Ty::Order,
            Ty::Order,
            Ty::Event,
            Ty::Event,
            Ty::Array(Box::new(Ty::Int)),
            Ty::result(Ty::Int),
        ];
        types[self.rng.usize(..types.len())].clone()
    }

    fn let_value(&mut self, depth: u32) -> Stmt {
        let ty = self.value_type();
        let value = self.expr(&ty, depth);
        let (name, mutable) = (self.name(), self.one_in(2));
        self.scope.declare(&name, &ty, mutable);
        let annotation = if self.one_in(4) { format!(": {ty}") } else { String::new() };
        let keyword = if mutable { "let mut" } else { "let" };
        Stmt {
            pieces: pieces![format!("{keyword} {name}{annotation} = "), value, ";"],
            declares: mutable.then_some((name, ty)),
        }
    }

    fn let_borrow(&mut self) -> Option<Vec<Stmt>> {
        let mutable = self.one_in(3);
        let places: Vec<Place> = self
            .scope
            .places()
            .into_iter()
            .filter(|place| !mutable || place.writable)
            .filter(|place| !matches!(place.ty, Ty::Int | Ty::Bool | Ty::Size) || mutable)
            .collect();
        let place = self.pick(&places)?;
        let name = self.name();
        let (text, ty) = if mutable {
            (format!("&mut {}", place.value), Ty::RefMut(Box::new(place.ty.clone())))
        } else {
            (format!("&{}", place.value), Ty::Ref(Box::new(place.ty.clone())))
        };
        self.scope.declare_borrow(&name, &ty, place.root, mutable);
        Some(vec![pieces![format!("let {name} = {text};")].into()])
    }

    fn let_pattern(&mut self, depth: u32) -> Vec<Stmt> {
        let ty = [Ty::pair(), Ty::Order, Ty::Item, Ty::Array(Box::new(Ty::Int))][self.rng.usize(..4)].clone();
        let scrutinee = self.scrutinee(&ty, depth);
        let mut bound = Vec::new();
        let pattern = self.pattern(&ty, scrutinee.mode, false, 3, &mut bound);
        self.declare(bound, scrutinee.frozen);
        vec![pieces![format!("let {pattern} = "), scrutinee.expr, ";"].into()]
    }

    fn declare(&mut self, bound: Vec<Bound>, frozen: Option<(usize, bool)>) {
        for Bound { name, ty, mutable } in bound {
            match frozen {
                Some((root, exclusive)) => self.scope.declare_borrow(&name, &ty, root, exclusive),
                None => drop(self.scope.declare(&name, &ty, mutable)),
            }
        }
    }

    fn let_else(&mut self, depth: u32) -> Vec<Stmt> {
        let ty = [Ty::option(Ty::Int), Ty::option(Ty::Text), Ty::Event, Ty::result(Ty::Int)]
            [self.rng.usize(..4)]
        .clone();
        let scrutinee = self.scrutinee(&ty, depth);
        let mut bound = Vec::new();
        let pattern = self.pattern(&ty, scrutinee.mode, true, 2, &mut bound);
        let mark = self.scope.vars.len();
        let other = self.perhaps(|this| {
            let mut stmts = this.stmts(1, depth);
            let leave = this.leave(depth);
            stmts.push(leave);
            Block { stmts, tail: None }
        });
        self.scope.leave(mark);
        self.declare(bound, scrutinee.frozen);
        let value = scrutinee.expr.operand();
        vec![pieces![format!("let {pattern} = "), value, " else ", other, ";"].into()]
    }

    /// `let x; if .. { x = .. } else { x = .. }`
    fn let_later(&mut self, depth: u32) -> Vec<Stmt> {
        let ty = self.value_type();
        let (name, mutable) = (self.name(), self.one_in(3));
        let annotation = if self.one_in(3) { format!(": {ty}") } else { String::new() };
        let keyword = if mutable { "let mut" } else { "let" };
        let first = pieces![format!("{keyword} {name}{annotation};")];
        // An outer variable of this name is hidden already.
        let var = self.scope.declare(&name, &ty, false);
        self.scope.vars[var].state = State::Moved;
        let set = |this: &mut Self| {
            let mark = this.scope.vars.len();
            let mut stmts = this.stmts(1, depth);
            // What the statements declared may have the same name.
            let hidden = this.scope.vars[mark..].iter().any(|var| var.name == name);
            if hidden {
                stmts.clear();
                this.scope.leave(mark);
            }
            let value = this.expr(&ty, depth);
            stmts.push(pieces![format!("{name} = "), value, ";"].into());
            this.scope.leave(mark);
            Block { stmts, tail: None }
        };
        let second: Stmt = if self.one_in(3) {
            let value = self.expr(&ty, depth);
            pieces![format!("{name} = "), value, ";"].into()
        } else {
            let condition = self.expr(&Ty::Bool, depth);
            let mut branches = self.branches();
            let then = self.branch(&mut branches, set);
            let other = self.branch(&mut branches, set);
            pieces!["if ", condition, " ", then, " else ", other].into()
        };
        self.scope.vars[var].state = State::Full;
        self.scope.vars[var].mutable = mutable;
        vec![first.into(), second]
    }

    fn writable(&mut self, wanted: impl Fn(&Ty) -> bool) -> Option<Place> {
        if self.here.pure {
            return None;
        }
        let places: Vec<Place> =
            self.scope.places().into_iter().filter(|place| place.writable && wanted(&place.ty)).collect();
        self.pick(&places)
    }

    fn assign(&mut self, depth: u32) -> Option<Vec<Stmt>> {
        let empty = self.scope.empty();
        if !self.here.pure
            && self.one_in(2)
            && let Some(var) = self.pick(&empty)
        {
            let (name, ty) = (self.scope.vars[var].name.clone(), self.scope.vars[var].ty.clone());
            let value = self.expr(&ty, depth);
            self.scope.vars[var].state = State::Full;
            return Some(vec![pieces![format!("{name} = "), value, ";"].into()]);
        }
        let place = self.writable(|_| true)?;
        let value = self.while_borrowed(Some((place.root, false)), |this| this.expr(&place.ty, depth));
        Some(vec![pieces![format!("{} = ", place.value), value, ";"].into()])
    }

    fn compound_assign(&mut self, depth: u32) -> Option<Vec<Stmt>> {
        let place = self.writable(|ty| matches!(ty, Ty::Int | Ty::Text))?;
        // An element of a vector is reached by a call, before the right side.
        let frozen = Some((place.root, place.ty == Ty::Text && place.base.contains('[')));
        if place.ty == Ty::Text {
            let (value, _) = self.while_borrowed(frozen, |this| this.borrowed_elsewhere(place.root, depth));
            return Some(vec![pieces![format!("{} += ", place.value), value, ";"].into()]);
        }
        let value = self.while_borrowed(frozen, |this| this.expr(&Ty::Int, depth));
        let operator = ["+=", "-=", "*=", "^="][self.rng.usize(..4)];
        Some(vec![pieces![format!("{} {operator} ", place.value), value, ";"].into()])
    }

    /// A text that does not borrow from `root`, which is about to be changed.
    fn borrowed_elsewhere(&mut self, root: usize, depth: u32) -> (Expr, Option<(usize, bool)>) {
        let (expr, frozen) = self.borrowed(&Ty::Text, depth);
        if frozen.is_some_and(|(other, _)| other == root) {
            return (Expr::compound(&expr.ty, pieces!["\"own\""]), None);
        }
        (expr, frozen)
    }

    /// `(a, b.c) = (.., ..);`
    fn assign_both(&mut self, depth: u32) -> Option<Vec<Stmt>> {
        let first = self.writable(|_| true)?;
        let second = self.writable(|_| true)?;
        if first.root == second.root {
            return None;
        }
        let (left, right) = self.while_borrowed(Some((first.root, false)), |this| {
            this.while_borrowed(Some((second.root, false)), |this| {
                (this.expr(&first.ty, depth), this.expr(&second.ty, depth))
            })
        });
        let places = format!("({}, {}) = (", first.value, second.value);
        Some(vec![pieces![places, left, ", ", right, ");"].into()])
    }

    /// `state = step(state).await;`
    fn step(&mut self, _: u32) -> Option<Vec<Stmt>> {
        if !self.may_await() {
            return None;
        }
        let place = self.writable(|ty| matches!(ty, Ty::Text | Ty::Order | Ty::Int))?;
        if !place.whole || place.base != place.value {
            return None;
        }
        let name = &place.base;
        let text = match place.ty {
            Ty::Text => format!("{name} = keep({name}).await;"),
            Ty::Order => format!("{name} = ship({name}).await;"),
            _ if self.fallible() => format!("{name} = attempt({name}).await?;"),
            _ => format!("{name} = get({name}).await;"),
        };
        Some(vec![pieces![text].into()])
    }

    fn push(&mut self, depth: u32) -> Option<Vec<Stmt>> {
        let place = self.writable(|ty| matches!(ty, Ty::Vec(_) | Ty::Text))?;
        let frozen = Some((place.root, place.base.contains('[')));
        Some(vec![if let Ty::Vec(of) = &place.ty {
            let value = self.while_borrowed(frozen, |this| this.expr(of, depth));
            pieces![format!("{}.push(", place.base), value, ");"].into()
        } else {
            let (value, _) = self.while_borrowed(frozen, |this| this.borrowed_elsewhere(place.root, depth));
            pieces![format!("{}.push_str(", place.base), value, ");"].into()
        }])
    }

    fn if_stmt(&mut self, depth: u32) -> Stmt {
        let mark = self.scope.vars.len();
        let (condition, frozen) = self.condition(depth);
        let before = self.scope.states();
        let then = self.block(3, None, depth);
        let after = self.scope.states();
        for (root, exclusive) in frozen {
            self.scope.thaw(root, exclusive);
        }
        self.scope.leave(mark);
        let mut pieces = pieces!["if "];
        pieces.extend(condition);
        pieces.extend(pieces![" ", then]);
        self.scope.restore(&before[..mark]);
        if self.one_in(2) {
            let other = self.block(2, None, depth);
            pieces.push(pieces![" else ", other].into());
        }
        self.scope.merge(&after[..mark]);
        pieces.into()
    }

    /// A statement that leaves: the function, or a loop.
    fn leave(&mut self, depth: u32) -> Stmt {
        let loops: Vec<(usize, Target)> = self
            .targets
            .iter()
            .cloned()
            .enumerate()
            .filter(|(_, target)| target.is_loop || target.label.is_some())
            .collect();
        if self.here.jumps
            && self.one_in(2)
            && let Some((at, target)) = self.pick(&loops)
        {
            // Without a label it is what is innermost; a label is hidden by a later one of its name.
            let innermost = at + 1 == self.targets.len();
            let hidden = self.targets[at + 1..].iter().any(|inner| inner.label == target.label);
            let label = match &target.label {
                Some(label) if !hidden => format!(" {label}"),
                _ if innermost && target.is_loop => String::new(),
                _ => return self.leave_function(depth),
            };
            if target.is_loop && self.one_in(2) {
                return pieces![format!("continue{label};")].into();
            }
            return match target.value {
                Some(ty) => {
                    let value = self.expr(&ty, depth.min(2));
                    pieces![format!("break{label} "), value.operand(), ";"].into()
                }
                None => pieces![format!("break{label};")].into(),
            };
        }
        self.leave_function(depth)
    }

    fn leave_function(&mut self, depth: u32) -> Stmt {
        let ret = self.ret.clone();
        let value = self.expr(&ret, depth.min(2));
        pieces!["return ", value, ";"].into()
    }

    fn jump(&mut self, depth: u32) -> Option<Vec<Stmt>> {
        if self.here.pure {
            return None;
        }
        let condition = self.expr(&Ty::Bool, depth);
        let leave = self.perhaps(|this| this.leave(depth));
        Some(vec![
            pieces!["if ", condition, " { ", Piece::Block(Block { stmts: vec![leave], tail: None }), " }"]
                .into(),
        ])
    }

    fn repeat(&mut self, depth: u32) -> Option<Vec<Stmt>> {
        if self.here.times > 4 || depth == 0 {
            return None;
        }
        match self.rng.u32(..8) {
            0..=3 => Some(vec![self.for_loop(depth)]),
            4 | 5 => Some(self.while_loop(depth)),
            6 => Some(self.drain(depth)),
            _ => Some(self.endless(depth)),
        }
    }

    /// The body of a loop, which declares these; and the loop's label.
    fn loop_body(&mut self, bound: Vec<Bound>, depth: u32) -> (String, Block) {
        let label = self.label(false);
        let prefix = label.as_ref().map_or(String::new(), |label| format!("{label}: "));
        self.targets.push(Target { label, is_loop: true, value: None });
        self.scope.loops += 1;
        let here = Here { times: self.here.times * 3, jumps: true, ..self.here };
        let mark = self.scope.vars.len();
        let body = self.perhaps(|this| {
            for Bound { name, ty, mutable } in bound {
                this.scope.declare(&name, &ty, mutable);
            }
            let body = this.with(here, |this| this.block(4, None, depth));
            this.scope.leave(mark);
            body
        });
        self.scope.loops -= 1;
        self.targets.pop();
        (prefix, body)
    }

    fn for_loop(&mut self, depth: u32) -> Stmt {
        if self.one_in(4) {
            let name = self.name();
            let bound = vec![Bound { name: name.clone(), ty: Ty::Int, mutable: false }];
            let range = ["0..2", "1..=2", "(0..3).rev()", "[4, 9]", "2..4"][self.rng.usize(..5)];
            let (prefix, body) = self.loop_body(bound, depth);
            return pieces![format!("{prefix}for {name} in {range} "), body].into();
        }
        let of = [Ty::Int, Ty::Text, Ty::Item][self.rng.usize(..3)].clone();
        let vec = Ty::vec(of.clone());
        let mut bound = Vec::new();
        if self.one_in(3) {
            let value = self.expr(&vec, depth);
            let pattern = self.pattern(&of, Mode::Owned, false, 2, &mut bound);
            let (prefix, body) = self.loop_body(bound, depth);
            return pieces![format!("{prefix}for {pattern} in "), value.operand(), " ", body].into();
        }
        let places: Vec<Place> =
            self.scope.places().into_iter().filter(|place| matches!(&place.ty, Ty::Vec(_))).collect();
        let Some(place) = self.pick(&places) else {
            return self.let_value(depth);
        };
        let Ty::Vec(of) = place.ty.clone() else { unreachable!("only vectors were taken") };
        let exclusive = place.writable && self.one_in(3);
        let mode = if exclusive { Mode::RefMut } else { Mode::Ref };
        let inner = self.pattern(&of, mode, false, 2, &mut bound);
        let base = &place.base;
        let (pattern, iterated) = match (exclusive, self.rng.u32(..6)) {
            (true, 0) if place.via == super::scope::Via::Owned => (inner, format!("&mut {base}")),
            (true, 1) => {
                bound.push(Bound { name: "i".into(), ty: Ty::Size, mutable: false });
                (format!("(i, {inner})"), format!("{base}.iter_mut().enumerate()"))
            }
            (true, _) => (inner, format!("{base}.iter_mut()")),
            (false, 0) => {
                bound.push(Bound { name: "i".into(), ty: Ty::Size, mutable: false });
                (format!("(i, {inner})"), format!("{base}.iter().enumerate()"))
            }
            (false, 1) => (inner, format!("{base}.iter().rev()")),
            (false, 2) => (inner, format!("{base}.iter().skip(1)")),
            (false, 3) if place.via == super::scope::Via::Owned => (inner, format!("&{base}")),
            (false, 4) => {
                bound.push(Bound { name: "j".into(), ty: Ty::Int, mutable: false });
                (format!("({inner}, j)"), format!("{base}.iter().zip(5..)"))
            }
            _ => (inner, format!("{base}.iter()")),
        };
        let (prefix, body) =
            self.while_borrowed(Some((place.root, exclusive)), |this| this.loop_body(bound, depth));
        pieces![format!("{prefix}for {pattern} in {iterated} "), body].into()
    }

    fn while_loop(&mut self, depth: u32) -> Vec<Stmt> {
        let counter = self.temp("k");
        let limit = self.rng.u32(1..4);
        let mark = self.scope.vars.len();
        self.scope.loops += 1;
        let here = Here { times: self.here.times * 3, jumps: false, ..self.here };
        let (condition, frozen) = self.perhaps(|this| this.with(here, |this| this.condition(depth.min(2))));
        self.scope.loops -= 1;
        // The condition must not borrow the counter, which the body changes.
        let own = vec![Bound { name: counter.clone(), ty: Ty::Int, mutable: false }];
        let (prefix, mut body) = self.loop_body(own, depth);
        for (root, exclusive) in frozen {
            self.scope.thaw(root, exclusive);
        }
        self.scope.leave(mark);
        body.stmts.insert(0, pieces![format!("{counter} += 1;")].into());
        let mut pieces = pieces![format!("{prefix}while {counter} < {limit} && ")];
        pieces.extend(condition);
        pieces.push(" ".into());
        pieces.push(body.into());
        vec![pieces![format!("let mut {counter} = 0;")].into(), pieces.into()]
    }

    /// `while let Some(x) = stack.pop() { .. }`
    fn drain(&mut self, depth: u32) -> Vec<Stmt> {
        let of = [Ty::Int, Ty::Text][self.rng.usize(..2)].clone();
        let stack = self.temp("stack");
        let value = self.expr(&Ty::vec(of.clone()), depth);
        let mut bound = Vec::new();
        let pattern = self.pattern(&of, Mode::Owned, false, 1, &mut bound);
        let (prefix, body) = self.loop_body(bound, depth);
        vec![
            pieces![format!("let mut {stack} = "), value, ";"].into(),
            pieces![format!("{prefix}while let Some({pattern}) = {stack}.pop() "), body].into(),
        ]
    }

    fn endless(&mut self, depth: u32) -> Vec<Stmt> {
        let counter = self.temp("k");
        let limit = self.rng.u32(1..4);
        let mark = self.scope.vars.len();
        self.scope.declare(&counter, &Ty::Int, false);
        let (prefix, mut body) = self.loop_body(Vec::new(), depth);
        self.scope.leave(mark);
        body.stmts.insert(0, pieces![format!("{counter} += 1;")].into());
        body.stmts.insert(1, pieces![format!("if {counter} > {limit} {{ break; }}")].into());
        vec![
            pieces![format!("let mut {counter} = 0;")].into(),
            pieces![format!("{prefix}loop "), body].into(),
        ]
    }
}
