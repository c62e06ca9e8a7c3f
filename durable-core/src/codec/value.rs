//! A stored value without its Rust type.

use serde::de::{Deserializer, Visitor};

use super::capture::capture;
use super::cursor::Cursor;
use super::decoder::Decoder;
use super::diff::diff;
use super::erased::{Emit, Slot, TypeOf};
use super::error::Misfit;
use super::tree::Tree;
use super::trial::read_parts;
use super::{DecodeError, Encoded, LayoutId, json, named};

/// A stored value that was read by its layout alone: for people as JSON, and for today's types by name.
///
/// It is a serde [`Deserializer`], with the meaning that a type's author knows from JSON (fields by name, `default`, `alias`,
/// `flatten`, untagged and internally tagged enums), in which `Some(())`, 128-bit integers, characters, byte strings and
/// keys of any kind survive.
#[derive(Debug, Clone, PartialEq)]
pub struct Value {
    pub(super) tree: Tree,
    /// What the `Serialize` that wrote it was told about the format; types such as `Uuid` differ by it.
    pub(super) readable: bool,
}

impl Value {
    /// The JSON that a person expects: as `serde_json` would show it, with byte strings in hexadecimal, `NaN` and the
    /// infinities and integers beyond 64 bits as strings, and keys that are not strings as their JSON text.
    pub fn to_json(&self) -> serde_json::Value {
        json::to_json(&self.tree)
    }

    /// What a value writes, told that people read it.
    pub(crate) fn written(value: &dyn Emit) -> Result<Value, String> {
        match capture(value, true) {
            Ok(captured) => Ok(Value { tree: captured.tree, readable: true }),
            Err(fault) => Err(fault.to_string()),
        }
    }

    /// The same value in the named encoding, if it was written for people.
    pub(crate) fn to_named(&self) -> Encoded {
        debug_assert!(self.readable, "what is stored by name is read as people would");
        Encoded { layout: LayoutId::NAMED, bytes: named::write(&self.tree).into() }
    }

    /// Reads several values as a tuple.
    pub(crate) fn read_all(values: Vec<Value>, of: &TypeOf, slot: &mut dyn Slot) -> Result<(), DecodeError> {
        let (trees, readable): (Vec<_>, Vec<_>) =
            values.into_iter().map(|value| (value.tree, value.readable)).unzip();
        read_parts(of, slot, &Tree::Tuple(trees), &readable)
    }

    /// A part of it: the fields, or places of a tuple, that lead to it.
    pub(crate) fn part(mut self, path: &[String]) -> Option<Value> {
        for step in path {
            let place = |parts: Vec<Tree>| parts.into_iter().nth(step.parse().ok()?);
            self.tree = match self.tree {
                Tree::Struct(_, fields) => fields.into_iter().find(|(name, _)| name == step)?.1,
                Tree::Newtype(_, inner) => place(vec![*inner])?,
                Tree::Tuple(parts) | Tree::TupleStruct(_, parts) => place(parts)?,
                _ => return None,
            };
        }
        Some(self)
    }

    /// Whether both are the same value. The order of a hash map or a hash set does not count.
    pub(crate) fn is_same(&self, other: &Value) -> bool {
        diff(&self.tree, &other.tree).is_none()
    }
}

/// Why a [`Value`] could not be read as a type.
#[derive(Debug)]
pub struct ReadError(Misfit);

impl ReadError {
    /// Where in the value, as far as it is known: `.items[3].note`.
    pub fn path(&self) -> String {
        self.0.path().to_owned()
    }
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.0.path();
        if path.is_empty() { write!(f, "{}", self.0) } else { write!(f, "{} (at `{path}`)", self.0) }
    }
}

impl std::error::Error for ReadError {}

impl serde::de::Error for ReadError {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self(serde::de::Error::custom(message))
    }
}

macro_rules! forward {
    ($($method:ident ($($arg:ident: $ty:ty),*))*) => {
        $(fn $method<V: Visitor<'de>>(self, $($arg: $ty,)* visitor: V) -> Result<V::Value, ReadError> {
            let mut cursor = Cursor::tree(&self.tree, self.readable);
            let read = Decoder::new(&mut cursor).$method($($arg,)* visitor);
            read.map_err(|misfit| ReadError(misfit.at(cursor.path())))
        })*
    };
}

impl<'de> Deserializer<'de> for Value {
    type Error = ReadError;

    fn is_human_readable(&self) -> bool {
        self.readable
    }

    forward! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64()
        deserialize_i128() deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_char() deserialize_str() deserialize_string()
        deserialize_bytes() deserialize_byte_buf() deserialize_option() deserialize_unit() deserialize_seq()
        deserialize_map() deserialize_identifier() deserialize_ignored_any()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }
}
