//! What both sides compute with: values, memory, and the world that activities run in.
//!
//! The two interpreters share what a value *is* and nothing of how a program is evaluated. Memory is a row of slots; a
//! reference is a slot and a path into it. What was never set, moved out or erased can't be read: an attempt ends the run with
//! a complaint, which is how a missing variable is noticed even when its value would not have mattered.

use std::collections::VecDeque;
use std::fmt::Write;

/// A value, untyped: the programs are well typed by construction.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Declared and not set, erased, or moved out.
    Nothing,
    Unit,
    Int(i64),
    Bool(bool),
    Text(String),
    Tuple(Vec<Value>),
    List(Vec<Value>),
    Array(Vec<Value>),
    /// A variant of `Option`, `Result` or `Poll`, or the struct `Order`.
    Variant(Tag, Vec<Value>),
    Ref(Place),
    /// An iterator over what is left.
    Items(VecDeque<Value>),
    Future(Box<Call>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag {
    None,
    Some,
    Ok,
    Err,
    Order,
    Ready,
    Pending,
}

/// The fields of `Order`, the one struct of the programs.
pub(super) const FIELDS: [&str; 4] = ["id", "name", "tags", "pair"];

/// An activity call that is under way.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) activity: Activity,
    pub(super) args: String,
    /// The operation, once it began.
    pub(super) number: Option<usize>,
}

/// A slot and the way into it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    pub(super) slot: usize,
    pub(super) path: Vec<usize>,
}

impl Place {
    pub(super) fn slot(slot: usize) -> Self {
        Self { slot, path: Vec::new() }
    }

    pub(super) fn child(&self, index: usize) -> Self {
        let mut place = self.clone();
        place.path.push(index);
        place
    }
}

impl Value {
    pub(super) fn some(value: Value) -> Self {
        Value::Variant(Tag::Some, vec![value])
    }

    pub(super) fn none() -> Self {
        Value::Variant(Tag::None, Vec::new())
    }

    pub(super) fn text(text: &str) -> Self {
        Value::Text(text.to_owned())
    }

    /// Whether reading it leaves it where it is.
    fn is_copy(&self) -> bool {
        match self {
            Value::Unit | Value::Int(_) | Value::Bool(_) | Value::Ref(_) => true,
            Value::Tuple(parts) | Value::Array(parts) => parts.iter().all(Value::is_copy),
            Value::Variant(tag, parts) => *tag != Tag::Order && parts.iter().all(Value::is_copy),
            _ => false,
        }
    }

    pub(super) fn children(&self) -> &[Value] {
        match self {
            Value::Tuple(parts) | Value::List(parts) | Value::Array(parts) | Value::Variant(_, parts) => {
                parts
            }
            _ => &[],
        }
    }

    fn children_mut(&mut self) -> &mut [Value] {
        match self {
            Value::Tuple(parts) | Value::List(parts) | Value::Array(parts) | Value::Variant(_, parts) => {
                parts
            }
            _ => &mut [],
        }
    }

    /// Whether all of it is there.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Value::Nothing => false,
            Value::Items(items) => items.iter().all(Value::is_whole),
            value => value.children().iter().all(Value::is_whole),
        }
    }

    /// Whether a snapshot may hold it.
    pub(super) fn is_owned(&self) -> bool {
        match self {
            Value::Ref(_) => false,
            Value::Items(items) => items.iter().all(Value::is_owned),
            value => value.children().iter().all(Value::is_owned),
        }
    }
}

/// Why a run can't go on. In a correct compiler's output none of this happens.
pub(super) type Complaint = String;
pub(super) type Checked<T> = Result<T, Complaint>;

/// The slots of a run.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) slots: Vec<Value>,
}

impl Memory {
    pub(super) fn new(slots: usize) -> Self {
        Self { slots: vec![Value::Nothing; slots] }
    }

    /// What stands at a place, whole or not.
    pub(super) fn peek(&self, place: &Place) -> Checked<&Value> {
        let mut value = &self.slots[place.slot];
        for &index in &place.path {
            value = value.children().get(index).ok_or_else(|| Self::missing(place))?;
        }
        Ok(value)
    }

    pub(super) fn at_mut(&mut self, place: &Place) -> Checked<&mut Value> {
        let mut value = &mut self.slots[place.slot];
        for &index in &place.path {
            value = value.children_mut().get_mut(index).ok_or_else(|| Self::missing(place))?;
        }
        Ok(value)
    }

    /// What stands at a place, without moving it.
    pub(super) fn look(&self, place: &Place) -> Checked<&Value> {
        let value = self.peek(place)?;
        if value.is_whole() { Ok(value) } else { Err(Self::missing(place)) }
    }

    /// Copies a value, or moves it out.
    pub(super) fn read(&mut self, place: &Place) -> Checked<Value> {
        let value = self.at_mut(place)?;
        if !value.is_whole() {
            return Err(Self::missing(place));
        }
        Ok(if value.is_copy() { value.clone() } else { std::mem::replace(value, Value::Nothing) })
    }

    pub(super) fn write(&mut self, place: &Place, value: Value) -> Checked<()> {
        *self.at_mut(place)? = value;
        Ok(())
    }

    /// Follows references from a place to the value itself.
    pub(super) fn follow(&self, place: Place) -> Checked<Place> {
        let mut place = place;
        while let Value::Ref(target) = self.peek(&place)? {
            place = target.clone();
        }
        Ok(place)
    }

    /// The value behind any references.
    pub(super) fn behind<'v>(&'v self, value: &'v Value) -> Checked<&'v Value> {
        match value {
            Value::Ref(place) => self.look(&self.follow(place.clone())?),
            value if value.is_whole() => Ok(value),
            _ => Err("a value that is not there is used".to_owned()),
        }
    }

    /// A value as an activity is told it.
    pub(super) fn show(&self, value: &Value) -> Checked<String> {
        let mut text = String::new();
        self.write_value(value, &mut text)?;
        Ok(text)
    }

    pub(super) fn show_all(&self, values: &[Value]) -> Checked<String> {
        let mut text = String::new();
        self.write_list(values, "", "", &mut text)?;
        Ok(text)
    }

    fn write_list(&self, values: &[Value], open: &str, close: &str, text: &mut String) -> Checked<()> {
        text.push_str(open);
        for (at, value) in values.iter().enumerate() {
            if at > 0 {
                text.push_str(", ");
            }
            self.write_value(value, text)?;
        }
        text.push_str(close);
        Ok(())
    }

    fn write_value(&self, value: &Value, text: &mut String) -> Checked<()> {
        let written = match self.behind(value)? {
            Value::Unit => write!(text, "()"),
            Value::Int(number) => write!(text, "{number}"),
            Value::Bool(flag) => write!(text, "{flag}"),
            Value::Text(inner) => write!(text, "{inner:?}"),
            Value::Tuple(parts) => return self.write_list(parts, "(", ")", text),
            Value::List(parts) | Value::Array(parts) => return self.write_list(parts, "[", "]", text),
            Value::Variant(Tag::None, _) => write!(text, "None"),
            Value::Variant(tag, parts) => {
                return self.write_list(parts, &format!("{tag:?}("), ")", text);
            }
            other => return Err(format!("{other:?} is no value of a program")),
        };
        written.map_err(|error| error.to_string())
    }

    fn missing(place: &Place) -> Complaint {
        format!("slot {} is read at {:?}, and it was not set, moved out, or erased", place.slot, place.path)
    }
}

/// What an activity gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activity {
    Num,
    Flag,
    Text,
    Maybe,
    List,
    Order,
    Pair,
    Check,
    Unit,
}

pub(super) const ACTIVITIES: [(Activity, &str); 9] = [
    (Activity::Num, "num"),
    (Activity::Flag, "flag"),
    (Activity::Text, "text"),
    (Activity::Maybe, "maybe"),
    (Activity::List, "list"),
    (Activity::Order, "order"),
    (Activity::Pair, "pair"),
    (Activity::Check, "check"),
    (Activity::Unit, "unit"),
];

impl Activity {
    pub(super) fn name(self) -> &'static str {
        ACTIVITIES.iter().find(|(other, _)| *other == self).map_or("", |(_, name)| name)
    }
}

/// What happens outside of a program: calls, in their order, and the steps that are left.
pub(super) struct World {
    seed: u64,
    pub(super) trace: Vec<String>,
    operations: usize,
    fuel: u32,
}

/// More operations than this and the program ends where it stands, on both sides.
const MAX_OPERATIONS: usize = 40;
/// The end of a program that does not end by itself.
pub(super) const OUT_OF_OPERATIONS: &str = "out of operations";
pub(super) const OUT_OF_FUEL: &str = "out of fuel";

impl World {
    pub(super) fn new(seed: u64, fuel: u32) -> Self {
        Self { seed, trace: Vec::new(), operations: 0, fuel }
    }

    /// Every loop and every call burns some.
    pub(super) fn burn(&mut self) -> Checked<()> {
        self.fuel = self.fuel.checked_sub(1).ok_or(OUT_OF_FUEL)?;
        Ok(())
    }

    /// A text that was put together. In a loop it may double at every turn.
    pub(super) fn text(text: String) -> Checked<Value> {
        if text.len() > 500 { Err(OUT_OF_FUEL.to_owned()) } else { Ok(Value::Text(text)) }
    }

    /// A call that ends at once, and is seen.
    pub(super) fn note(&mut self, name: &str, args: &str) {
        self.trace.push(format!("{name}({args})"));
    }

    /// An operation begins.
    pub(super) fn begin(&mut self, activity: Activity, args: &str) -> Checked<usize> {
        self.burn()?;
        if self.operations == MAX_OPERATIONS {
            return Err(OUT_OF_OPERATIONS.to_owned());
        }
        self.trace.push(format!("{}({args}).await", activity.name()));
        self.operations += 1;
        Ok(self.operations - 1)
    }

    /// What an operation gives: a function of its number.
    pub(super) fn result(&self, activity: Activity, number: usize) -> Value {
        let random = mix(self.seed ^ (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let int = Value::Int((random % 4) as i64);
        let other = Value::Int((random >> 8 & 3) as i64);
        let text = Value::Text(format!("r{}", random % 3));
        match activity {
            Activity::Num => int,
            Activity::Flag => Value::Bool(random & 16 != 0),
            Activity::Text => text,
            Activity::Maybe if random & 32 == 0 => Value::none(),
            Activity::Maybe => Value::some(int),
            Activity::List => Value::List((0..(random >> 16) % 4).map(|at| Value::Int(at as i64)).collect()),
            Activity::Order => Value::Variant(
                Tag::Order,
                vec![int, text.clone(), Value::List(vec![other.clone()]), Value::Tuple(vec![other, text])],
            ),
            Activity::Pair => Value::Tuple(vec![int, text]),
            Activity::Check if (random >> 20).is_multiple_of(5) => Value::Variant(Tag::Err, vec![text]),
            Activity::Check => Value::Variant(Tag::Ok, vec![int]),
            Activity::Unit => Value::Unit,
        }
    }
}

/// Spreads the bits of a number.
pub(super) fn mix(seed: u64) -> u64 {
    let mut bits = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
