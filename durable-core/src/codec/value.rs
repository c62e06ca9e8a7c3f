//! A stored value without its Rust type.

use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::by_name::ByName;
use super::diff::diff;
use super::error::Misfit;
use super::json;
use super::tree::Tree;

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

    /// Whether both are the same value. The order of a hash map or a hash set does not count.
    pub(crate) fn is_same(&self, other: &Value) -> bool {
        diff(&self.tree, &other.tree).is_none()
    }

    fn by_name(self) -> ByName {
        ByName { tree: self.tree, readable: self.readable }
    }
}

/// Why a [`Value`] could not be read as a type.
#[derive(Debug)]
pub struct ReadError(Misfit);

impl ReadError {
    /// Where in the value, as far as it is known: `.items[3].note`.
    pub fn path(&self) -> String {
        self.0.path()
    }
}

impl std::fmt::Display for ReadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.path();
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
            self.by_name().$method($($arg,)* visitor).map_err(ReadError)
        })*
    };
}

impl<'de> Deserializer<'de> for Value {
    type Error = ReadError;

    fn is_human_readable(&self) -> bool {
        self.readable
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.by_name().deserialize_any(visitor).map_err(ReadError)
    }

    forward! {
        deserialize_i128() deserialize_u128() deserialize_option() deserialize_unit() deserialize_ignored_any()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf seq tuple tuple_struct map struct
        identifier
    }
}
