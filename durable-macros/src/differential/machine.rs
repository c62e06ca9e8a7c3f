//! Runs what the compiler emitted, with a snapshot and a restore wherever the pace says so.
//!
//! At a suspension the snapshot takes what the point saves and nothing else: the next run begins with every other slot erased,
//! dispatches to the point, loads, makes borrows again, and goes on. A snapshot that holds a borrow, or something that is not
//! there, and a load that does not read exactly what was saved, are complaints.

use super::code::{self, Binary, Code, Native, Shape};
use super::value::{Call, Checked, Memory, Place, Tag, Value, World};
use proc_macro2::TokenStream;
use std::collections::VecDeque;

/// A compiled program.
pub(super) struct Machine {
    code: Code,
    slots: usize,
}

/// The slots that are given to the emitted text.
const GIVEN: [&str; 4] = ["cx", "args", "resume", "__p"];
const ARGS: usize = 1;
const RESUME: usize = 2;

/// When an operation is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// At once: no suspension at all.
    Never,
    /// A suspension at every await.
    Always,
    /// A suspension or none, or several on end.
    Mixed(u64),
}

impl Pace {
    fn suspends(&mut self, begun: bool) -> bool {
        match self {
            Pace::Never => false,
            Pace::Always => !begun,
            Pace::Mixed(state) => {
                *state = super::value::mix(*state);
                *state % 5 < 2
            }
        }
    }
}

struct Snapshot {
    point: usize,
    values: VecDeque<Value>,
}

impl Machine {
    /// Reads the emitted body of a function.
    pub(super) fn new(body: &TokenStream) -> Checked<Self> {
        let block: syn::Block = syn::parse2(quote::quote!({ 'pending: { #body } }))
            .map_err(|error| format!("{error} in {body}"))?;
        let (code, slots) = code::read(&block, &GIVEN)?;
        Ok(Self { code, slots })
    }

    /// Runs to the end, restoring as often as it suspends.
    pub(super) fn run(&self, args: &[Value], mut pace: Pace, world: &mut World) -> Checked<Value> {
        let mut snapshot: Option<Snapshot> = None;
        loop {
            let mut run = Run {
                memory: Memory::new(self.slots),
                world,
                pace: &mut pace,
                loaded: VecDeque::new(),
                point: 0,
                awaited: Value::Nothing,
                kept: VecDeque::new(),
                saved: None,
            };
            run.memory.slots[RESUME] = Value::Int(snapshot.as_ref().map_or(0, |saved| saved.point as i64));
            run.memory.slots[ARGS] = Value::none();
            match snapshot.take() {
                Some(saved) => run.loaded = saved.values,
                None => run.memory.slots[ARGS] = Value::some(Value::Tuple(args.to_vec())),
            }
            match run.value(&self.code) {
                Err(Leave::Return(value)) => return Ok(value),
                Err(Leave::Complaint(complaint)) => return Err(complaint),
                // Behind the body it is suspended.
                Ok(_) | Err(Leave::Suspend) => {
                    let Some(saved) = run.saved.take() else {
                        return Err("it suspended without a save".to_owned());
                    };
                    snapshot = Some(saved);
                }
                Err(Leave::Break(..) | Leave::Continue(_)) => {
                    return Err("it came to its end without a result".to_owned());
                }
            }
        }
    }
}

/// Why a piece gives no value.
enum Leave {
    Break(usize, Value),
    Continue(usize),
    Return(Value),
    Suspend,
    Complaint(String),
}

impl From<String> for Leave {
    fn from(complaint: String) -> Self {
        Leave::Complaint(complaint)
    }
}

type Step<T> = Result<T, Leave>;

struct Run<'w> {
    memory: Memory,
    world: &'w mut World,
    pace: &'w mut Pace,
    loaded: VecDeque<Value>,
    /// Which point was polled last.
    point: i64,
    /// The future that was polled last, if it is pending.
    awaited: Value,
    kept: VecDeque<Value>,
    saved: Option<Snapshot>,
}

impl Run<'_> {
    fn temporary(&mut self, value: Value) -> Place {
        self.memory.slots.push(value);
        Place::slot(self.memory.slots.len() - 1)
    }

    // ---- places

    fn place(&mut self, code: &Code) -> Step<Place> {
        Ok(match code {
            Code::Slot(slot) => Place::slot(*slot),
            Code::Field(base, index) => {
                let base = self.place(base)?;
                self.memory.follow(base)?.child(*index)
            }
            Code::Index(base, index) => {
                let base = self.place(base)?;
                let index = self.int(index)?;
                self.memory.follow(base)?.child(index as usize)
            }
            Code::Deref(inner) => {
                let place = self.place(inner)?;
                match self.memory.look(&place)? {
                    Value::Ref(target) => target.clone(),
                    other => return Err(format!("{other:?} is no reference").into()),
                }
            }
            value => {
                let value = self.value(value)?;
                self.temporary(value)
            }
        })
    }

    /// The value that a place or its references lead to.
    fn target(&mut self, code: &Code) -> Step<Place> {
        let place = self.place(code)?;
        Ok(self.memory.follow(place)?)
    }

    // ---- patterns

    fn fits(&self, shape: &Shape, place: &Place) -> Step<bool> {
        match shape {
            Shape::Wild => return Ok(true),
            Shape::Bind { inner: None, .. } => return Ok(true),
            Shape::Bind { inner: Some(inner), .. } => return self.fits(inner, place),
            Shape::Or(cases) => {
                for case in cases {
                    if self.fits(case, place)? {
                        return Ok(true);
                    }
                }
                return Ok(false);
            }
            _ => {}
        }
        let place = self.memory.follow(place.clone())?;
        let parts: &mut dyn Iterator<Item = (usize, &Shape)> = match (shape, self.memory.peek(&place)?) {
            (Shape::Const(constant), value) => return Ok(constant == value),
            (Shape::Range(from, to), Value::Int(value)) => return Ok((from..=to).contains(&value)),
            (Shape::Tuple(parts), Value::Tuple(_)) => &mut parts.iter().enumerate(),
            (Shape::Variant(tag, parts), Value::Variant(other, _)) => {
                if tag != other {
                    return Ok(false);
                }
                &mut parts.iter().map(|(at, part)| (*at, part))
            }
            (_, value) => return Err(format!("{value:?} is matched by a pattern of another type").into()),
        };
        for (at, part) in parts {
            if !self.fits(part, &place.child(at))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn bind(&mut self, shape: &Shape, place: &Place, by_default: bool) -> Step<()> {
        match shape {
            Shape::Wild | Shape::Const(_) | Shape::Range(..) => {}
            Shape::Bind { slot, by_ref, inner } => {
                let value = if *by_ref || by_default {
                    Value::Ref(place.clone())
                } else {
                    self.memory.read(place)?
                };
                self.memory.slots[*slot] = value;
                if let Some(inner) = inner {
                    self.bind(inner, place, by_default)?;
                }
            }
            Shape::Or(cases) => {
                for case in cases {
                    if self.fits(case, place)? {
                        return self.bind(case, place, by_default);
                    }
                }
            }
            Shape::Tuple(_) | Shape::Variant(..) => {
                let by_default = by_default || matches!(self.memory.peek(place)?, Value::Ref(_));
                let place = self.memory.follow(place.clone())?;
                match shape {
                    Shape::Tuple(parts) => {
                        for (at, part) in parts.iter().enumerate() {
                            self.bind(part, &place.child(at), by_default)?;
                        }
                    }
                    Shape::Variant(_, parts) => {
                        for (at, part) in parts {
                            self.bind(part, &place.child(*at), by_default)?;
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// A guard sees the bindings before anything is moved into them.
    fn guard(&mut self, shape: &Shape, place: &Place, guard: &Code) -> Step<bool> {
        let before = self.memory.slots[place.slot].clone();
        self.bind(shape, place, false)?;
        let holds = self.flag(guard)?;
        self.memory.slots[place.slot] = before;
        Ok(holds)
    }

    fn test(&mut self, shape: &Shape, value: &Code) -> Step<bool> {
        let place = self.place(value)?;
        let holds = self.fits(shape, &place)?;
        if holds {
            self.bind(shape, &place, false)?;
        }
        Ok(holds)
    }

    // ---- values

    fn values(&mut self, codes: &[Code]) -> Step<Vec<Value>> {
        codes.iter().map(|code| self.value(code)).collect()
    }

    fn int(&mut self, code: &Code) -> Step<i64> {
        match self.value(code)? {
            Value::Int(number) => Ok(number),
            other => Err(format!("{other:?} is no number").into()),
        }
    }

    fn flag(&mut self, code: &Code) -> Step<bool> {
        match self.value(code)? {
            Value::Bool(flag) => Ok(flag),
            other => Err(format!("{other:?} is no bool").into()),
        }
    }

    fn value(&mut self, code: &Code) -> Step<Value> {
        Ok(match code {
            Code::Const(value) => value.clone(),
            Code::Slot(_) | Code::Field(..) | Code::Index(..) | Code::Deref(_) => {
                let place = self.place(code)?;
                self.memory.read(&place)?
            }
            Code::Ref(inner) => Value::Ref(self.place(inner)?),
            Code::Not(inner) => Value::Bool(!self.flag(inner)?),
            Code::Binary(op, left, right) => {
                let left = self.int(left)?;
                let right = self.int(right)?;
                binary(*op, left, right)
            }
            Code::Lazy(and, left, right) => {
                let left = self.flag(left)?;
                Value::Bool(if left == *and { self.flag(right)? } else { left })
            }
            Code::Call(native, args) => {
                let args = self.values(args)?;
                self.native(*native, args)?
            }
            Code::Method(receiver, native, args) => self.method(receiver, *native, args)?,
            Code::Activity(activity, args) => {
                let args = self.values(args)?;
                let args = self.memory.show_all(&args)?;
                Value::Future(Box::new(Call { activity: *activity, args, number: None }))
            }
            Code::Try(inner) => match self.value(inner)? {
                Value::Variant(Tag::Ok, mut parts) => parts.remove(0),
                error => return Err(Leave::Return(error)),
            },
            Code::Tuple(parts) => Value::Tuple(self.values(parts)?),
            Code::Array(parts) => Value::Array(self.values(parts)?),
            Code::Variant(tag, parts) => Value::Variant(*tag, self.values(parts)?),
            Code::Order(fields, rest) => self.order(fields, rest.as_deref())?,
            Code::Format(words) => {
                let mut text = Vec::new();
                for word in words {
                    let place = self.target(word)?;
                    text.push(match self.memory.look(&place)? {
                        Value::Text(text) => text.clone(),
                        value => self.memory.show(value)?,
                    });
                }
                World::text(text.join(" "))?
            }
            Code::Matches(value, shape, guard) => {
                let place = self.place(value)?;
                let holds = self.fits(shape, &place)?;
                Value::Bool(match guard {
                    Some(guard) if holds => self.guard(shape, &place, guard)?,
                    _ => holds,
                })
            }
            Code::Test(shape, value) => Value::Bool(self.test(shape, value)?),
            Code::Load => self.load()?,
            Code::Poll(future, point) => {
                self.point = self.int(point)?;
                self.poll(future)?
            }
            Code::Keep(vars) => self.keep(vars)?,
            Code::Save => self.save(self.point as usize),
            Code::Point => Value::Int(self.point),
            Code::Suspend => return Err(Leave::Suspend),
            Code::Unreachable => return Err("it came to what is unreachable".to_owned().into()),
            effect => self.effect(effect)?,
        })
    }

    fn native(&mut self, native: Native, mut args: Vec<Value>) -> Step<Value> {
        if let Native::Note | Native::Tell = native {
            let name = if native == Native::Note { "note" } else { "tell" };
            let shown = self.memory.show_all(&args)?;
            self.world.note(name, &shown);
        }
        Ok(match (native, args.as_mut_slice()) {
            (Native::From, [Value::Array(items)]) => Value::List(std::mem::take(items)),
            (Native::From, [Value::Text(text)]) => Value::Text(std::mem::take(text)),
            (Native::Same | Native::Note | Native::Tell, [value]) => value.clone(),
            (Native::Add, [Value::Int(a), Value::Int(b)]) => Value::Int(a.wrapping_add(*b)),
            (Native::Join, [Value::Text(a), Value::Text(b)]) => World::text(format!("{a}{b}"))?,
            (Native::Range, [Value::Int(from), Value::Int(to)]) => {
                Value::Items((*from..*to).map(Value::Int).collect())
            }
            (Native::Ordered | Native::IntoSteps, [value]) => Value::Items(self.items(value.clone())?),
            (Native::OrderedAt, [value, Value::Int(count)]) => {
                let before = usize::try_from(*count).unwrap_or(0).saturating_sub(1);
                Value::Items(self.items(value.clone())?.into_iter().skip(before).collect())
            }
            (Native::Next, [Value::Ref(place)]) => match self.memory.at_mut(place)? {
                Value::Items(items) => items.pop_front().map_or_else(Value::none, Value::some),
                other => return Err(format!("{other:?} is no iterator").into()),
            },
            (Native::Take, [Value::Ref(place)]) => {
                std::mem::replace(self.memory.at_mut(place)?, Value::none())
            }
            (native, args) => return Err(format!("{native:?} of {args:?}").into()),
        })
    }

    /// What `into_iter` gives.
    fn items(&self, value: Value) -> Step<VecDeque<Value>> {
        Ok(match value {
            Value::Items(items) => items,
            Value::List(items) | Value::Array(items) => items.into(),
            Value::Ref(place) => {
                let place = self.memory.follow(place)?;
                let count = self.memory.look(&place)?.children().len();
                (0..count).map(|at| Value::Ref(place.child(at))).collect()
            }
            other => return Err(format!("{other:?} can't be iterated").into()),
        })
    }

    fn method(&mut self, receiver: &Code, native: Native, args: &[Code]) -> Step<Value> {
        let by_value =
            matches!(native, Native::Plus | Native::Or | Native::Rev | Native::Enumerate | Native::Skip);
        let place = if by_value {
            let value = self.value(receiver)?;
            self.temporary(value)
        } else {
            self.target(receiver)?
        };
        let arg = self.values(args)?.pop();
        let this = self.memory.look(&place)?;
        Ok(match (native, this, arg) {
            (Native::Plus, Value::Int(a), Some(Value::Int(b))) => Value::Int(a.wrapping_add(b)),
            (Native::Size, Value::Text(text), None) => Value::Int(text.len() as i64),
            (Native::Size, Value::List(items), None) => Value::Int(items.len() as i64),
            (Native::Nth, Value::List(items), Some(Value::Int(at))) => {
                usize::try_from(at).ok().and_then(|at| items.get(at)).cloned().unwrap_or(Value::Int(7))
            }
            (Native::Or, Value::Variant(Tag::Some, parts), Some(_)) => parts[0].clone(),
            (Native::Or, Value::Variant(Tag::None, _), Some(other)) => other,
            (Native::Clone, value, None) => value.clone(),
            (Native::Iter, _, None) => Value::Items(self.items(Value::Ref(place))?),
            (Native::Rev, Value::Items(items), None) => Value::Items(items.iter().rev().cloned().collect()),
            (Native::Skip, Value::Items(items), Some(Value::Int(count))) => {
                Value::Items(items.iter().skip(count as usize).cloned().collect())
            }
            (Native::Enumerate, Value::Items(items), None) => {
                let numbered = items.iter().cloned().enumerate();
                Value::Items(
                    numbered.map(|(at, item)| Value::Tuple(vec![Value::Int(at as i64), item])).collect(),
                )
            }
            (Native::Push, Value::List(_), Some(item)) => {
                if let Value::List(items) = self.memory.at_mut(&place)? {
                    items.push(item);
                }
                Value::Unit
            }
            (Native::Append, Value::Text(_), Some(Value::Text(more))) => {
                if let Value::Text(text) = self.memory.at_mut(&place)? {
                    text.push_str(&more);
                    World::text(text.clone())?;
                }
                Value::Unit
            }
            (native, value, arg) => {
                return Err(format!("{native:?} of {value:?} with {arg:?}").into());
            }
        })
    }

    fn order(&mut self, fields: &[(usize, Code)], rest: Option<&Code>) -> Step<Value> {
        let mut parts = vec![Value::Nothing; 4];
        for (index, value) in fields {
            parts[*index] = self.value(value)?;
        }
        if let Some(rest) = rest {
            let place = self.target(rest)?;
            for (index, part) in parts.iter_mut().enumerate() {
                if !fields.iter().any(|(field, _)| *field == index) {
                    *part = self.memory.read(&place.child(index))?;
                }
            }
        }
        Ok(Value::Variant(Tag::Order, parts))
    }

    // ---- the engine's side

    fn poll(&mut self, future: &Code) -> Step<Value> {
        let future = match self.value(future)? {
            Value::Variant(Tag::Some, mut given) => given.pop(),
            _ => self.loaded.pop_front(),
        };
        if !self.loaded.is_empty() {
            return Err(format!("{} loaded values were not read", self.loaded.len()).into());
        }
        let Some(Value::Future(call)) = future else {
            return Err("what is polled is no operation".to_owned().into());
        };
        let mut call = *call;
        let begun = call.number.is_some();
        let number = match call.number {
            Some(number) => number,
            None => self.world.begin(call.activity, &call.args)?,
        };
        call.number = Some(number);
        let result = self.world.result(call.activity, number);
        if self.pace.suspends(begun) {
            self.awaited = Value::Future(Box::new(call));
            return Ok(Value::Variant(Tag::Pending, Vec::new()));
        }
        Ok(Value::Variant(Tag::Ready, vec![result]))
    }

    /// The last variable first.
    fn keep(&mut self, vars: &[Code]) -> Step<Value> {
        for var in vars {
            let place = self.place(var)?;
            let value = self.memory.look(&place)?;
            if !value.is_owned() {
                return Err(format!("a borrow is saved: {value:?}").into());
            }
            self.kept.push_front(value.clone());
        }
        Ok(Value::Unit)
    }

    fn save(&mut self, point: usize) -> Value {
        let mut values = std::mem::take(&mut self.kept);
        values.push_back(std::mem::replace(&mut self.awaited, Value::Nothing));
        self.saved = Some(Snapshot { point, values });
        Value::Unit
    }

    fn load(&mut self) -> Step<Value> {
        match self.loaded.pop_front() {
            Some(value) => Ok(value),
            None => Err("more is loaded than was saved".to_owned().into()),
        }
    }

    // ---- statements and control

    fn effect(&mut self, code: &Code) -> Step<Value> {
        match code {
            Code::Declare(slot) => self.memory.slots[*slot] = Value::Nothing,
            Code::Let(shape, value, otherwise) => {
                if !self.test(shape, value)? {
                    if let Some(otherwise) = otherwise {
                        self.value(otherwise)?;
                    }
                    return Err("a `let` does not match".to_owned().into());
                }
            }
            Code::Assign(place, value) => {
                let value = self.value(value)?;
                let place = self.place(place)?;
                self.memory.write(&place, value)?;
            }
            Code::Spread(places, value) => {
                let Value::Tuple(parts) = self.value(value)? else {
                    return Err("no tuple to take apart".to_owned().into());
                };
                for (place, part) in places.iter().zip(parts) {
                    let place = self.place(place)?;
                    self.memory.write(&place, part)?;
                }
            }
            Code::Compound(op, place, value) => {
                let right = self.int(value)?;
                let left = self.int(place)?;
                let place = self.place(place)?;
                self.memory.write(&place, binary(*op, left, right))?;
            }
            control => return self.control(control),
        }
        Ok(Value::Unit)
    }

    fn control(&mut self, code: &Code) -> Step<Value> {
        match code {
            Code::Block { label, body, valued } => match self.block(body, *valued) {
                Err(Leave::Break(to, value)) if Some(to) == *label => Ok(value),
                other => other,
            },
            Code::If(test, then, other) => {
                if self.flag(test)? {
                    self.value(then)
                } else {
                    other.as_ref().map_or(Ok(Value::Unit), |other| self.value(other))
                }
            }
            Code::Match(value, arms) => {
                let place = self.place(value)?;
                for (shape, guard, body) in arms {
                    if !self.fits(shape, &place)? {
                        continue;
                    }
                    if let Some(guard) = guard
                        && !self.guard(shape, &place, guard)?
                    {
                        continue;
                    }
                    self.bind(shape, &place, false)?;
                    return self.value(body);
                }
                Err(format!("no arm matches {:?}", self.memory.peek(&place)).into())
            }
            Code::Loop(label, body) => loop {
                self.world.burn()?;
                if let Some(value) = self.turn(*label, body)? {
                    return Ok(value);
                }
            },
            Code::While(label, test, body) => {
                loop {
                    self.world.burn()?;
                    if !self.flag(test)? || self.turn(*label, body)?.is_some() {
                        break;
                    }
                }
                Ok(Value::Unit)
            }
            Code::For(label, shape, items, body) => {
                let items = self.value(items)?;
                for item in self.items(items)? {
                    self.world.burn()?;
                    let place = self.temporary(item);
                    self.bind(shape, &place, false)?;
                    if self.turn(*label, body)?.is_some() {
                        break;
                    }
                }
                Ok(Value::Unit)
            }
            Code::Break(label, value) => {
                let value = value.as_ref().map_or(Ok(Value::Unit), |value| self.value(value))?;
                Err(Leave::Break(*label, value))
            }
            Code::Continue(label) => Err(Leave::Continue(*label)),
            Code::Return(value) => {
                let value = value.as_ref().map_or(Ok(Value::Unit), |value| self.value(value))?;
                Err(Leave::Return(value))
            }
            _ => Err("a piece that the machine does not know".to_owned().into()),
        }
    }

    fn block(&mut self, body: &[Code], valued: bool) -> Step<Value> {
        let mut last = Value::Unit;
        for code in body {
            last = self.value(code)?;
        }
        Ok(if valued { last } else { Value::Unit })
    }

    /// One turn of a loop: what it was left with, if it was.
    fn turn(&mut self, label: usize, body: &Code) -> Step<Option<Value>> {
        match self.value(body) {
            Ok(_) => Ok(None),
            Err(Leave::Continue(to)) if to == label => Ok(None),
            Err(Leave::Break(to, value)) if to == label => Ok(Some(value)),
            Err(other) => Err(other),
        }
    }
}

fn binary(op: Binary, left: i64, right: i64) -> Value {
    match op {
        Binary::Add => Value::Int(left.wrapping_add(right)),
        Binary::Less => Value::Bool(left < right),
        Binary::Equal => Value::Bool(left == right),
        Binary::And => Value::Int(left & right),
        Binary::Xor => Value::Int(left ^ right),
    }
}
