//! What values are, and what each type makes of a value of another one: the reading by name, as of JSON, that
//! [evolution.md](../../docs/evolution.md) promises, told once more and independently of the codec.

use crate::tree::Ty;

/// A value of any type of the world.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Number(i128),
    Float(f64),
    Flag(bool),
    Text(String),
    Maybe(Option<i128>),
    List(Vec<i128>),
    /// The last is the gift, which only the wide one has.
    Item(String, i128, Option<i128>),
    Kind(char, Option<i128>),
}

/// As `world::make` does.
pub(crate) fn make(ty: Ty, n: u64) -> Value {
    let number = i128::from(n);
    match ty {
        Ty::U8 => Value::Number(number % 256),
        Ty::U32 => Value::Number(number % (1 << 32)),
        Ty::U64 | Ty::I64 => Value::Number(number),
        Ty::Float => Value::Float((n % 1_000) as f64),
        Ty::Flag => Value::Flag(n.is_multiple_of(2)),
        Ty::Text => Value::Text(format!("t{}", n % 1_000)),
        Ty::OptU32 | Ty::OptU64 => Value::Maybe((!n.is_multiple_of(3)).then_some(number % 100_000)),
        Ty::List32 | Ty::List64 => {
            let first = number % 50;
            Value::List((first..first + 2 + number % 2).collect())
        }
        Ty::Item | Ty::ItemWide | Ty::ItemStrict => {
            Value::Item(format!("s{}", n % 100), number % 1_000, None)
        }
        Ty::Kind => match n % 3 {
            0 => Value::Kind('A', None),
            1 => Value::Kind('B', Some(number % 100)),
            _ => Value::Kind('C', None),
        },
        Ty::KindMore => match n % 4 {
            0 => Value::Kind('A', None),
            1 => Value::Kind('B', Some(number % 100)),
            2 => Value::Kind('C', None),
            _ => Value::Kind('Z', None),
        },
        Ty::KindOther => match n % 3 {
            0 => Value::Kind('A', None),
            1 => Value::Kind('B', Some(number % 100)),
            _ => Value::Kind('D', None),
        },
    }
}

impl Value {
    /// As `world::num` does.
    pub(crate) fn num(&self) -> u64 {
        let number = |n: i128| u64::try_from(n).expect("the world has no negative numbers");
        match self {
            Value::Number(n) => number(*n),
            // `make` gives it no sign and no fraction.
            Value::Float(n) => format!("{n}").parse().expect("it is a whole number"),
            Value::Flag(flag) => u64::from(*flag),
            Value::Text(text) => text.len() as u64,
            Value::Maybe(maybe) => number(maybe.unwrap_or(0)),
            Value::List(list) => number(list.iter().sum()),
            Value::Item(sku, qty, _) => number(*qty) + sku.len() as u64,
            Value::Kind(kind, with) => u64::from(u32::from(*kind)) + number(with.unwrap_or(0)),
        }
    }

    /// As `world::show` does.
    pub(crate) fn show(&self, ty: Ty) -> String {
        match self {
            Value::Number(n) => n.to_string(),
            Value::Float(n) => format!("{n:?}"),
            Value::Flag(flag) => flag.to_string(),
            Value::Text(text) => text.clone(),
            Value::Maybe(maybe) => format!("{maybe:?}").replace(' ', ""),
            Value::List(list) => format!("{list:?}").replace(' ', ""),
            Value::Item(sku, qty, _) if ty == Ty::Item => format!("{sku}*{qty}"),
            Value::Item(sku, qty, gift) => format!("{sku}*{qty}+{gift:?}"),
            Value::Kind(kind, with) => format!("{kind}{with:?}"),
        }
    }
}

/// The value as one of another type, if it is one, and whether the documentation says that it is.
#[allow(clippy::unnested_or_patterns, reason = "a table reads line by line")]
pub(crate) fn convert(from: Ty, value: &Value, to: Ty) -> (Option<Value>, bool) {
    if from == to {
        return (Some(value.clone()), true);
    }
    let fits = |n: i128| match to {
        Ty::U8 => u8::try_from(n).is_ok(),
        Ty::U32 | Ty::OptU32 | Ty::List32 => u32::try_from(n).is_ok(),
        Ty::U64 | Ty::OptU64 | Ty::List64 => u64::try_from(n).is_ok(),
        Ty::I64 => i64::try_from(n).is_ok(),
        _ => false,
    };
    let widens = matches!(
        (from, to),
        (Ty::U8, Ty::U32 | Ty::U64 | Ty::I64 | Ty::OptU32 | Ty::OptU64)
            | (Ty::U32, Ty::U64 | Ty::I64 | Ty::OptU32 | Ty::OptU64)
            | (Ty::U64, Ty::OptU64)
            | (Ty::OptU32, Ty::OptU64)
            | (Ty::List32, Ty::List64)
            | (Ty::Item, Ty::ItemWide)
            | (Ty::Kind, Ty::KindMore)
    );
    let read = match (value, to) {
        (Value::Number(n), Ty::U8 | Ty::U32 | Ty::U64 | Ty::I64) => fits(*n).then_some(Value::Number(*n)),
        (Value::Number(n), Ty::OptU32 | Ty::OptU64) => fits(*n).then_some(Value::Maybe(Some(*n))),
        (Value::Number(n), Ty::Float) => Some(Value::Float(*n as f64)),
        (Value::Maybe(maybe), Ty::OptU32 | Ty::OptU64) => {
            maybe.is_none_or(fits).then_some(Value::Maybe(*maybe))
        }
        (Value::Maybe(Some(n)), Ty::U8 | Ty::U32 | Ty::U64 | Ty::I64) => {
            fits(*n).then_some(Value::Number(*n))
        }
        (Value::List(list), Ty::List32 | Ty::List64) => {
            list.iter().all(|n| fits(*n)).then(|| Value::List(list.clone()))
        }
        (Value::Item(sku, qty, _), Ty::ItemWide) if from == Ty::Item => {
            Some(Value::Item(sku.clone(), *qty, None))
        }
        (Value::Kind(kind, _), Ty::Kind) => "ABC".contains(*kind).then(|| value.clone()),
        (Value::Kind(kind, _), Ty::KindMore) => "ABCZ".contains(*kind).then(|| value.clone()),
        (Value::Kind(kind, _), Ty::KindOther) => "ABD".contains(*kind).then(|| value.clone()),
        // As in JSON, a variant without a value is its name.
        (Value::Kind(kind, None), Ty::Text) => Some(Value::Text(kind.to_string())),
        _ => None,
    };
    (read, widens)
}
