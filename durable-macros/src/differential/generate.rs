//! Random programs that rustc would accept: names in scope, types that fit, nothing used before it is set or after it was moved,
//! nothing changed while it is borrowed.
//!
//! All of that is decided while a program is written, from front to back, by rules stricter than Rust's: what is moved is
//! never mentioned again (but for `s = f(s)`), a borrow freezes its root to the end of the scope it is bound in.
//! This file holds the state and the statements; `express` the expressions.

use super::program::{
    Arm, Block, Cond, Expr, Func, Iterated, Label, Method, Pat, Program, Stmt, Test, Ty, Var, VarInfo,
};
use super::value::{Activity, Tag, Value, mix};

/// A reproducible source of choices.
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(1);
        (mix(self.0) >> 16) as usize % end.max(1)
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(super) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}

/// A program and the arguments it is called with.
pub(super) fn generate(seed: u64) -> (Program, Vec<Value>) {
    let mut rng = Rng::new(seed);
    // Mostly small, with a tail of large ones.
    let budget = match rng.below(20) {
        0 => 90,
        1..=4 => 40,
        _ => 8 + rng.below(16) as i32,
    };
    let mut generator = Generator::new(rng, budget);
    let (params, args) = generator.params();
    let mut body = generator.block_of(&Ty::Unit);
    if let Some(tail) = body.tail.take() {
        body.stmts.push(Stmt::Expr(*tail));
    }
    // The result is made in the body's own scope, of what is left.
    generator.reopen(&body);
    let result = generator.expr(&Ty::Int);
    body.tail = Some(Box::new(Expr::Ok(Box::new(result))));
    (Program { vars: generator.vars, params, body }, args)
}

/// What a `break` or `continue` may leave.
pub(super) struct Target {
    pub(super) label: Option<Label>,
    pub(super) is_loop: bool,
    /// The type that a `break` carries; `None` in a `while` or a `for`.
    pub(super) ty: Option<Ty>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Freeze {
    /// May be read.
    Shared,
    /// May not be mentioned.
    Whole,
}

pub(super) struct Generator {
    pub(super) rng: Rng,
    pub(super) budget: i32,
    pub(super) depth: usize,
    pub(super) vars: Vec<VarInfo>,
    /// What is in scope, innermost last.
    pub(super) scope: Vec<Var>,
    /// Not set yet, or moved away.
    pub(super) absent: Vec<bool>,
    pub(super) frozen: Vec<(Var, Freeze)>,
    pub(super) targets: Vec<Target>,
    labels: usize,
    /// Variables before this one may not be moved: they belong to what surrounds the innermost loop.
    pub(super) loop_floor: usize,
    /// In a guard: no await, no move, no statement.
    pub(super) guarded: bool,
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

impl Generator {
    fn new(rng: Rng, budget: i32) -> Self {
        Self {
            rng,
            budget,
            depth: 0,
            vars: Vec::new(),
            scope: Vec::new(),
            absent: Vec::new(),
            frozen: Vec::new(),
            targets: Vec::new(),
            labels: 0,
            loop_floor: 0,
            guarded: false,
        }
    }

    fn params(&mut self) -> (Vec<Pat>, Vec<Value>) {
        let mut params = Vec::new();
        let mut args = Vec::new();
        let order = Value::Variant(
            Tag::Order,
            vec![
                Value::Int(3),
                Value::text("n"),
                Value::List(vec![Value::Int(1), Value::Int(2)]),
                Value::Tuple(vec![Value::Int(2), Value::text("p")]),
            ],
        );
        for _ in 0..self.rng.below(4) {
            let (ty, value) = match self.rng.below(5) {
                0 => (Ty::Int, Value::Int(2)),
                1 => (Ty::Text, Value::text("arg")),
                2 => (Ty::Order, order.clone()),
                3 => (Ty::Ref(Box::new(Ty::Order)), order.clone()),
                _ => (Ty::Pair, Value::Tuple(vec![Value::Int(1), Value::text("q")])),
            };
            let pat = if ty == Ty::Pair { self.pair_pattern() } else { self.bind_new(ty) };
            // Parameters of one name are an error.
            let known: Vec<&str> = self.scope.iter().map(|var| self.vars[*var].name).collect();
            if (1..known.len()).any(|at| known[..at].contains(&known[at])) {
                self.scope.truncate(Self::bound_by(&params));
                continue;
            }
            params.push(pat);
            args.push(value);
        }
        (params, args)
    }

    fn bound_by(params: &[Pat]) -> usize {
        params.iter().map(|pat| if let Pat::Tuple(parts) = pat { parts.len() } else { 1 }).sum()
    }

    fn pair_pattern(&mut self) -> Pat {
        let Pat::Bind(first) = self.bind_new(Ty::Int) else { return Pat::Wild };
        let second = self.bind_new(Ty::Text);
        if let Pat::Bind(second) = second
            && self.vars[first].name == self.vars[second].name
        {
            // Bindings of one pattern have names of their own.
            self.vars[second].name = if self.vars[first].name == "g" { "a" } else { "g" };
        }
        Pat::Tuple(vec![Pat::Bind(first), second])
    }

    /// Brings the bindings of a finished block back into scope.
    fn reopen(&mut self, body: &Block) {
        for stmt in &body.stmts {
            match stmt {
                Stmt::Let { pat, .. } => self.scope.extend(pat.vars()),
                Stmt::Deferred(var) => self.scope.push(*var),
                Stmt::Expr(_) => {}
            }
        }
        // Whatever was borrowed may still be, and what borrows mutably may be in use.
        let vars = &self.vars;
        self.scope.iter().for_each(|var| {
            self.absent[*var] |= matches!(vars[*var].ty, Ty::RefMut(_));
        });
        self.frozen = self.scope.iter().map(|var| (*var, Freeze::Shared)).collect();
    }

    // ---- scopes

    /// A new binding, in scope from here on.
    pub(super) fn declare(&mut self, ty: Ty, mutable: bool) -> Var {
        let name = self.rng.pick(&NAMES);
        self.vars.push(VarInfo { name, mutable, ty });
        self.absent.push(false);
        self.scope.push(self.vars.len() - 1);
        self.vars.len() - 1
    }

    pub(super) fn bind_new(&mut self, ty: Ty) -> Pat {
        let mutable = !matches!(ty, Ty::Ref(_) | Ty::RefMut(_)) && self.rng.chance(40);
        Pat::Bind(self.declare(ty, mutable))
    }

    pub(super) fn scoped<T>(&mut self, inside: impl FnOnce(&mut Self) -> T) -> T {
        let (scope, frozen) = (self.scope.len(), self.frozen.len());
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        self.scope.truncate(scope);
        self.frozen.truncate(frozen);
        result
    }

    /// What may be mentioned: in scope, not shadowed, there, and not borrowed mutably.
    pub(super) fn visible(&self) -> Vec<Var> {
        let mut names: Vec<&str> = Vec::new();
        let mut found = Vec::new();
        for &var in self.scope.iter().rev() {
            let name = self.vars[var].name;
            if names.contains(&name) {
                continue;
            }
            names.push(name);
            if !self.absent[var] && !self.frozen.contains(&(var, Freeze::Whole)) {
                found.push(var);
            }
        }
        found
    }

    pub(super) fn is_frozen(&self, var: Var) -> bool {
        self.frozen.iter().any(|(other, _)| *other == var)
    }

    pub(super) fn may_move(&self, var: Var) -> bool {
        var >= self.loop_floor && !self.guarded && !self.is_frozen(var)
    }

    fn changeable(&mut self, ty: &Ty) -> Option<Var> {
        let found: Vec<Var> = self
            .visible()
            .into_iter()
            .filter(|var| self.vars[*var].mutable && self.vars[*var].ty == *ty && !self.is_frozen(*var))
            .collect();
        (!found.is_empty()).then(|| self.rng.pick(&found))
    }

    fn label(&mut self) -> Option<Label> {
        self.labels += 1;
        self.rng.chance(40).then_some(self.labels)
    }

    // ---- blocks and statements

    /// A block with a value of this type.
    pub(super) fn block_of(&mut self, ty: &Ty) -> Block {
        self.scoped(|this| {
            let stmts = this.stmts();
            let tail = if *ty == Ty::Unit { None } else { Some(Box::new(this.expr(ty))) };
            Block { stmts, tail }
        })
    }

    fn stmts(&mut self) -> Vec<Stmt> {
        let mut stmts = Vec::new();
        let count = if self.depth <= 1 { 30 } else { 1 + self.rng.below(3) };
        for _ in 0..count {
            if self.budget <= 0 {
                break;
            }
            self.stmt(&mut stmts);
        }
        stmts
    }

    /// A block that does not come to its end.
    pub(super) fn diverging(&mut self) -> Block {
        self.scoped(|this| {
            let mut stmts = Vec::new();
            if this.rng.chance(40) && this.budget > 0 {
                this.stmt(&mut stmts);
            }
            let jump = this.jump();
            stmts.push(Stmt::Expr(jump));
            Block { stmts, tail: None }
        })
    }

    fn stmt(&mut self, out: &mut Vec<Stmt>) {
        self.budget -= 1;
        let deep = self.depth > 4;
        match self.rng.below(if deep { 11 } else { 22 }) {
            0..=2 => {
                let ty = self.any_type();
                let init = self.expr(&ty);
                let (pat, typed) = (self.bind_new(ty), self.rng.chance(20));
                out.push(Stmt::Let { pat, typed, init, otherwise: None });
            }
            3 => self.destructure(out),
            4 | 5 => {
                let expr = self.change();
                out.push(Stmt::Expr(expr));
            }
            6 => {
                let expr = self.effect();
                out.push(Stmt::Expr(expr));
            }
            7 | 8 => self.borrow(out),
            9 => self.let_else(out),
            10 => self.reuse(out),
            11 => self.deferred(out),
            12 => {
                let cond_and_body = self.scoped(|this| {
                    let cond = this.cond();
                    (cond, this.diverging())
                });
                out.push(Stmt::Expr(Expr::If(cond_and_body.0, cond_and_body.1, None)));
            }
            13 => {
                let block = self.block_of(&Ty::Unit);
                out.push(Stmt::Expr(Expr::Block(None, block)));
            }
            14 | 15 => {
                let looped = self.for_loop();
                out.push(Stmt::Expr(looped));
            }
            16 => {
                let looped = self.while_loop();
                out.push(Stmt::Expr(looped));
            }
            _ => {
                let expr = self.control(&Ty::Unit);
                out.push(Stmt::Expr(expr));
            }
        }
    }

    fn destructure(&mut self, out: &mut Vec<Stmt>) {
        let ty = if self.rng.chance(50) { Ty::Pair } else { Ty::Order };
        let init = self.expr(&ty);
        let pat = if ty == Ty::Pair { self.pair_pattern() } else { self.order_pattern(false) };
        out.push(Stmt::Let { pat, typed: false, init, otherwise: None });
    }

    fn let_else(&mut self, out: &mut Vec<Stmt>) {
        let (init, ok) = match self.rng.below(3) {
            0 => (self.expr(&Ty::Check), true),
            1 => (self.await_of(Activity::Check), true),
            _ => (self.expr(&Ty::Maybe), false),
        };
        let otherwise = Some(self.diverging());
        let inner = Box::new(self.bind_new(Ty::Int));
        let pat = if ok { Pat::Ok(inner) } else { Pat::Some(inner) };
        out.push(Stmt::Let { pat, typed: false, init, otherwise });
    }

    /// An assignment, or a call that changes something.
    fn change(&mut self) -> Expr {
        match self.rng.below(7) {
            0 | 1 => {
                if let (Some(first), Some(second)) = (self.changeable(&Ty::Int), self.changeable(&Ty::Text)) {
                    // What is assigned is out of reach of the value.
                    self.frozen.extend([(first, Freeze::Whole), (second, Freeze::Whole)]);
                    let value = self.expr(&Ty::Pair);
                    self.frozen.truncate(self.frozen.len() - 2);
                    return Expr::Destructure(vec![first, second], Box::new(value));
                }
            }
            2 => {
                if let Some(var) = self.changeable(&Ty::Int) {
                    let value = Box::new(self.expr(&Ty::Int));
                    return Expr::Compound(Box::new(Expr::Var(var)), value);
                }
            }
            3 => {
                if let Some(changed) = self.change_through() {
                    return changed;
                }
            }
            _ => {}
        }
        let ty = self.any_type();
        let Some(var) = self.changeable(&ty) else { return self.effect() };
        let value = self.expr(&ty);
        // What is assigned may have been moved by the value.
        if self.absent[var] || self.is_frozen(var) {
            return Expr::Call(Func::Note, vec![Expr::Int(1)]);
        }
        Expr::Assign(Box::new(Expr::Var(var)), Box::new(value))
    }

    /// A change behind a `&mut`, or of a field.
    fn change_through(&mut self) -> Option<Expr> {
        let found: Vec<Var> = self
            .visible()
            .into_iter()
            .filter(|var| !self.is_frozen(*var))
            .filter(|var| match &self.vars[*var].ty {
                Ty::RefMut(_) => true,
                Ty::Order | Ty::Pair | Ty::List | Ty::Text => self.vars[*var].mutable,
                _ => false,
            })
            .collect();
        if found.is_empty() {
            return None;
        }
        let var = self.rng.pick(&found);
        let (ty, through) = match self.vars[var].ty.clone() {
            Ty::RefMut(inner) => (*inner, true),
            ty => (ty, false),
        };
        let this = Expr::Var(var);
        let value_of = |this: &mut Self, ty: &Ty| {
            this.frozen.push((var, if through { Freeze::Whole } else { Freeze::Shared }));
            let value = this.expr(ty);
            this.frozen.pop();
            value
        };
        Some(match ty {
            Ty::Int => {
                let place = Box::new(if through { Expr::Deref(Box::new(this)) } else { this });
                let value = Box::new(value_of(self, &Ty::Int));
                if self.rng.chance(50) { Expr::Compound(place, value) } else { Expr::Assign(place, value) }
            }
            Ty::Text => {
                let value = value_of(self, &Ty::Text);
                Expr::Method(Box::new(this), Method::Append, vec![value])
            }
            Ty::List => {
                let value = value_of(self, &Ty::Int);
                Expr::Method(Box::new(this), Method::Push, vec![value])
            }
            Ty::Order if self.rng.chance(50) => {
                let value = value_of(self, &Ty::Int);
                Expr::Method(Box::new(Expr::Field(Box::new(this), 2)), Method::Push, vec![value])
            }
            Ty::Order | Ty::Pair => {
                let place = Box::new(Expr::Field(Box::new(this), 0));
                let value = Box::new(value_of(self, &Ty::Int));
                if self.rng.chance(50) { Expr::Compound(place, value) } else { Expr::Assign(place, value) }
            }
            _ => return None,
        })
    }

    fn effect(&mut self) -> Expr {
        match self.rng.below(5) {
            0 => self.call_note(),
            1 => self.await_of(Activity::Unit),
            2 => self.change_through().unwrap_or_else(|| self.await_of(Activity::Num)),
            _ => self.await_of(Activity::Num),
        }
    }

    /// `s = f(s)`: moved and set again in one statement, also in a loop.
    fn reuse(&mut self, out: &mut Vec<Stmt>) {
        let Some(var) = self.changeable(&Ty::Text) else { return };
        // No jump may part the move from the assignment.
        self.frozen.push((var, Freeze::Whole));
        let mut other = self.leaf(&Ty::Text);
        if self.rng.chance(60) {
            other = Expr::Await(Activity::Text, vec![other]);
        }
        self.frozen.pop();
        let moved = Expr::Var(var);
        let value = match self.rng.below(3) {
            0 => Expr::Await(Activity::Text, vec![moved]),
            1 => Expr::Call(Func::Join, vec![moved, other]),
            _ => Expr::Call(Func::Join, vec![other, moved]),
        };
        out.push(Stmt::Expr(Expr::Assign(Box::new(Expr::Var(var)), Box::new(value))));
    }

    /// `let x;` and every way through a branch that sets it.
    fn deferred(&mut self, out: &mut Vec<Stmt>) {
        let ty = self.any_type();
        let mutable = self.rng.chance(30);
        let var = self.declare(ty.clone(), mutable);
        self.absent[var] = true;
        out.push(Stmt::Deferred(var));
        let set = |this: &mut Self| {
            let mut block = this.block_of(&ty);
            // A binding of the block's own may have taken the name.
            let name = this.vars[var].name;
            if block.stmts.iter().any(|stmt| binds_name(stmt, name, &this.vars)) {
                let value = Box::new(Expr::Block(None, block));
                let set = Stmt::Expr(Expr::Assign(Box::new(Expr::Var(var)), value));
                return Block { stmts: vec![set], tail: None };
            }
            let value = block.tail.take().unwrap_or(Box::new(Expr::Unit));
            block.stmts.push(Stmt::Expr(Expr::Assign(Box::new(Expr::Var(var)), value)));
            block
        };
        let (cond, then) = self.scoped(|this| {
            // No `let`: it might take the name.
            (vec![Test::Is(this.expr(&Ty::Bool))], set(this))
        });
        let other = if self.rng.chance(25) { self.diverging() } else { set(self) };
        out.push(Stmt::Expr(Expr::If(cond, then, Some(Box::new(Expr::Block(None, other))))));
        self.absent[var] = false;
    }

    /// `let r = &place;` and its relatives.
    fn borrow(&mut self, out: &mut Vec<Stmt>) {
        let mutable = self.rng.chance(25);
        let ty = self.rng.pick(&[Ty::Text, Ty::Int, Ty::List, Ty::Order, Ty::Pair, Ty::Maybe]);
        let places = self.places(&ty, mutable);
        let (init, root) = match places.is_empty() {
            false => {
                let (place, root) = self.rng.pick(&places);
                (Expr::Ref(mutable, Box::new(place)), Some(root))
            }
            true if ty == Ty::Order && !mutable => {
                (Expr::Ref(false, Box::new(self.await_of(Activity::Order))), None)
            }
            true => return,
        };
        let borrowed = Box::new(ty.clone());
        if ty == Ty::Order && !mutable && self.rng.chance(40) {
            self.freeze(root, mutable);
            let pat = self.order_pattern(true);
            out.push(Stmt::Let { pat, typed: false, init, otherwise: None });
            return;
        }
        self.freeze(root, mutable);
        let var = self.declare(if mutable { Ty::RefMut(borrowed) } else { Ty::Ref(borrowed) }, false);
        out.push(Stmt::Let { pat: Pat::Bind(var), typed: false, init, otherwise: None });
    }

    pub(super) fn freeze(&mut self, root: Option<Var>, mutable: bool) {
        if let Some(root) = root {
            self.frozen.push((root, if mutable { Freeze::Whole } else { Freeze::Shared }));
        }
    }

    // ---- loops and jumps

    fn looped<T>(&mut self, target: Target, inside: impl FnOnce(&mut Self) -> T) -> T {
        let floor = std::mem::replace(&mut self.loop_floor, self.vars.len());
        self.targets.push(target);
        let result = inside(self);
        self.targets.pop();
        self.loop_floor = floor;
        result
    }

    pub(super) fn loop_of(&mut self, ty: &Ty) -> Expr {
        let label = self.label();
        let target = Target { label, is_loop: true, ty: Some(ty.clone()) };
        let body = self.looped(target, |this| {
            this.scoped(|this| {
                let mut stmts = this.stmts();
                let (cond, value) = this.scoped(|this| {
                    let cond = this.cond();
                    (cond, this.break_value(Some(ty)))
                });
                let jump = Expr::Break(label.filter(|_| this.rng.chance(50)), value);
                let leave = Block { stmts: vec![Stmt::Expr(jump)], tail: None };
                stmts.push(Stmt::Expr(Expr::If(cond, leave, None)));
                Block { stmts, tail: None }
            })
        });
        Expr::Loop(label, body)
    }

    fn while_loop(&mut self) -> Expr {
        let label = self.label();
        let floor = std::mem::replace(&mut self.loop_floor, self.vars.len());
        let (cond, body) = self.scoped(|this| {
            // The condition stands in the loop for moves, and outside of it for jumps.
            let cond = this.cond();
            let target = Target { label, is_loop: true, ty: None };
            (cond, this.looped_in_place(target))
        });
        self.loop_floor = floor;
        Expr::While(label, cond, body)
    }

    fn looped_in_place(&mut self, target: Target) -> Block {
        self.targets.push(target);
        let body = self.block_of(&Ty::Unit);
        self.targets.pop();
        body
    }

    fn for_loop(&mut self) -> Expr {
        let label = self.label();
        let target = Target { label, is_loop: true, ty: None };
        let lists = self.places(&Ty::List, false);
        let arrays = self.places(&Ty::Array, false);
        let kind = self.rng.below(8);
        let borrowed: Vec<(Expr, Var)> = lists.into_iter().chain(arrays).collect();
        if kind < 2 || borrowed.is_empty() {
            let value = match self.rng.below(3) {
                0 => Iterated::Range(Box::new(Expr::Binary(
                    super::program::Op::BitAnd,
                    Box::new(self.expr(&Ty::Int)),
                    Box::new(Expr::Int(3)),
                ))),
                1 => Iterated::Owned(Box::new(self.expr(&Ty::Array))),
                _ => Iterated::Owned(Box::new(self.expr(&Ty::List))),
            };
            let (pat, body) = self.looped(target, |this| {
                this.scoped(|this| (this.bind_new(Ty::Int), this.block_of(&Ty::Unit)))
            });
            return Expr::For(label, pat, value, body);
        }
        let changed = self.places(&Ty::List, true);
        if kind == 2 && !changed.is_empty() {
            let (place, root) = self.rng.pick(&changed);
            let (pat, body) = self.looped(target, |this| {
                this.scoped(|this| {
                    this.freeze(Some(root), true);
                    let item = this.declare(Ty::RefMut(Box::new(Ty::Int)), false);
                    (Pat::Bind(item), this.block_of(&Ty::Unit))
                })
            });
            return Expr::For(label, pat, Iterated::BorrowedMut(Box::new(place)), body);
        }
        let (place, root) = self.rng.pick(&borrowed);
        let place = Box::new(place);
        let iterated = match kind {
            3 => Iterated::Iter(place),
            4 => Iterated::Rev(place),
            5 => Iterated::Enumerate(place),
            6 => Iterated::Skip(place),
            _ => Iterated::Borrowed(place),
        };
        let (pat, body) = self.looped(target, |this| {
            this.scoped(|this| {
                this.freeze(Some(root), false);
                let counted = kind == 5;
                let count = counted.then(|| this.bind_new(Ty::Count));
                let item = this.declare(Ty::Ref(Box::new(Ty::Int)), false);
                let pat = match count {
                    Some(count) => {
                        this.vars[item].name = "g";
                        Pat::Tuple(vec![count, Pat::Bind(item)])
                    }
                    None => Pat::Bind(item),
                };
                (pat, this.block_of(&Ty::Unit))
            })
        });
        Expr::For(label, pat, iterated, body)
    }

    pub(super) fn labelled_block(&mut self, ty: &Ty) -> Expr {
        self.labels += 1;
        let label = Some(self.labels);
        self.targets.push(Target { label, is_loop: false, ty: Some(ty.clone()) });
        let body = self.block_of(ty);
        self.targets.pop();
        Expr::Block(label, body)
    }

    fn break_value(&mut self, ty: Option<&Ty>) -> Option<Box<Expr>> {
        match ty {
            Some(Ty::Unit) | None => None,
            Some(ty) => Some(Box::new(self.expr(ty))),
        }
    }

    /// An expression that control does not come out of.
    pub(super) fn jump(&mut self) -> Expr {
        let inner_loop = self.targets.iter().rposition(|target| target.is_loop);
        let labelled: Vec<usize> =
            (0..self.targets.len()).filter(|at| self.targets[*at].label.is_some()).collect();
        match self.rng.below(4) {
            0 if inner_loop.is_some() => Expr::Continue(None),
            1 if inner_loop.is_some() => {
                let ty = inner_loop.and_then(|at| self.targets[at].ty.clone());
                Expr::Break(None, self.break_value(ty.as_ref()))
            }
            2 if !labelled.is_empty() => {
                let at = self.rng.pick(&labelled);
                let (label, is_loop) = (self.targets[at].label, self.targets[at].is_loop);
                if is_loop && self.rng.chance(50) {
                    return Expr::Continue(label);
                }
                let ty = self.targets[at].ty.clone();
                Expr::Break(label, self.break_value(ty.as_ref()))
            }
            _ if self.rng.chance(70) => Expr::Return(Box::new(Expr::Ok(Box::new(self.expr(&Ty::Int))))),
            _ => Expr::Return(Box::new(Expr::Err(Box::new(self.expr(&Ty::Text))))),
        }
    }

    /// A condition, whose bindings are in scope behind it.
    pub(super) fn cond(&mut self) -> Cond {
        let mut cond = Vec::new();
        for _ in 0..=(self.rng.below(5) / 3) {
            cond.push(match self.rng.below(8) {
                0 => {
                    let value = self.expr(&Ty::Maybe);
                    Test::Let(Pat::Some(Box::new(self.bind_new(Ty::Int))), value)
                }
                1 => {
                    let value = self.await_of(Activity::Check);
                    Test::Let(Pat::Ok(Box::new(self.bind_new(Ty::Int))), value)
                }
                2 | 3 if !self.places(&Ty::Maybe, false).is_empty() => {
                    let places = self.places(&Ty::Maybe, false);
                    let (place, root) = self.rng.pick(&places);
                    self.freeze(Some(root), false);
                    let item = Pat::Bind(self.declare(Ty::Ref(Box::new(Ty::Int)), false));
                    Test::Let(Pat::Some(Box::new(item)), Expr::Ref(false, Box::new(place)))
                }
                _ => Test::Is(self.expr(&Ty::Bool)),
            });
        }
        cond
    }

    pub(super) fn arm(&mut self, pat: impl FnOnce(&mut Self) -> Pat, guard: usize, ty: &Ty) -> Arm {
        self.scoped(|this| {
            let pat = pat(this);
            let guard = this.rng.chance(guard).then(|| {
                let outer = std::mem::replace(&mut this.guarded, true);
                let guard = this.expr(&Ty::Bool);
                this.guarded = outer;
                guard
            });
            let body = if this.rng.chance(12) {
                this.jump()
            } else if *ty == Ty::Unit || this.rng.chance(30) {
                Expr::Block(None, this.block_of(ty))
            } else {
                this.expr(ty)
            };
            Arm { pat, guard, body }
        })
    }
}

/// Whether a statement binds a name for those behind it.
fn binds_name(stmt: &Stmt, name: &str, vars: &[VarInfo]) -> bool {
    let bound = match stmt {
        Stmt::Let { pat, .. } => pat.vars(),
        Stmt::Deferred(var) => vec![*var],
        Stmt::Expr(_) => Vec::new(),
    };
    bound.into_iter().any(|var| vars[var].name == name)
}
