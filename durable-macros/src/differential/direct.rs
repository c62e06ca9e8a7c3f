//! What a program means: its tree, evaluated as Rust evaluates it. Knows nothing of the compiler.

use super::program::{
    Block, Cond, Expr, Func, Iterated, Label, Method, Op, Pat, Program, Stmt, Test, Ty, Var,
};
use super::value::{Checked, Memory, Place, Tag, Value, World};
use std::collections::VecDeque;

/// Runs a program to its end.
pub(super) fn run(program: &Program, args: Vec<Value>, world: &mut World) -> Checked<Value> {
    let mut run = Direct { memory: Memory::new(program.vars.len()), world };
    match run.start(program, args).and_then(|()| run.block(&program.body)) {
        Ok(value) | Err(Leave::Return(value)) => Ok(value),
        Err(Leave::Complaint(complaint)) => Err(complaint),
        Err(Leave::Break(..) | Leave::Continue(_)) => Err("a jump out of the program".to_owned()),
    }
}

/// Why an expression gives no value.
enum Leave {
    Break(Option<Label>, Value),
    Continue(Option<Label>),
    Return(Value),
    Complaint(String),
}

impl From<String> for Leave {
    fn from(complaint: String) -> Self {
        Leave::Complaint(complaint)
    }
}

type Step<T> = Result<T, Leave>;

fn wrong(what: &str, value: &Value) -> Leave {
    Leave::Complaint(format!("{value:?} is no {what}"))
}

struct Direct<'w> {
    memory: Memory,
    world: &'w mut World,
}

impl Direct<'_> {
    fn start(&mut self, program: &Program, args: Vec<Value>) -> Step<()> {
        for (pat, value) in program.params.iter().zip(args) {
            // The arguments of reference parameters live in slots of their own.
            let place = self.temporary(value);
            let by_ref = pat.ty(program).is_some_and(|ty| matches!(ty, Ty::Ref(_)));
            let place = if by_ref { self.temporary(Value::Ref(place)) } else { place };
            self.bind(pat, &place, false)?;
        }
        Ok(())
    }

    /// A value in a slot of its own.
    fn temporary(&mut self, value: Value) -> Place {
        self.memory.slots.push(value);
        Place::slot(self.memory.slots.len() - 1)
    }

    fn block(&mut self, block: &Block) -> Step<Value> {
        for stmt in &block.stmts {
            match stmt {
                Stmt::Deferred(var) => self.memory.slots[*var] = Value::Nothing,
                Stmt::Expr(expr) => {
                    self.value(expr)?;
                }
                Stmt::Let { pat, init, otherwise, .. } => {
                    let place = self.scrutinee(init)?;
                    if !self.matches(pat, &place)? {
                        if let Some(otherwise) = otherwise {
                            self.block(otherwise)?;
                        }
                        return Err("a `let` does not match".to_owned().into());
                    }
                    self.bind(pat, &place, false)?;
                }
            }
        }
        block.tail.as_ref().map_or(Ok(Value::Unit), |tail| self.value(tail))
    }

    // ---- places

    /// The place that an expression names, or a temporary with its value.
    fn place(&mut self, expr: &Expr) -> Step<Place> {
        Ok(match expr {
            Expr::Var(var) => Place::slot(*var),
            Expr::Deref(inner) => {
                let place = self.place(inner)?;
                match self.memory.look(&place)? {
                    Value::Ref(target) => target.clone(),
                    other => return Err(wrong("reference", other)),
                }
            }
            Expr::Field(base, index) | Expr::Index(base, index) => {
                let base = self.place(base)?;
                self.memory.follow(base)?.child(*index)
            }
            value => {
                let value = self.value(value)?;
                self.temporary(value)
            }
        })
    }

    /// What a pattern is matched against.
    fn scrutinee(&mut self, expr: &Expr) -> Step<Place> {
        self.place(expr)
    }

    // ---- patterns

    fn matches(&self, pat: &Pat, place: &Place) -> Step<bool> {
        if let Pat::Wild | Pat::Bind(_) | Pat::ByRef(_) = pat {
            return Ok(true);
        }
        if let Pat::Or(cases) = pat {
            for case in cases {
                if self.matches(case, place)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        let place = self.memory.follow(place.clone())?;
        Ok(match (pat, self.memory.peek(&place)?) {
            (Pat::At(_, inner), _) => self.matches(inner, &place)?,
            (Pat::Int(number), Value::Int(value)) => number == value,
            (Pat::Range(from, to), Value::Int(value)) => (from..=to).contains(&value),
            (Pat::Bool(flag), Value::Bool(value)) => flag == value,
            (Pat::None, Value::Variant(tag, _)) => *tag == Tag::None,
            (Pat::Some(inner), Value::Variant(tag, _)) => self.variant(*tag, Tag::Some, inner, &place)?,
            (Pat::Ok(inner), Value::Variant(tag, _)) => self.variant(*tag, Tag::Ok, inner, &place)?,
            (Pat::Err(inner), Value::Variant(tag, _)) => self.variant(*tag, Tag::Err, inner, &place)?,
            (Pat::Tuple(parts), Value::Tuple(_)) => {
                for (at, part) in parts.iter().enumerate() {
                    if !self.matches(part, &place.child(at))? {
                        return Ok(false);
                    }
                }
                true
            }
            (Pat::Order(fields), Value::Variant(Tag::Order, _)) => {
                for (at, part) in fields {
                    if !self.matches(part, &place.child(*at))? {
                        return Ok(false);
                    }
                }
                true
            }
            (_, value) => return Err(wrong("value of the pattern", value)),
        })
    }

    fn variant(&self, tag: Tag, wanted: Tag, inner: &Pat, place: &Place) -> Step<bool> {
        Ok(tag == wanted && self.matches(inner, &place.child(0))?)
    }

    /// Sets what a pattern that matches binds.
    fn bind(&mut self, pat: &Pat, place: &Place, by_ref: bool) -> Step<()> {
        let behind = matches!(self.memory.peek(place)?, Value::Ref(_));
        match pat {
            Pat::Wild => {}
            Pat::Bind(var) if by_ref => self.memory.slots[*var] = Value::Ref(place.clone()),
            Pat::Bind(var) => self.memory.slots[*var] = self.memory.read(place)?,
            Pat::ByRef(var) => self.memory.slots[*var] = Value::Ref(place.clone()),
            Pat::Or(cases) => {
                for case in cases {
                    if self.matches(case, place)? {
                        return self.bind(case, place, by_ref);
                    }
                }
            }
            pat if behind => {
                let place = self.memory.follow(place.clone())?;
                self.bind(pat, &place, true)?;
            }
            Pat::At(var, inner) => {
                self.bind(&Pat::Bind(*var), place, by_ref)?;
                self.bind(inner, place, by_ref)?;
            }
            Pat::Some(inner) | Pat::Ok(inner) | Pat::Err(inner) => {
                self.bind(inner, &place.child(0), by_ref)?;
            }
            Pat::Tuple(parts) => {
                for (at, part) in parts.iter().enumerate() {
                    self.bind(part, &place.child(at), by_ref)?;
                }
            }
            Pat::Order(fields) => {
                for (at, part) in fields {
                    self.bind(part, &place.child(*at), by_ref)?;
                }
            }
            Pat::None | Pat::Int(_) | Pat::Range(..) | Pat::Bool(_) => {}
        }
        Ok(())
    }

    /// A guard sees the bindings before anything is moved into them.
    fn guard(&mut self, pat: &Pat, place: &Place, guard: &Expr) -> Step<bool> {
        let before = self.memory.slots[place.slot].clone();
        self.bind(pat, place, false)?;
        let holds = self.flag(guard)?;
        self.memory.slots[place.slot] = before;
        Ok(holds)
    }

    fn cond(&mut self, cond: &Cond) -> Step<bool> {
        for test in cond {
            let holds = match test {
                Test::Is(expr) => self.flag(expr)?,
                Test::Let(pat, expr) => {
                    let place = self.scrutinee(expr)?;
                    let holds = self.matches(pat, &place)?;
                    if holds {
                        self.bind(pat, &place, false)?;
                    }
                    holds
                }
            };
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }

    // ---- values

    fn values(&mut self, exprs: &[Expr]) -> Step<Vec<Value>> {
        exprs.iter().map(|expr| self.value(expr)).collect()
    }

    fn int(&mut self, expr: &Expr) -> Step<i64> {
        match self.value(expr)? {
            Value::Int(number) => Ok(number),
            other => Err(wrong("number", &other)),
        }
    }

    fn flag(&mut self, expr: &Expr) -> Step<bool> {
        match self.value(expr)? {
            Value::Bool(flag) => Ok(flag),
            other => Err(wrong("bool", &other)),
        }
    }

    fn value(&mut self, expr: &Expr) -> Step<Value> {
        Ok(match expr {
            Expr::Unit => Value::Unit,
            Expr::Int(number) => Value::Int(*number),
            Expr::Bool(flag) => Value::Bool(*flag),
            Expr::Text(number) => Value::Text(format!("t{number}")),
            Expr::Var(_) | Expr::Field(..) | Expr::Index(..) | Expr::Deref(_) => {
                let place = self.place(expr)?;
                self.memory.read(&place)?
            }
            Expr::Ref(_, inner) => Value::Ref(self.place(inner)?),
            Expr::Not(inner) => Value::Bool(!self.flag(inner)?),
            Expr::Binary(op, left, right) => self.binary(*op, left, right)?,
            Expr::Call(func, args) => {
                let args = self.values(args)?;
                self.call(*func, &args)?
            }
            Expr::Method(receiver, method, args) => self.method(receiver, *method, args)?,
            Expr::Await(activity, args) => {
                let args = self.values(args)?;
                let args = self.memory.show_all(&args)?;
                let number = self.world.begin(*activity, &args)?;
                self.world.result(*activity, number)
            }
            Expr::Try(inner) => match self.value(inner)? {
                Value::Variant(Tag::Ok, mut parts) => parts.remove(0),
                error @ Value::Variant(Tag::Err, _) => return Err(Leave::Return(error)),
                other => return Err(wrong("result", &other)),
            },
            Expr::Tuple(parts) => Value::Tuple(self.values(parts)?),
            Expr::Array(parts) => Value::Array(self.values(parts)?),
            Expr::List(parts) => Value::List(self.values(parts)?),
            Expr::Order(fields, rest) => self.order(fields, rest.as_deref())?,
            Expr::Some(inner) => Value::some(self.value(inner)?),
            Expr::None => Value::none(),
            Expr::Ok(inner) => Value::Variant(Tag::Ok, vec![self.value(inner)?]),
            Expr::Err(inner) => Value::Variant(Tag::Err, vec![self.value(inner)?]),
            Expr::Format(vars) => {
                let words = vars.iter().map(|var| self.word(*var)).collect::<Step<Vec<String>>>()?;
                World::text(words.join(" "))?
            }
            Expr::Matches(value, pat, guard) => {
                let place = self.scrutinee(value)?;
                let mut holds = self.matches(pat, &place)?;
                if let (true, Some(guard)) = (holds, guard) {
                    holds = self.guard(pat, &place, guard)?;
                }
                Value::Bool(holds)
            }
            Expr::Assign(place, value) => {
                let value = self.value(value)?;
                let place = self.place(place)?;
                self.memory.write(&place, value)?;
                Value::Unit
            }
            Expr::Destructure(vars, value) => {
                let Value::Tuple(parts) = self.value(value)? else {
                    return Err("no tuple to take apart".to_owned().into());
                };
                for (var, part) in vars.iter().zip(parts) {
                    self.memory.slots[*var] = part;
                }
                Value::Unit
            }
            Expr::Compound(place, value) => {
                let right = self.int(value)?;
                let left = self.int(place)?;
                let place = self.place(place)?;
                self.memory.write(&place, Value::Int(left ^ right))?;
                Value::Unit
            }
            control => self.control(control)?,
        })
    }

    fn word(&self, var: Var) -> Step<String> {
        let value = self.memory.behind(&self.memory.slots[var])?;
        Ok(match value {
            Value::Text(text) => text.clone(),
            value => self.memory.show(value)?,
        })
    }

    fn binary(&mut self, op: Op, left: &Expr, right: &Expr) -> Step<Value> {
        if let Op::And | Op::Or = op {
            let left = self.flag(left)?;
            return Ok(Value::Bool(if (op == Op::And) == left { self.flag(right)? } else { left }));
        }
        let left = self.int(left)?;
        let right = self.int(right)?;
        Ok(match op {
            Op::Less => Value::Bool(left < right),
            Op::Equal => Value::Bool(left == right),
            Op::BitAnd => Value::Int(left & right),
            _ => Value::Int(left ^ right),
        })
    }

    fn call(&mut self, func: Func, args: &[Value]) -> Step<Value> {
        if let Func::Note | Func::Tell = func {
            self.world.note(func.name(), &self.memory.show_all(args)?);
        }
        Ok(match (func, args) {
            (Func::Note | Func::Tell, [value]) => value.clone(),
            (Func::Add, [Value::Int(a), Value::Int(b)]) => Value::Int(a.wrapping_add(*b)),
            (Func::Join, [Value::Text(a), Value::Text(b)]) => World::text(format!("{a}{b}"))?,
            _ => return Err(format!("{func:?} of {args:?}").into()),
        })
    }

    fn method(&mut self, receiver: &Expr, method: Method, args: &[Expr]) -> Step<Value> {
        let place = if method.by_value() {
            let value = self.value(receiver)?;
            self.temporary(value)
        } else {
            let place = self.place(receiver)?;
            self.memory.follow(place)?
        };
        let mut args = self.values(args)?;
        let arg = args.pop();
        let this = self.memory.look(&place)?;
        Ok(match (method, this, arg) {
            (Method::Plus, Value::Int(a), Some(Value::Int(b))) => Value::Int(a.wrapping_add(b)),
            (Method::Size, Value::Text(text), None) => Value::Int(text.len() as i64),
            (Method::Size, Value::List(items), None) => Value::Int(items.len() as i64),
            (Method::Nth, Value::List(items), Some(Value::Int(at))) => {
                usize::try_from(at).ok().and_then(|at| items.get(at)).cloned().unwrap_or(Value::Int(7))
            }
            (Method::Or, Value::Variant(Tag::Some, parts), Some(_)) => parts[0].clone(),
            (Method::Or, Value::Variant(Tag::None, _), Some(other)) => other,
            (Method::Clone, value, None) => value.clone(),
            (Method::Push, Value::List(_), Some(item)) => {
                if let Value::List(items) = self.memory.at_mut(&place)? {
                    items.push(item);
                }
                Value::Unit
            }
            (Method::Append, Value::Text(_), Some(Value::Text(more))) => {
                if let Value::Text(text) = self.memory.at_mut(&place)? {
                    text.push_str(&more);
                    World::text(text.clone())?;
                }
                Value::Unit
            }
            (method, value, _) => return Err(wrong(&format!("receiver of {method:?}"), value)),
        })
    }

    fn order(&mut self, fields: &[(usize, Expr)], rest: Option<&Expr>) -> Step<Value> {
        let mut parts = vec![Value::Nothing; 4];
        for (index, value) in fields {
            parts[*index] = self.value(value)?;
        }
        if let Some(rest) = rest {
            let place = self.place(rest)?;
            for (index, part) in parts.iter_mut().enumerate() {
                if !fields.iter().any(|(field, _)| *field == index) {
                    *part = self.memory.read(&place.child(index))?;
                }
            }
        }
        Ok(Value::Variant(Tag::Order, parts))
    }

    // ---- control

    fn control(&mut self, expr: &Expr) -> Step<Value> {
        match expr {
            Expr::If(cond, then, other) => {
                if self.cond(cond)? {
                    self.block(then)
                } else {
                    other.as_ref().map_or(Ok(Value::Unit), |other| self.value(other))
                }
            }
            Expr::Match(value, arms) => {
                let place = self.scrutinee(value)?;
                for arm in arms {
                    if !self.matches(&arm.pat, &place)? {
                        continue;
                    }
                    if let Some(guard) = &arm.guard
                        && !self.guard(&arm.pat, &place, guard)?
                    {
                        continue;
                    }
                    self.bind(&arm.pat, &place, false)?;
                    return self.value(&arm.body);
                }
                Err("no arm of a `match` matches".to_owned().into())
            }
            Expr::Block(label, block) => match self.block(block) {
                Err(Leave::Break(to, value)) if to.is_some() && to == *label => Ok(value),
                other => other,
            },
            Expr::Loop(label, body) => loop {
                self.world.burn()?;
                if let Some(value) = self.turn(*label, body)? {
                    return Ok(value);
                }
            },
            Expr::While(label, cond, body) => loop {
                self.world.burn()?;
                if !self.cond(cond)? {
                    return Ok(Value::Unit);
                }
                if self.turn(*label, body)?.is_some() {
                    return Ok(Value::Unit);
                }
            },
            Expr::For(label, pat, iterated, body) => {
                for item in self.items(iterated)? {
                    self.world.burn()?;
                    let place = self.temporary(item);
                    self.bind(pat, &place, false)?;
                    if self.turn(*label, body)?.is_some() {
                        break;
                    }
                }
                Ok(Value::Unit)
            }
            Expr::Break(label, value) => {
                let value = value.as_ref().map_or(Ok(Value::Unit), |value| self.value(value))?;
                Err(Leave::Break(*label, value))
            }
            Expr::Continue(label) => Err(Leave::Continue(*label)),
            Expr::Return(value) => Err(Leave::Return(self.value(value)?)),
            other => Err(format!("{other:?} directs no control").into()),
        }
    }

    /// One turn of a loop: what it was left with, if it was.
    fn turn(&mut self, label: Option<Label>, body: &Block) -> Step<Option<Value>> {
        let mine = |to: Option<Label>| to.is_none() || to == label;
        match self.block(body) {
            Ok(_) => Ok(None),
            Err(Leave::Continue(to)) if mine(to) => Ok(None),
            Err(Leave::Break(to, value)) if mine(to) => Ok(Some(value)),
            Err(other) => Err(other),
        }
    }

    fn items(&mut self, iterated: &Iterated) -> Step<VecDeque<Value>> {
        let references = |this: &mut Self, place: &Expr| -> Step<VecDeque<Value>> {
            let place = this.place(place)?;
            let place = this.memory.follow(place)?;
            let count = this.memory.look(&place)?.children().len();
            Ok((0..count).map(|at| Value::Ref(place.child(at))).collect())
        };
        Ok(match iterated {
            Iterated::Range(end) => (0..self.int(end)?).map(Value::Int).collect(),
            Iterated::Owned(value) => match self.value(value)? {
                Value::List(items) | Value::Array(items) => items.into(),
                other => return Err(wrong("list", &other)),
            },
            Iterated::Borrowed(place) | Iterated::BorrowedMut(place) | Iterated::Iter(place) => {
                references(self, place)?
            }
            Iterated::Rev(place) => references(self, place)?.into_iter().rev().collect(),
            Iterated::Skip(place) => references(self, place)?.into_iter().skip(1).collect(),
            Iterated::Enumerate(place) => references(self, place)?
                .into_iter()
                .enumerate()
                .map(|(at, item)| Value::Tuple(vec![Value::Int(at as i64), item]))
                .collect(),
        })
    }
}
