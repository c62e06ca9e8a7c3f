//! The one deserializer: every type's `Deserialize` is compiled for it and for no other, whatever the value is read from.
//!
//! Each method asks the [`Cursor`] for a value of the kind that the type expects, converted if need be, and calls one method of
//! the type's visitor: each further one would be compiled for each type of a user. A struct's fields are
//! given by name, also from bytes, so that the code that reads them by position is not compiled either. A type that asks for
//! `any` value gets what is there.

use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, Visitor};

use super::cursor::{Cursor, Item, Names, Parts};
use super::error::Misfit;
use super::tree::{LeafRef, with_scalars};

/// Reads the value that a cursor stands at.
pub struct Decoder<'c, 'r> {
    cursor: &'c mut Cursor<'r>,
}

impl std::fmt::Debug for Decoder<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

impl<'c, 'r> Decoder<'c, 'r> {
    pub(super) fn new(cursor: &'c mut Cursor<'r>) -> Self {
        Decoder { cursor }
    }

    fn list<'de, V: Visitor<'de>>(
        self,
        begun: Result<usize, Misfit>,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let cursor = self.cursor;
        match begun {
            Ok(depth) => match visitor.visit_seq(Access { cursor: &mut *cursor, depth }) {
                Ok(value) => match cursor.end(depth) {
                    Ok(()) => Ok(value),
                    Err(misfit) => Err(misfit),
                },
                Err(misfit) => Err(misfit),
            },
            Err(misfit) => Err(misfit),
        }
    }

    fn map<'de, V: Visitor<'de>>(self, begun: Result<usize, Misfit>, visitor: V) -> Result<V::Value, Misfit> {
        let cursor = self.cursor;
        match begun {
            Ok(depth) => match visitor.visit_map(Access { cursor: &mut *cursor, depth }) {
                Ok(value) => match cursor.end(depth) {
                    Ok(()) => Ok(value),
                    Err(misfit) => Err(misfit),
                },
                Err(misfit) => Err(misfit),
            },
            Err(misfit) => Err(misfit),
        }
    }
}

/// Asks for a value, and shows it to the visitor.
macro_rules! visit {
    ($value:expr, $visitor:ident.$visit:ident) => {
        match $value {
            Ok(value) => $visitor.$visit(value),
            Err(misfit) => Err(misfit),
        }
    };
}

macro_rules! plain {
    ($($method:ident $read:ident $visit:ident,)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            visit!(self.cursor.$read(), visitor.$visit)
        })*
    };
}

impl<'de> Deserializer<'de> for Decoder<'_, '_> {
    type Error = Misfit;

    fn is_human_readable(&self) -> bool {
        self.cursor.readable
    }

    plain! {
        deserialize_bool bool visit_bool,
        deserialize_i8 i8 visit_i8,
        deserialize_i16 i16 visit_i16,
        deserialize_i32 i32 visit_i32,
        deserialize_i64 i64 visit_i64,
        deserialize_i128 i128 visit_i128,
        deserialize_u8 u8 visit_u8,
        deserialize_u16 u16 visit_u16,
        deserialize_u32 u32 visit_u32,
        deserialize_u64 u64 visit_u64,
        deserialize_u128 u128 visit_u128,
        deserialize_f32 f32 visit_f32,
        deserialize_f64 f64 visit_f64,
        deserialize_char char visit_char,
        deserialize_str text visit_str,
        deserialize_string text visit_str,
        deserialize_identifier text visit_str,
        deserialize_bytes byte_string visit_bytes,
        deserialize_byte_buf byte_string visit_bytes,
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let cursor = self.cursor;
        match cursor.whatever()? {
            Item::Leaf(leaf) => visit_leaf(leaf, visitor),
            Item::None => visitor.visit_none(),
            Item::UnitStruct => visitor.visit_unit(),
            Item::Some(inner) => {
                cursor.go_to(inner);
                visitor.visit_some(Decoder { cursor })
            }
            Item::List(parts) => {
                let begun = cursor.begin(parts, None);
                Decoder { cursor }.list(begun, visitor)
            }
            Item::Map(parts) | Item::Struct(parts) => {
                let begun = cursor.begin(parts, None);
                Decoder { cursor }.map(begun, visitor)
            }
            // As JSON has it: the name, or a map of the name to the body.
            Item::Variant { name, is_unit: true, .. } => visitor.visit_str(name),
            Item::Variant { name, body, .. } => {
                let begun = cursor.begin(Parts::Single(Some((name, body))), None);
                Decoder { cursor }.map(begun, visitor)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.cursor.enter_option() {
            Ok(true) => visitor.visit_some(self),
            Ok(false) => visitor.visit_none(),
            Err(misfit) => Err(misfit),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.cursor.unit() {
            Ok(()) => visitor.visit_unit(),
            Err(misfit) => Err(misfit),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.cursor.enter_newtype() {
            Ok(_) => visitor.visit_newtype_struct(self),
            Err(misfit) => Err(misfit),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let begun = self.cursor.begin_list();
        self.list(begun, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Misfit> {
        let begun = self.cursor.begin_tuple(len);
        self.list(begun, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let begun = self.cursor.begin_tuple(len);
        self.list(begun, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let begun = self.cursor.begin_map();
        self.map(begun, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: Names,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let begun = self.cursor.begin_struct(fields);
        self.map(begun, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        of: &'static str,
        variants: Names,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let cursor = self.cursor;
        match cursor.begin_variant(of, variants) {
            Ok(depth) => match visitor.visit_enum(Access { cursor: &mut *cursor, depth }) {
                Ok(value) => match cursor.end(depth) {
                    Ok(()) => Ok(value),
                    Err(misfit) => Err(misfit),
                },
                Err(misfit) => Err(misfit),
            },
            Err(misfit) => Err(misfit),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.cursor.ignore() {
            Ok(()) => visitor.visit_unit(),
            Err(misfit) => Err(misfit),
        }
    }
}

#[allow(clippy::cast_sign_loss)] // the casts are guarded
fn visit_leaf<'de, V: Visitor<'de>>(leaf: LeafRef<'_>, visitor: V) -> Result<V::Value, Misfit> {
    macro_rules! visit {
        ($($kind:ident $ty:ident $ser:ident $visit:ident,)*) => {
            match leaf {
                // Almost no visitor takes 128 bits unasked; when the value is small it need not.
                LeafRef::I128(v) if i64::try_from(v).is_ok() => visitor.visit_i64(v as i64),
                LeafRef::I128(v) if u64::try_from(v).is_ok() => visitor.visit_u64(v as u64),
                LeafRef::U128(v) if u64::try_from(v).is_ok() => visitor.visit_u64(v as u64),
                $(LeafRef::$kind(v) => visitor.$visit(v),)*
                LeafRef::Unit => visitor.visit_unit(),
                LeafRef::Str(v) => visitor.visit_str(v),
                LeafRef::Bytes(v) => visitor.visit_bytes(v),
            }
        };
    }
    with_scalars!(visit)
}

/// The parts of a value: elements, entries, or a variant and what it holds.
pub(super) struct Access<'c, 'r> {
    cursor: &'c mut Cursor<'r>,
    depth: usize,
}

impl std::fmt::Debug for Access<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").finish_non_exhaustive()
    }
}

impl<'de> de::SeqAccess<'de> for Access<'_, '_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        match self.cursor.element(self.depth) {
            Ok(true) => match seed.deserialize(Decoder { cursor: self.cursor }) {
                Ok(value) => Ok(Some(value)),
                Err(misfit) => Err(misfit),
            },
            Ok(false) => Ok(None),
            Err(misfit) => Err(misfit),
        }
    }

    // Written out here and below: serde's own are three functions for each type.
    fn next_element<T: Deserialize<'de>>(&mut self) -> Result<Option<T>, Misfit> {
        match self.cursor.element(self.depth) {
            Ok(true) => match T::deserialize(Decoder { cursor: self.cursor }) {
                Ok(value) => Ok(Some(value)),
                Err(misfit) => Err(misfit),
            },
            Ok(false) => Ok(None),
            Err(misfit) => Err(misfit),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.cursor.size_hint(self.depth))
    }
}

impl<'de> de::MapAccess<'de> for Access<'_, '_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        match self.cursor.key(self.depth) {
            Ok(true) => match seed.deserialize(Decoder { cursor: self.cursor }) {
                Ok(key) => Ok(Some(key)),
                Err(misfit) => Err(misfit),
            },
            Ok(false) => Ok(None),
            Err(misfit) => Err(misfit),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        match self.cursor.value(self.depth) {
            Ok(()) => seed.deserialize(Decoder { cursor: self.cursor }),
            Err(misfit) => Err(misfit),
        }
    }

    fn next_key<K: Deserialize<'de>>(&mut self) -> Result<Option<K>, Misfit> {
        match self.cursor.key(self.depth) {
            Ok(true) => match K::deserialize(Decoder { cursor: self.cursor }) {
                Ok(key) => Ok(Some(key)),
                Err(misfit) => Err(misfit),
            },
            Ok(false) => Ok(None),
            Err(misfit) => Err(misfit),
        }
    }

    fn next_value<V: Deserialize<'de>>(&mut self) -> Result<V, Misfit> {
        match self.cursor.value(self.depth) {
            Ok(()) => V::deserialize(Decoder { cursor: self.cursor }),
            Err(misfit) => Err(misfit),
        }
    }

    fn next_entry<K: Deserialize<'de>, V: Deserialize<'de>>(&mut self) -> Result<Option<(K, V)>, Misfit> {
        match self.next_key() {
            Ok(Some(key)) => match self.next_value() {
                Ok(value) => Ok(Some((key, value))),
                Err(misfit) => Err(misfit),
            },
            Ok(None) => Ok(None),
            Err(misfit) => Err(misfit),
        }
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.cursor.size_hint(self.depth))
    }
}

impl<'de> de::EnumAccess<'de> for Access<'_, '_> {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        match seed.deserialize(Decoder { cursor: &mut *self.cursor }) {
            Ok(chosen) => Ok((chosen, self)),
            Err(misfit) => Err(misfit),
        }
    }

    fn variant<V: Deserialize<'de>>(self) -> Result<(V, Self), Misfit> {
        match V::deserialize(Decoder { cursor: &mut *self.cursor }) {
            Ok(chosen) => Ok((chosen, self)),
            Err(misfit) => Err(misfit),
        }
    }
}

impl<'de> de::VariantAccess<'de> for Access<'_, '_> {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        self.cursor.value(self.depth)?;
        self.cursor.unit()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        match self.cursor.value(self.depth) {
            Ok(()) => seed.deserialize(Decoder { cursor: self.cursor }),
            Err(misfit) => Err(misfit),
        }
    }

    fn newtype_variant<T: Deserialize<'de>>(self) -> Result<T, Misfit> {
        match self.cursor.value(self.depth) {
            Ok(()) => T::deserialize(Decoder { cursor: self.cursor }),
            Err(misfit) => Err(misfit),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Misfit> {
        let begun = self.cursor.list_value(self.depth, len);
        Decoder { cursor: self.cursor }.list(begun, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: Names, visitor: V) -> Result<V::Value, Misfit> {
        let begun = self.cursor.struct_value(self.depth, fields);
        Decoder { cursor: self.cursor }.map(begun, visitor)
    }
}
