//! Expressions of a wanted type, written in the order in which they are evaluated.

use super::pattern::Mode;
use super::scope::{Place, State, Via};
use super::{Callee, Generator, Here, Param, Target};
use crate::tree::{Block, Expr, Piece, pieces};
use crate::types::Ty;

/// What is matched, and the variable that it borrows.
pub(super) struct Scrutinee {
    pub(super) expr: Expr,
    pub(super) mode: Mode,
    pub(super) frozen: Option<(usize, bool)>,
}

/// The states of variables over the branches of an expression.
pub(super) struct Branches {
    before: Vec<State>,
    after: Option<Vec<State>>,
}

impl Generator {
    pub(super) fn branches(&self) -> Branches {
        Branches { before: self.scope.states(), after: None }
    }

    /// Writes one of several branches.
    pub(super) fn branch<T>(&mut self, branches: &mut Branches, write: impl FnOnce(&mut Self) -> T) -> T {
        self.scope.restore(&branches.before);
        let written = write(self);
        if let Some(after) = &branches.after {
            self.scope.merge(after);
        }
        branches.after = Some(self.scope.states());
        written
    }

    /// What is written runs perhaps, or perhaps again: what it gives a value to need not have one afterwards.
    pub(super) fn perhaps<T>(&mut self, write: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.scope.states();
        let written = write(self);
        self.scope.merge(&before);
        written
    }

    /// What is written is evaluated while `root` is borrowed.
    pub(super) fn while_borrowed<T>(
        &mut self,
        root: Option<(usize, bool)>,
        write: impl FnOnce(&mut Self) -> T,
    ) -> T {
        if let Some((root, exclusive)) = root {
            self.scope.freeze(root, exclusive);
        }
        let written = write(self);
        if let Some((root, exclusive)) = root {
            self.scope.thaw(root, exclusive);
        }
        written
    }

    pub(super) fn expr(&mut self, ty: &Ty, depth: u32) -> Expr {
        self.fuel -= 1;
        if depth > 0 && self.fuel > 0 {
            for _ in 0..4 {
                if let Some(expr) = self.try_expr(ty, depth - 1) {
                    return expr;
                }
            }
        }
        self.leaf(ty)
    }

    fn leaf(&mut self, ty: &Ty) -> Expr {
        if !self.one_in(8)
            && let Some(expr) = self.read(ty)
        {
            return expr;
        }
        if *ty == Ty::Bool
            && let Some(number) = self.read(&Ty::Int)
        {
            let operator = ["<", "==", ">"][self.rng.usize(..3)];
            return Expr::compound(
                ty,
                pieces![number.operand(), format!(" {operator} {}", self.rng.u32(..30))],
            );
        }
        let text = ty.literal(self.rng.u32(..12));
        match ty {
            Ty::Ref(_) | Ty::RefMut(_) => Expr::compound(ty, pieces![text]),
            _ => Expr::atom(ty, pieces![text]),
        }
    }

    fn try_expr(&mut self, ty: &Ty, depth: u32) -> Option<Expr> {
        match self.rng.u32(..16) {
            0..=2 => self.read(ty),
            3..=5 => self.call(ty, depth),
            6 => Some(self.if_expr(ty, depth)),
            7 => Some(self.match_expr(ty, depth)),
            8 => {
                let block = self.block(2, Some(ty), depth);
                Some(Expr::compound(ty, pieces![block]))
            }
            9 => self.loop_expr(ty, depth),
            10 => self.part_of(ty, depth),
            11 | 12 => self.unwrapped(ty, depth),
            _ => self.specific(ty, depth),
        }
    }

    /// A variable or a part of one: copied, moved or cloned.
    fn read(&mut self, ty: &Ty) -> Option<Expr> {
        if *ty == Ty::Int && self.one_in(6) {
            let sizes: Vec<Place> = self.scope.places().into_iter().filter(|p| p.ty == Ty::Size).collect();
            if let Some(place) = self.pick(&sizes) {
                return Some(Expr::compound(ty, pieces![format!("{} as i64", place.value)]));
            }
        }
        let places: Vec<Place> = self.scope.places().into_iter().filter(|place| place.ty == *ty).collect();
        let place = self.pick(&places)?;
        if ty.is_copy() {
            let expr = pieces![place.value.clone()];
            return Some(if place.value.starts_with('*') {
                Expr::compound(ty, expr)
            } else {
                Expr::atom(ty, expr)
            });
        }
        if !self.here.pure && self.scope.movable(&place) && !self.one_in(3) {
            self.scope.vars[place.root].state = State::Moved;
            return Some(Expr::atom(ty, pieces![place.base]));
        }
        Some(Expr::atom(ty, pieces![format!("{}.clone()", place.base)]))
    }

    /// A borrow of a place, or of a temporary; and what it keeps borrowed.
    pub(super) fn borrowed(&mut self, ty: &Ty, depth: u32) -> (Expr, Option<(usize, bool)>) {
        let to = Ty::Ref(Box::new(ty.clone()));
        let places: Vec<Place> = self.scope.places().into_iter().filter(|place| place.ty == *ty).collect();
        if self.rng.u32(..3) > 0
            && let Some(place) = self.pick(&places)
        {
            let frozen = Some((place.root, false));
            let expr = if place.whole && place.via == Via::Ref {
                Expr::atom(&to, pieces![place.base])
            } else {
                Expr::compound(&to, pieces![format!("&{}", place.value)])
            };
            return (expr, frozen);
        }
        let value = self.expr(ty, depth).operand();
        (Expr::compound(&to, pieces!["&", value]), None)
    }

    fn call(&mut self, ty: &Ty, depth: u32) -> Option<Expr> {
        let callees: Vec<Callee> = self
            .callees
            .iter()
            .filter(|callee| callee.ret == *ty && (!callee.awaited || self.may_await()))
            .cloned()
            .collect();
        let callee = self.pick(&callees)?;
        if callee.name.starts_with("helper") && self.here.times > 4 {
            return None;
        }
        if self.here.pure && !callee.awaited && self.one_in(2) {
            return None;
        }
        Some(self.call_of(&callee, depth, None))
    }

    /// A call, its arguments in order. A recursive callee's first argument is given, or is small.
    pub(super) fn call_of(&mut self, callee: &Callee, depth: u32, first: Option<&str>) -> Expr {
        let mut pieces = pieces![format!("{}(", callee.name)];
        let mut frozen = Vec::new();
        for (at, param) in callee.params.iter().enumerate() {
            if at > 0 {
                pieces.push(", ".into());
            }
            pieces.push(match param {
                Param::Depth => first.map_or_else(|| self.rng.u32(1..3).to_string(), str::to_owned).into(),
                Param::Value(ty) => self.expr(ty, depth).into(),
                Param::Borrow(ty) => {
                    let (expr, root) = self.borrowed(ty, depth);
                    if let Some((root, exclusive)) = root {
                        self.scope.freeze(root, exclusive);
                        frozen.push((root, exclusive));
                    }
                    expr.into()
                }
            });
        }
        for (root, exclusive) in frozen {
            self.scope.thaw(root, exclusive);
        }
        pieces.push(if callee.awaited { ").await" } else { ")" }.into());
        Expr::atom(&callee.ret, pieces)
    }

    pub(super) fn if_expr(&mut self, ty: &Ty, depth: u32) -> Expr {
        let mark = self.scope.vars.len();
        let (condition, frozen) = self.condition(depth);
        let mut branches = self.branches();
        let then = self.branch(&mut branches, |this| this.block(1, Some(ty), depth));
        for (root, exclusive) in frozen {
            self.scope.thaw(root, exclusive);
        }
        let bound = self.scope.vars.len();
        debug_assert!(bound >= mark);
        // The bound variables are not there in the other branch.
        self.scope.leave(mark);
        branches.cut(mark);
        let other = self.branch(&mut branches, |this| {
            if this.one_in(5) && depth > 0 {
                let nested = this.if_expr(ty, depth - 1);
                pieces![nested]
            } else {
                let block = this.block(1, Some(ty), depth);
                pieces![block]
            }
        });
        let mut pieces = pieces!["if "];
        pieces.extend(condition);
        pieces.extend(pieces![" ", then, " else "]);
        pieces.extend(other);
        Expr::compound(ty, pieces)
    }

    /// What stands behind `if`: it declares what it binds.
    pub(super) fn condition(&mut self, depth: u32) -> (Vec<Piece>, Vec<(usize, bool)>) {
        let mut frozen = Vec::new();
        let parts = if self.one_in(4) { self.rng.usize(2..4) } else { 1 };
        let here = Here { jumps: false, ..self.here };
        let mut pieces = Vec::new();
        for at in 0..parts {
            if at > 0 {
                pieces.push(" && ".into());
            }
            if self.one_in(2) {
                let bool = self.with(here, |this| this.expr(&Ty::Bool, depth));
                pieces.push(bool.operand().into());
            } else {
                let ty = self.matched_type();
                let scrutinee = self.with(here, |this| this.scrutinee(&ty, depth));
                let mut bound = Vec::new();
                let pattern = self.pattern(&ty, scrutinee.mode, true, 3, &mut bound);
                pieces.extend(pieces![format!("let {pattern} = "), scrutinee.expr.operand()]);
                if let Some((root, exclusive)) = scrutinee.frozen {
                    self.scope.freeze(root, exclusive);
                    frozen.push((root, exclusive));
                }
                for bound in bound {
                    self.scope.declare(&bound.name, &bound.ty, bound.mutable);
                }
            }
        }
        (pieces, frozen)
    }

    fn matched_type(&mut self) -> Ty {
        let types = [
            Ty::Int,
            Ty::Bool,
            Ty::option(Ty::Int),
            Ty::option(Ty::Text),
            Ty::Event,
            Ty::Event,
            Ty::pair(),
            Ty::Tuple(vec![Ty::Int, Ty::option(Ty::Int)]),
            Ty::result(Ty::Int),
            Ty::result(Ty::Text),
            Ty::Order,
            Ty::Item,
        ];
        // What is there to be matched, more often.
        let places: Vec<Ty> = self
            .scope
            .places()
            .into_iter()
            .map(|p| p.ty)
            .filter(|ty| types.contains(ty) && *ty != Ty::Int)
            .collect();
        if self.one_in(2)
            && let Some(ty) = self.pick(&places)
        {
            return ty;
        }
        types[self.rng.usize(..types.len())].clone()
    }

    /// Something to be matched: a value, or a borrow of a place.
    pub(super) fn scrutinee(&mut self, ty: &Ty, depth: u32) -> Scrutinee {
        let places: Vec<Place> = self.scope.places().into_iter().filter(|place| place.ty == *ty).collect();
        if self.rng.u32(..5) > 1
            && let Some(place) = self.pick(&places)
        {
            if place.writable && !self.here.pure && self.one_in(3) {
                let text = format!("&mut {}", place.value);
                let expr = Expr::compound(&Ty::RefMut(Box::new(ty.clone())), pieces![text]);
                return Scrutinee { expr, mode: Mode::RefMut, frozen: Some((place.root, true)) };
            }
            let to = Ty::Ref(Box::new(ty.clone()));
            let expr = if place.whole && place.via == Via::Ref {
                Expr::atom(&to, pieces![place.base])
            } else {
                Expr::compound(&to, pieces![format!("&{}", place.value)])
            };
            return Scrutinee { expr, mode: Mode::Ref, frozen: Some((place.root, false)) };
        }
        Scrutinee { expr: self.expr(ty, depth), mode: Mode::Owned, frozen: None }
    }

    pub(super) fn match_expr(&mut self, ty: &Ty, depth: u32) -> Expr {
        let of = self.matched_type();
        let scrutinee = self.scrutinee(&of, depth);
        let mut pieces = pieces!["match ", scrutinee.expr.operand(), " {"];
        let mode = scrutinee.mode;
        self.while_borrowed(scrutinee.frozen, |this| {
            let mut branches = this.branches();
            let arms = this.rng.usize(1..4);
            for at in 0..=arms {
                let last = at == arms;
                let arm = this.branch(&mut branches, |this| this.arm(&of, mode, last, ty, depth));
                if last { pieces.extend(arm) } else { pieces.push(arm.into()) }
            }
        });
        pieces.push("}".into());
        Expr::compound(ty, pieces)
    }

    fn arm(&mut self, of: &Ty, mode: Mode, last: bool, ty: &Ty, depth: u32) -> Vec<Piece> {
        let mark = self.scope.vars.len();
        let mut bound = Vec::new();
        let pattern = self.pattern(of, mode, !last, if last { 1 } else { 3 }, &mut bound);
        for bound in bound {
            self.scope.declare(&bound.name, &bound.ty, bound.mutable);
        }
        let mut pieces = pieces![format!("\n{pattern} ")];
        if !last && self.one_in(3) {
            let pure = Here { awaits: false, pure: true, jumps: false, ..self.here };
            let guard = self.with(pure, |this| this.expr(&Ty::Bool, depth.min(2)));
            pieces.push(pieces!["if ", guard, " "].into());
        }
        pieces.push("=> ".into());
        if self.one_in(2) {
            pieces.push(self.block(2, Some(ty), depth).into());
        } else {
            pieces.push(self.expr(ty, depth).into());
        }
        pieces.push(",".into());
        self.scope.leave(mark);
        pieces
    }

    /// A value by `break`: of a loop, or of a labelled block.
    fn loop_expr(&mut self, ty: &Ty, depth: u32) -> Option<Expr> {
        if self.here.pure || self.here.times > 6 {
            return None;
        }
        if self.one_in(2) {
            let label = self.label(true)?;
            self.targets.push(Target { label: Some(label.clone()), is_loop: false, value: Some(ty.clone()) });
            let block = self.perhaps(|this| this.block(2, Some(ty), depth));
            self.targets.pop();
            return Some(Expr::compound(ty, pieces![format!("{label}: "), block]));
        }
        let label = self.label(false);
        let counter = self.temp("k");
        let prefix = label.as_ref().map_or(String::new(), |label| format!("{label}: "));
        self.targets.push(Target { label, is_loop: true, value: Some(ty.clone()) });
        self.scope.loops += 1;
        let here = Here { times: self.here.times * 3, jumps: true, ..self.here };
        let (body, value) = self.perhaps(|this| {
            this.with(here, |this| {
                let mark = this.scope.vars.len();
                this.scope.declare(&counter, &Ty::Int, false);
                let stmts = this.stmts(2, depth);
                let value = this.expr(ty, depth);
                this.scope.leave(mark);
                (stmts, value)
            })
        });
        self.scope.loops -= 1;
        self.targets.pop();
        let mut body = Block { stmts: body, tail: None };
        let limit = self.rng.u32(1..4);
        body.stmts.insert(0, pieces![format!("{counter} += 1;")].into());
        body.stmts.push(pieces![format!("if {counter} > {limit} {{ break "), value.operand(), "; }"].into());
        // A `continue` before the last statement must not run for ever.
        let stop = pieces![format!("if {counter} > 9 {{ break {}; }}", ty.literal(3))];
        body.stmts.insert(1, stop.into());
        let outer = Block {
            stmts: vec![pieces![format!("let mut {counter} = 0;")].into()],
            tail: Some(Box::new(Expr::compound(ty, pieces![format!("{prefix}loop "), body]))),
        };
        Some(Expr::compound(ty, pieces![outer]))
    }

    /// An element or a field of a value that is made for it.
    fn part_of(&mut self, ty: &Ty, depth: u32) -> Option<Expr> {
        match self.rng.u32(..3) {
            0 => {
                let first = self.expr(ty, depth);
                let second = self.expr(&Ty::Int, depth);
                Some(Expr::atom(ty, pieces!["(", first, ", ", second, ").0"]))
            }
            1 if ty.is_copy() => {
                let first = self.expr(ty, depth);
                let second = self.expr(ty, depth);
                let index = self.expr(&Ty::Int, depth);
                Some(Expr::atom(ty, pieces!["[", first, ", ", second, "][idx(", index, ", 2)]"]))
            }
            _ if ty.is_copy() => {
                let vec = Ty::vec(ty.clone());
                let places: Vec<Place> =
                    self.scope.places().into_iter().filter(|place| place.ty == vec).collect();
                let place = self.pick(&places)?;
                let index = self.while_borrowed(Some((place.root, false)), |this| this.expr(&Ty::Int, depth));
                Some(Expr::atom(ty, pieces![format!("{}[idx(", place.base), index, ", 2)]"]))
            }
            _ => None,
        }
    }

    /// What an option or a result holds.
    fn unwrapped(&mut self, ty: &Ty, depth: u32) -> Option<Expr> {
        let known = matches!(ty, Ty::Int | Ty::Text);
        if !known {
            return None;
        }
        let wrapped = if self.one_in(2) { Ty::result(ty.clone()) } else { Ty::option(ty.clone()) };
        let value = self.expr(&wrapped, depth).operand();
        if self.fallible() && !self.here.pure && self.rng.u32(..3) > 0 {
            return Some(if matches!(wrapped, Ty::Result(_)) {
                Expr::atom(ty, pieces![value, "?"])
            } else {
                let fault = self.perhaps(|this| this.expr(&Ty::Int, depth));
                Expr::atom(ty, pieces![value, ".ok_or(Fault::Odd(", fault, "))?"])
            });
        }
        let other = self.expr(ty, depth);
        Some(Expr::atom(ty, pieces![value, ".unwrap_or(", other, ")"]))
    }

    fn specific(&mut self, ty: &Ty, depth: u32) -> Option<Expr> {
        match ty {
            Ty::Int => self.int(depth),
            Ty::Bool => self.bool(depth),
            Ty::Text => Some(self.some_text(depth)),
            Ty::Option(of) => {
                if **of == Ty::Int && self.one_in(3) {
                    let (vec, _) = self.borrowed(&Ty::ints(), depth);
                    return Some(Expr::atom(ty, pieces!["(", vec, ").get(1).copied()"]));
                }
                if self.one_in(3) {
                    let inner = self.expr(ty, depth).operand();
                    let closure = self.closure("x", of, of);
                    return Some(Expr::atom(ty, pieces![inner, ".map(|x| ", closure, ")"]));
                }
                let value = self.expr(of, depth);
                Some(Expr::atom(ty, pieces!["Some(", value, ")"]))
            }
            Ty::Result(of) => {
                if self.one_in(4) {
                    let fault = self.expr(&Ty::Int, depth);
                    return Some(Expr::atom(
                        ty,
                        pieces![format!("Err::<{of}, Fault>(Fault::Odd("), fault, "))"],
                    ));
                }
                let value = self.expr(of, depth);
                Some(Expr::atom(ty, pieces!["Ok::<_, Fault>(", value, ")"]))
            }
            Ty::Vec(of) => {
                if **of == Ty::Int && self.one_in(2) {
                    let (vec, frozen) = self.borrowed(&Ty::ints(), depth);
                    let closure = self.while_borrowed(frozen, |this| {
                        this.closure("x", &Ty::Ref(Box::new(Ty::Int)), &Ty::Int)
                    });
                    return Some(Expr::atom(
                        ty,
                        pieces!["(", vec, ").iter().map(|x| ", closure, ").collect::<Vec<i64>>()"],
                    ));
                }
                let quiet = Here { awaits: false, jumps: false, ..self.here };
                let (first, second) =
                    self.with(quiet, |this| (this.expr(of, depth.min(2)), this.expr(of, depth.min(2))));
                Some(Expr::atom(ty, pieces!["vec![", first, ", ", second, "]"]))
            }
            Ty::Array(of) => {
                let first = self.expr(of, depth);
                let second = self.expr(of, depth);
                Some(Expr::atom(ty, pieces!["[", first, ", ", second, "]"]))
            }
            Ty::Tuple(of) => {
                let mut pieces = pieces!["("];
                for (at, ty) in of.iter().enumerate() {
                    if at > 0 {
                        pieces.push(", ".into());
                    }
                    pieces.push(self.expr(ty, depth).into());
                }
                pieces.push(")".into());
                Some(Expr::atom(ty, pieces))
            }
            Ty::Item => {
                let mut fields = [("sku", Ty::Text), ("qty", Ty::Int)];
                self.rng.shuffle(&mut fields);
                Some(self.literal_of(ty, "Item", &fields, false, depth))
            }
            Ty::Order => {
                let mut fields = [
                    ("id", Ty::Int),
                    ("name", Ty::Text),
                    ("note", Ty::option(Ty::Text)),
                    ("spot", Ty::pair()),
                ];
                self.rng.shuffle(&mut fields);
                let some = self.rng.usize(1..4);
                Some(self.literal_of(ty, "Order", &fields[..some], true, depth))
            }
            Ty::Event => Some(match self.rng.u32(..4) {
                0 => self.literal_of(ty, "Event::Moved", &[("y", Ty::Int), ("x", Ty::Int)], false, depth),
                1 => {
                    self.literal_of(ty, "Event::Named", &[("who", Ty::Text), ("age", Ty::Int)], false, depth)
                }
                2 => {
                    let text = self.expr(&Ty::Text, depth);
                    Expr::atom(ty, pieces!["Event::Said(", text, ")"])
                }
                _ => {
                    let list = self.expr(&Ty::ints(), depth);
                    Expr::atom(ty, pieces!["Event::Many(", list, ")"])
                }
            }),
            _ => None,
        }
    }

    fn literal_of(&mut self, ty: &Ty, name: &str, fields: &[(&str, Ty)], base: bool, depth: u32) -> Expr {
        let mut pieces = pieces![format!("{name} {{ ")];
        for (at, (field, ty)) in fields.iter().enumerate() {
            if at > 0 {
                pieces.push(", ".into());
            }
            pieces.extend(pieces![format!("{field}: "), self.expr(ty, depth)]);
        }
        if base {
            pieces.extend(pieces![", ..", self.expr(ty, depth).operand()]);
        }
        pieces.push(" }".into());
        Expr::compound(ty, pieces)
    }

    /// The body of a closure with one parameter.
    pub(super) fn closure(&mut self, param: &str, of: &Ty, to: &Ty) -> Expr {
        let pure = Here { awaits: false, pure: true, jumps: false, ..self.here };
        let mark = self.scope.vars.len();
        self.scope.declare(param, of, false);
        self.scope.loops += 1;
        let body = self.with(pure, |this| this.expr(to, 2));
        self.scope.loops -= 1;
        self.scope.leave(mark);
        body
    }

    fn int(&mut self, depth: u32) -> Option<Expr> {
        let ty = &Ty::Int;
        Some(match self.rng.u32(..9) {
            0..=2 => {
                let operator = [" + ", " - ", " * ", " ^ "][self.rng.usize(..4)];
                let left = self.expr(ty, depth).operand();
                let right = self.expr(ty, depth).operand();
                Expr::compound(ty, pieces![left, operator, right])
            }
            3 => {
                let value = self.expr(ty, depth).operand();
                Expr::compound(ty, pieces!["-", value])
            }
            4 => {
                let value = self.expr(ty, depth).operand();
                Expr::compound(ty, pieces![value, " % 7"])
            }
            5 => {
                let value = self.expr(&Ty::Bool, depth);
                Expr::atom(ty, pieces!["i64::from(", value, ")"])
            }
            6 => {
                let (text, _) = self.borrowed(&Ty::Text, depth);
                Expr::compound(ty, pieces!["(", text, ").len() as i64"])
            }
            7 => {
                let (list, frozen) = self.borrowed(&Ty::ints(), depth);
                let body =
                    self.while_borrowed(frozen, |this| this.closure("x", &Ty::Ref(Box::new(Ty::Int)), ty));
                Expr::atom(ty, pieces!["(", list, ").iter().map(|x| ", body, ").sum::<i64>()"])
            }
            _ => {
                if self.here.pure || self.here.times > 6 {
                    return None;
                }
                // A closure of its own, between two awaits.
                let quiet = Here { awaits: false, jumps: false, ..self.here };
                let body = self.closure("x", ty, ty);
                let (first, second) = self.with(quiet, |this| {
                    let pure = Here { pure: true, ..this.here };
                    this.with(pure, |this| (this.expr(ty, 2).operand(), this.expr(ty, 2).operand()))
                });
                Expr::compound(
                    ty,
                    pieces!["{ let f = |x: i64| ", body, "; f(", first, ") + f(", second, ") }"],
                )
            }
        })
    }

    fn bool(&mut self, depth: u32) -> Option<Expr> {
        let ty = &Ty::Bool;
        Some(match self.rng.u32(..7) {
            0 | 1 => {
                let operator = [" < ", " == ", " >= ", " != "][self.rng.usize(..4)];
                let left = self.expr(&Ty::Int, depth).operand();
                let right = self.expr(&Ty::Int, depth).operand();
                Expr::compound(ty, pieces![left, operator, right])
            }
            2 | 3 => {
                let operator = [" && ", " || "][self.rng.usize(..2)];
                let left = self.expr(ty, depth).operand();
                let right = self.perhaps(|this| this.expr(ty, depth)).operand();
                Expr::compound(ty, pieces![left, operator, right])
            }
            4 => {
                let value = self.expr(ty, depth).operand();
                Expr::compound(ty, pieces!["!", value])
            }
            5 => {
                let (event, _) = self.borrowed(&Ty::Event, depth);
                Expr::atom(
                    ty,
                    pieces!["matches!(", event, ", Event::Said(_) | Event::Moved { x: 0..=20, .. })"],
                )
                .quiet()?
            }
            _ => {
                let (left, frozen) = self.borrowed(&Ty::Text, depth);
                let (right, _) = self.while_borrowed(frozen, |this| this.borrowed(&Ty::Text, depth));
                Expr::compound(ty, pieces![left, " == ", right])
            }
        })
    }

    fn some_text(&mut self, depth: u32) -> Expr {
        let ty = &Ty::Text;
        match self.rng.u32(..6) {
            0 | 1 => {
                let quiet = Here { awaits: false, jumps: false, ..self.here };
                let (value, other) = self.with(quiet, |this| {
                    (this.expr(&Ty::Int, depth.min(2)), this.borrowed(ty, depth.min(2)).0)
                });
                let shown: Vec<Place> = self
                    .scope
                    .places()
                    .into_iter()
                    .filter(|place| place.whole && matches!(place.ty, Ty::Int | Ty::Text))
                    .collect();
                // Named by the macro's text alone; only what the values before have not moved.
                let captured = self.pick(&shown).map_or(String::new(), |place| format!("{{{}}}", place.base));
                Expr::atom(
                    ty,
                    pieces![format!("format!(\"{captured} {{}} {{:?}}\", "), value, ", ", other, ")"],
                )
            }
            2 => {
                let left = self.expr(ty, depth).operand();
                let (right, _) = self.borrowed(ty, depth);
                Expr::compound(ty, pieces![left, " + ", right])
            }
            3 => {
                let value = self.expr(&Ty::Int, depth).operand();
                Expr::atom(ty, pieces!["i64::to_string(&", value, ")"])
            }
            4 => {
                let (list, frozen) = self.borrowed(&Ty::texts(), depth);
                let body =
                    self.while_borrowed(frozen, |this| this.closure("x", &Ty::Ref(Box::new(Ty::Text)), ty));
                Expr::atom(
                    ty,
                    pieces!["(", list, ").iter().map(|x| ", body, ").collect::<Vec<_>>().join(\"-\")"],
                )
            }
            _ => {
                let value = self.expr(ty, depth).operand();
                Expr::atom(ty, pieces![value, ".replace('t', \"T\")"])
            }
        }
    }
}

impl Expr {
    /// A macro's arguments hold no awaits.
    fn quiet(self) -> Option<Self> {
        (!self.text().contains(".await")).then_some(self)
    }
}

impl Branches {
    /// The variables behind these are no more.
    fn cut(&mut self, mark: usize) {
        self.before.truncate(mark);
        if let Some(after) = &mut self.after {
            after.truncate(mark);
        }
    }
}
