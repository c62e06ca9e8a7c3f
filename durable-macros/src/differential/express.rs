//! Random expressions, patterns and places: the other half of `generate`.

use super::generate::{Freeze, Generator};
use super::program::{Expr, Func, Method, Op, Pat, Ty, Var};
use super::value::Activity;

impl Generator {
    pub(super) fn any_type(&mut self) -> Ty {
        match self.rng.below(14) {
            0..=4 => Ty::Int,
            5..=7 => Ty::Text,
            8 => Ty::Bool,
            9 => Ty::List,
            10 => Ty::Order,
            11 => Ty::Pair,
            12 => Ty::Maybe,
            _ => Ty::Array,
        }
    }

    /// The places of a type that may be read, or changed, each with the variable it lies in.
    pub(super) fn places(&self, ty: &Ty, changed: bool) -> Vec<(Expr, Var)> {
        let mut found = Vec::new();
        for var in self.visible() {
            let info = &self.vars[var];
            if changed && (!info.mutable || self.is_frozen(var)) {
                continue;
            }
            match &info.ty {
                Ty::Ref(inner) if !changed => {
                    if **inner == *ty {
                        found.push((Expr::Deref(Box::new(Expr::Var(var))), var));
                    }
                    fields(&Expr::Var(var), inner, ty, var, &mut found);
                }
                Ty::RefMut(inner) if !changed && !self.is_frozen(var) && inner.is_copy() => {
                    if **inner == *ty {
                        found.push((Expr::Deref(Box::new(Expr::Var(var))), var));
                    }
                }
                Ty::Ref(_) | Ty::RefMut(_) => {}
                own => {
                    if own == ty {
                        found.push((Expr::Var(var), var));
                    }
                    fields(&Expr::Var(var), own, ty, var, &mut found);
                }
            }
        }
        found
    }

    /// An expression of a type.
    pub(super) fn expr(&mut self, ty: &Ty) -> Expr {
        self.budget -= 1;
        if self.budget <= 0 || self.depth > 6 {
            return self.leaf(ty);
        }
        self.depth += 1;
        let expr = self.deep(ty);
        self.depth -= 1;
        expr
    }

    fn deep(&mut self, ty: &Ty) -> Expr {
        if !self.guarded {
            if self.rng.chance(25)
                && let Some(activity) = activity_of(ty)
            {
                return self.await_of(activity);
            }
            if self.rng.chance(14) {
                return self.control(ty);
            }
        }
        match ty {
            Ty::Int => self.int(),
            Ty::Bool => self.flag(),
            Ty::Text => match self.rng.below(6) {
                0 => Expr::Call(Func::Join, vec![self.expr(&Ty::Text), self.expr(&Ty::Text)]),
                1 if !self.guarded => Expr::Call(Func::Tell, vec![self.expr(&Ty::Text)]),
                2 | 3 => self.format(),
                _ => self.leaf(ty),
            },
            Ty::List if self.rng.chance(50) => {
                let count = self.rng.below(4);
                Expr::List((0..count.max(1)).map(|_| self.expr(&Ty::Int)).collect())
            }
            Ty::Array => Expr::Array((0..3).map(|_| self.expr(&Ty::Int)).collect()),
            Ty::Order if self.rng.chance(70) => self.order(),
            Ty::Pair => Expr::Tuple(vec![self.expr(&Ty::Int), self.expr(&Ty::Text)]),
            Ty::Maybe if self.rng.chance(50) => Expr::Some(Box::new(self.expr(&Ty::Int))),
            ty => self.leaf(ty),
        }
    }

    fn int(&mut self) -> Expr {
        let pair = |this: &mut Self| (Box::new(this.expr(&Ty::Int)), Box::new(this.expr(&Ty::Int)));
        match self.rng.below(16) {
            0 | 1 => {
                let (left, right) = pair(self);
                Expr::Binary(Op::BitXor, left, right)
            }
            2 => {
                let (left, right) = pair(self);
                Expr::Binary(Op::BitAnd, left, right)
            }
            3 => Expr::Call(Func::Add, vec![self.expr(&Ty::Int), self.expr(&Ty::Int)]),
            4 | 5 if !self.guarded => self.call_note(),
            6 | 7 => {
                let (ty, method) =
                    if self.rng.chance(50) { (Ty::Int, Method::Plus) } else { (Ty::Maybe, Method::Or) };
                let receiver = self.expr(&ty);
                let before = self.frozen.len();
                self.frozen.extend(root(&receiver).map(|var| (var, Freeze::Shared)));
                let arg = self.expr(&Ty::Int);
                self.frozen.truncate(before);
                Expr::Method(Box::new(receiver), method, vec![arg])
            }
            8 => {
                let ty = if self.rng.chance(50) { Ty::Text } else { Ty::List };
                self.viewed(&ty, Method::Size, &[])
            }
            9 => self.viewed(&Ty::List, Method::Nth, &[Ty::Int]),
            10 | 11 if !self.guarded => Expr::Try(Box::new(self.await_of(Activity::Check))),
            12 => {
                let array = Box::new(self.expr(&Ty::Array));
                Expr::Index(array, self.rng.below(3))
            }
            13 => Expr::Field(Box::new(self.expr(&Ty::Pair)), 0),
            _ => self.leaf(&Ty::Int),
        }
    }

    fn flag(&mut self) -> Expr {
        match self.rng.below(10) {
            0 | 1 => {
                let op = if self.rng.chance(50) { Op::Less } else { Op::Equal };
                let left = self.expr(&Ty::Int);
                let before = self.frozen.len();
                self.frozen.extend(root(&left).map(|var| (var, Freeze::Shared)));
                let right = self.expr(&Ty::Int);
                self.frozen.truncate(before);
                Expr::Binary(op, Box::new(left), Box::new(right))
            }
            2 | 3 => {
                let op = if self.rng.chance(50) { Op::And } else { Op::Or };
                Expr::Binary(op, Box::new(self.expr(&Ty::Bool)), Box::new(self.expr(&Ty::Bool)))
            }
            4 => Expr::Not(Box::new(self.expr(&Ty::Bool))),
            5 | 6 => {
                let places = self.places(&Ty::Maybe, false);
                let place = if places.is_empty() { self.leaf(&Ty::Maybe) } else { self.rng.pick(&places).0 };
                let place = Box::new(place);
                self.scoped(|this| {
                    let var = this.declare(Ty::Int, false);
                    let item = Pat::Bind(var);
                    let guard = Expr::Binary(Op::Less, Box::new(Expr::Int(1)), Box::new(Expr::Var(var)));
                    Expr::Matches(place, Pat::Some(Box::new(item)), Some(Box::new(guard)))
                })
            }
            _ => self.leaf(&Ty::Bool),
        }
    }

    pub(super) fn call_note(&mut self) -> Expr {
        Expr::Call(Func::Note, vec![self.expr(&Ty::Int)])
    }

    /// A method that borrows a place, or a value of its own.
    fn viewed(&mut self, ty: &Ty, method: Method, args: &[Ty]) -> Expr {
        let places = self.places(ty, false);
        let before = self.frozen.len();
        let receiver = if places.is_empty() || self.rng.chance(20) {
            self.expr(ty)
        } else {
            let (place, root) = self.rng.pick(&places);
            self.frozen.push((root, Freeze::Shared));
            place
        };
        let args = args.iter().map(|ty| self.expr(ty)).collect();
        self.frozen.truncate(before);
        Expr::Method(Box::new(receiver), method, args)
    }

    fn format(&mut self) -> Expr {
        let vars: Vec<Var> = self
            .visible()
            .into_iter()
            .filter(|var| {
                let ty = match &self.vars[*var].ty {
                    Ty::Ref(inner) => inner,
                    ty => ty,
                };
                matches!(ty, Ty::Int | Ty::Bool | Ty::Text | Ty::Count)
            })
            .collect();
        if vars.is_empty() {
            return self.leaf(&Ty::Text);
        }
        let count = 1 + self.rng.below(2);
        Expr::Format((0..count).map(|_| self.rng.pick(&vars)).collect())
    }

    fn order(&mut self) -> Expr {
        let types = [Ty::Int, Ty::Text, Ty::List, Ty::Pair];
        let mut fields: Vec<usize> = vec![0, 1, 2, 3];
        let first = self.rng.below(4);
        fields.rotate_left(first);
        let rest = self.rng.chance(40);
        if rest {
            fields.truncate(1 + self.rng.below(2));
        }
        let fields = fields.into_iter().map(|index| (index, self.expr(&types[index]))).collect();
        let rest = rest.then(|| Box::new(self.expr(&Ty::Order)));
        Expr::Order(fields, rest)
    }

    /// An operation that is awaited, with arguments of any kind.
    pub(super) fn await_of(&mut self, activity: Activity) -> Expr {
        if self.guarded {
            return self.leaf(&Ty::Int);
        }
        let before = self.frozen.len();
        let count = [0, 1, 1, 2, 2, 3][self.rng.below(6)];
        let mut args = Vec::new();
        for _ in 0..count {
            let ty = self.any_type();
            let places = self.places(&ty, false);
            if self.rng.chance(30) && !places.is_empty() {
                let (place, root) = self.rng.pick(&places);
                self.frozen.push((root, Freeze::Shared));
                args.push(Expr::Ref(false, Box::new(place)));
                continue;
            }
            args.push(self.expr(&ty));
        }
        self.frozen.truncate(before);
        Expr::Await(activity, args)
    }

    // ---- leaves

    /// Something small: a place, or a constant.
    pub(super) fn leaf(&mut self, ty: &Ty) -> Expr {
        let places = self.places(ty, false);
        if !places.is_empty() && self.rng.chance(75) {
            let (place, root) = self.rng.pick(&places);
            if ty.is_copy() {
                return place;
            }
            let whole = matches!(place, Expr::Var(_));
            if whole && self.may_move(root) && self.rng.chance(30) {
                self.absent[root] = true;
                return place;
            }
            // `r.clone()` of a reference is the value.
            let place = match place {
                Expr::Deref(inner) => *inner,
                place => place,
            };
            return Expr::Method(Box::new(place), Method::Clone, Vec::new());
        }
        let number = self.rng.below(4) as i64;
        match ty {
            Ty::Int => Expr::Int(number),
            Ty::Bool => Expr::Bool(number > 1),
            Ty::Text => Expr::Text(number as u8),
            Ty::List => Expr::List(vec![Expr::Int(number)]),
            Ty::Array => Expr::Array((0..3).map(Expr::Int).collect()),
            Ty::Order => Expr::Order(
                vec![
                    (0, Expr::Int(number)),
                    (1, Expr::Text(1)),
                    (2, Expr::List(vec![Expr::Int(1), Expr::Int(number)])),
                    (3, Expr::Tuple(vec![Expr::Int(0), Expr::Text(2)])),
                ],
                None,
            ),
            Ty::Pair => Expr::Tuple(vec![Expr::Int(number), Expr::Text(3)]),
            Ty::Maybe if number == 0 => Expr::None,
            Ty::Maybe => Expr::Some(Box::new(Expr::Int(number))),
            Ty::Check if self.guarded => Expr::Ok(Box::new(Expr::Int(number))),
            Ty::Check => self.await_of(Activity::Check),
            Ty::Unit | Ty::Count | Ty::Ref(_) | Ty::RefMut(_) => Expr::Unit,
        }
    }

    // ---- control with a value

    pub(super) fn control(&mut self, ty: &Ty) -> Expr {
        match self.rng.below(10) {
            0..=2 => self.if_of(ty),
            3..=6 => self.match_of(ty),
            7 => self.loop_of(ty),
            8 => self.labelled_block(ty),
            _ => Expr::Block(None, self.block_of(ty)),
        }
    }

    fn if_of(&mut self, ty: &Ty) -> Expr {
        let (cond, then) = self.scoped(|this| {
            let cond = this.cond();
            (cond, this.block_of(ty))
        });
        let other = match self.rng.below(4) {
            0 if *ty == Ty::Unit => None,
            0 => Some(Expr::Block(None, self.diverging())),
            1 => Some(self.if_of(ty)),
            _ => Some(Expr::Block(None, self.block_of(ty))),
        };
        Expr::If(cond, then, other.map(Box::new))
    }

    fn match_of(&mut self, ty: &Ty) -> Expr {
        let mut arms = Vec::new();
        let scrutinee = match self.rng.below(6) {
            0 => {
                let value = self.expr(&Ty::Int);
                arms.push(self.arm(|_| Pat::Or(vec![Pat::Int(0), Pat::Range(2, 9)]), 30, ty));
                arms.push(self.arm(|this| this.bind_new(Ty::Int), 50, ty));
                arms.push(self.arm(|_| Pat::Wild, 0, ty));
                value
            }
            1 => {
                let value = self.await_of(Activity::Check);
                arms.push(self.arm(|this| Pat::Ok(Box::new(this.bind_new(Ty::Int))), 30, ty));
                arms.push(self.arm(|this| Pat::Err(Box::new(this.bind_new(Ty::Text))), 30, ty));
                arms.push(self.arm(|_| Pat::Wild, 0, ty));
                value
            }
            2 => {
                let value = self.expr(&Ty::Maybe);
                arms.push(self.arm(|this| Pat::Some(Box::new(this.bind_new(Ty::Int))), 40, ty));
                let range = Box::new(Pat::Range(0, 2));
                arms.push(self.arm(|this| Pat::Some(Box::new(this.at(Ty::Int, range))), 0, ty));
                arms.push(self.arm(|_| Pat::None, 20, ty));
                arms.push(self.arm(|_| Pat::Wild, 0, ty));
                value
            }
            3 => {
                let value = self.expr(&Ty::Pair);
                arms.push(self.arm(Self::either_pair, 30, ty));
                arms.push(self.arm(|this| this.bind_new(Ty::Pair), 0, ty));
                value
            }
            4 => return self.match_bool(ty),
            _ => return self.match_borrowed(ty),
        };
        Expr::Match(Box::new(scrutinee), arms)
    }

    fn match_bool(&mut self, ty: &Ty) -> Expr {
        let value = Box::new(self.expr(&Ty::Bool));
        let yes = self.arm(|_| Pat::Bool(true), 0, ty);
        let no = self.arm(|_| Pat::Bool(false), 0, ty);
        Expr::Match(value, vec![yes, no])
    }

    fn at(&mut self, ty: Ty, inner: Box<Pat>) -> Pat {
        Pat::At(self.declare(ty, false), inner)
    }

    /// `(0, x) | (1, x)`
    fn either_pair(&mut self) -> Pat {
        let text = self.declare(Ty::Text, false);
        let case = |number| Pat::Tuple(vec![Pat::Int(number), Pat::Bind(text)]);
        Pat::Or(vec![case(0), case(1)])
    }

    /// A `match` on `&order`, whose bindings are references.
    fn match_borrowed(&mut self, ty: &Ty) -> Expr {
        let places = self.places(&Ty::Order, false);
        let before = self.frozen.len();
        let by_name = self.rng.chance(30);
        let value = if places.is_empty() {
            Expr::Ref(false, Box::new(self.await_of(Activity::Order)))
        } else {
            let (place, root) = self.rng.pick(&places);
            self.frozen.push((root, Freeze::Shared));
            if by_name && matches!(place, Expr::Var(_)) { place } else { Expr::Ref(false, Box::new(place)) }
        };
        let by_ref = !matches!(value, Expr::Ref(..));
        let first = self.arm(|this| this.order_case(by_ref), 40, ty);
        let second = self.arm(|this| this.order_case(by_ref), 40, ty);
        let last = self.arm(|_| Pat::Wild, 0, ty);
        self.frozen.truncate(before);
        Expr::Match(Box::new(value), vec![first, second, last])
    }

    fn order_case(&mut self, by_ref: bool) -> Pat {
        let text = self.declare(Ty::Ref(Box::new(Ty::Text)), false);
        let text = if by_ref { Pat::ByRef(text) } else { Pat::Bind(text) };
        let number = if self.rng.chance(50) { Pat::Range(0, 1) } else { Pat::Wild };
        Pat::Order(vec![(0, number), (1, text)])
    }

    /// A pattern that takes an order apart, or references into one.
    pub(super) fn order_pattern(&mut self, borrowed: bool) -> Pat {
        let types = [Ty::Int, Ty::Text, Ty::List, Ty::Pair];
        let mut fields = Vec::new();
        for (index, ty) in types.into_iter().enumerate() {
            if self.rng.chance(45) {
                let pat = if borrowed {
                    Pat::Bind(self.declare(Ty::Ref(Box::new(ty)), false))
                } else {
                    self.bind_new(ty)
                };
                fields.push((index, pat));
            }
        }
        distinct(&mut fields, self);
        Pat::Order(fields)
    }
}

/// Bindings of one pattern have names of their own.
fn distinct(fields: &mut Vec<(usize, Pat)>, generator: &mut Generator) {
    let mut seen: Vec<&str> = Vec::new();
    fields.retain(|(_, pat)| {
        let Pat::Bind(var) = pat else { return true };
        let name = generator.vars[*var].name;
        let fresh = !seen.contains(&name);
        if fresh {
            seen.push(name);
        } else {
            generator.scope.retain(|other| other != var);
        }
        fresh
    });
}

/// The variable that a place lies in.
fn root(place: &Expr) -> Option<Var> {
    match place {
        Expr::Var(var) => Some(*var),
        Expr::Field(base, _) | Expr::Index(base, _) | Expr::Deref(base) => root(base),
        _ => None,
    }
}

fn fields(base: &Expr, of: &Ty, wanted: &Ty, root: Var, found: &mut Vec<(Expr, Var)>) {
    let types: &[Ty] = match of {
        Ty::Order => &[Ty::Int, Ty::Text, Ty::List, Ty::Pair],
        Ty::Pair => &[Ty::Int, Ty::Text],
        Ty::Array if *wanted == Ty::Int => {
            found.push((Expr::Index(Box::new(base.clone()), 1), root));
            return;
        }
        _ => return,
    };
    for (index, ty) in types.iter().enumerate() {
        let field = Expr::Field(Box::new(base.clone()), index);
        if *ty == Ty::Pair {
            fields(&field, ty, wanted, root, found);
        }
        if ty == wanted {
            found.push((field, root));
        }
    }
}

fn activity_of(ty: &Ty) -> Option<Activity> {
    Some(match ty {
        Ty::Int => Activity::Num,
        Ty::Bool => Activity::Flag,
        Ty::Text => Activity::Text,
        Ty::List => Activity::List,
        Ty::Order => Activity::Order,
        Ty::Pair => Activity::Pair,
        Ty::Maybe => Activity::Maybe,
        Ty::Check => Activity::Check,
        _ => return None,
    })
}
