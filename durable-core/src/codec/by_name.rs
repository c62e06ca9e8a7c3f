//! [`Tree`] -> Rust type, by name: how a value is read when its layout is not today's.
//!
//! A tree is read with the meaning that the type's author knows from JSON: fields are found by name, unknown ones ignored,
//! `default`, `alias`, `flatten`, untagged and internally tagged enums work; a newtype or `Some` around a value may come or
//! go. Unlike JSON nothing is lost: `Some(())` and `Some(None)`, 128-bit integers, keys of any kind, characters, byte strings.

use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, Visitor,
};

use super::error::Misfit;
use super::tree::{Body, Leaf, Name, Tree, Variant, with_scalars};

/// Reads `tree`; `readable` is what the `Serialize` that wrote it was told about the format.
pub(super) fn read<T: DeserializeOwned>(tree: Tree, readable: bool) -> Result<T, Misfit> {
    T::deserialize(ByName { tree, readable })
}

/// A tree to be read by name.
pub(super) struct ByName {
    pub(super) tree: Tree,
    pub(super) readable: bool,
}

impl ByName {
    /// Looks through wrappers that JSON does not show.
    fn bare(mut self) -> Self {
        loop {
            self.tree = match self.tree {
                Tree::Newtype(_, inner) => *inner,
                Tree::Some(inner) if !is_hollow(&inner) => *inner,
                other => {
                    return Self { tree: other, readable: self.readable };
                }
            };
        }
    }
}

/// Whether `Some` of it must stay `Some`, because bare it would be taken for `None`.
fn is_hollow(tree: &Tree) -> bool {
    match tree {
        Tree::Leaf(Leaf::Unit) | Tree::None | Tree::Some(_) | Tree::UnitStruct(_) => true,
        Tree::Newtype(_, inner) => is_hollow(inner),
        _ => false,
    }
}

macro_rules! plain {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
            self.deserialize_any(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for ByName {
    type Error = Misfit;

    fn is_human_readable(&self) -> bool {
        self.readable
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let this = self.bare();
        let readable = this.readable;
        match this.tree {
            Tree::Leaf(leaf) => visit_leaf(leaf, visitor),
            Tree::None => visitor.visit_none(),
            Tree::UnitStruct(_) => visitor.visit_unit(),
            Tree::Some(inner) => visitor.visit_some(ByName { tree: *inner, readable }),
            Tree::Newtype(_, inner) => visitor.visit_newtype_struct(ByName { tree: *inner, readable }),
            Tree::Seq(parts) | Tree::Tuple(parts) | Tree::TupleStruct(_, parts) => {
                visit_parts(parts, readable, visitor)
            }
            Tree::Map(entries) => visit_entries(Keys::Trees(entries.into_iter()), readable, visitor),
            Tree::Struct(_, fields) => visit_entries(Keys::Names(fields.into_iter()), readable, visitor),
            // As JSON has it: the name, or a map of the name to the body.
            Tree::Variant(variant) => match *variant {
                Variant { name, body: Body::Unit, .. } => visitor.visit_string(name.into_owned()),
                Variant { name, body, .. } => {
                    visit_entries(Keys::Names(vec![(name, body_tree(body))].into_iter()), readable, visitor)
                }
            },
        }
    }

    plain! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16
        deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_seq deserialize_map deserialize_identifier
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let this = self.bare();
        match this.tree {
            Tree::Leaf(Leaf::I128(v)) => visitor.visit_i128(v),
            _ => this.deserialize_any(visitor),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let this = self.bare();
        match this.tree {
            Tree::Leaf(Leaf::U128(v)) => visitor.visit_u128(v),
            _ => this.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, Misfit> {
        match self.tree {
            Tree::None => visitor.visit_none(),
            Tree::Leaf(Leaf::Unit) => visitor.visit_unit(),
            Tree::Some(inner) => {
                self.tree = *inner;
                visitor.visit_some(self)
            }
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        let this = self.bare();
        match this.tree {
            Tree::None => visitor.visit_unit(),
            _ => this.deserialize_any(visitor),
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
        mut self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        if let Tree::Newtype(_, inner) = self.tree {
            self.tree = *inner;
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_any(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        of: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let this = self.bare();
        let readable = this.readable;
        let (name, body) = match this.tree {
            Tree::Variant(variant) => (variant.name, variant.body),
            Tree::Leaf(Leaf::Str(name)) => (Name::Owned(name), Body::Unit),
            Tree::Struct(_, mut fields) if fields.len() == 1 => {
                let (name, inner) = fields.remove(0);
                (name, Body::Newtype(inner))
            }
            Tree::Map(mut entries) if entries.len() == 1 => match entries.remove(0) {
                (Tree::Leaf(Leaf::Str(name)), inner) => (Name::Owned(name), Body::Newtype(inner)),
                _ => return Err(not_an_enum(of)),
            },
            _ => return Err(not_an_enum(of)),
        };
        visitor.visit_enum(Choice { name, body, readable })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }
}

fn not_an_enum(of: &str) -> Misfit {
    de::Error::custom(format_args!("expected a variant of `{of}`, found another kind of value"))
}

#[allow(clippy::cast_sign_loss)] // the casts are guarded
fn visit_leaf<'de, V: Visitor<'de>>(leaf: Leaf, visitor: V) -> Result<V::Value, Misfit> {
    macro_rules! visit {
        ($($kind:ident $ty:ident $ser:ident $visit:ident,)*) => {
            match leaf {
                // Almost no visitor takes 128 bits unasked; when the value is small it need not.
                Leaf::I128(v) if i64::try_from(v).is_ok() => visitor.visit_i64(v as i64),
                Leaf::I128(v) if u64::try_from(v).is_ok() => visitor.visit_u64(v as u64),
                Leaf::U128(v) if u64::try_from(v).is_ok() => visitor.visit_u64(v as u64),
                $(Leaf::$kind(v) => visitor.$visit(v),)*
                Leaf::Unit => visitor.visit_unit(),
                Leaf::Str(v) => visitor.visit_string(v),
                Leaf::Bytes(v) => visitor.visit_byte_buf(v),
            }
        };
    }
    with_scalars!(visit)
}

fn visit_parts<'de, V: Visitor<'de>>(
    parts: Vec<Tree>,
    readable: bool,
    visitor: V,
) -> Result<V::Value, Misfit> {
    let len = parts.len();
    let mut parts = Parts { rest: parts.into_iter(), at: 0, readable };
    let value = visitor.visit_seq(&mut parts)?;
    if parts.rest.len() > 0 {
        return Err(de::Error::custom(format_args!("expected {} elements, found {len}", parts.at)));
    }
    Ok(value)
}

fn visit_entries<'de, V: Visitor<'de>>(keys: Keys, readable: bool, visitor: V) -> Result<V::Value, Misfit> {
    visitor.visit_map(Entries { keys, value: None, readable })
}

fn body_tree(body: Body) -> Tree {
    match body {
        Body::Unit => Tree::Leaf(Leaf::Unit),
        Body::Newtype(inner) => inner,
        Body::Tuple(parts) => Tree::Tuple(parts),
        Body::Struct(fields) => Tree::Struct(Name::Borrowed(""), fields),
    }
}

struct Parts {
    rest: std::vec::IntoIter<Tree>,
    at: usize,
    readable: bool,
}

impl<'de> de::SeqAccess<'de> for Parts {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Misfit> {
        let Some(tree) = self.rest.next() else {
            return Ok(None);
        };
        let at = self.at;
        self.at += 1;
        let value = seed.deserialize(ByName { tree, readable: self.readable });
        value.map(Some).map_err(|misfit| misfit.inside(format!("[{at}]")))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

/// What stands for the keys of a map: a struct's names are keys too.
enum Keys {
    Trees(std::vec::IntoIter<(Tree, Tree)>),
    Names(std::vec::IntoIter<(Name, Tree)>),
}

struct Entries {
    keys: Keys,
    value: Option<(String, Tree)>,
    readable: bool,
}

impl<'de> de::MapAccess<'de> for Entries {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Misfit> {
        match &mut self.keys {
            Keys::Trees(entries) => {
                let Some((key, value)) = entries.next() else {
                    return Ok(None);
                };
                let step = match &key {
                    Tree::Leaf(Leaf::Str(name)) => format!(".{name}"),
                    _ => format!("[{}]", super::diff::excerpt(&key)),
                };
                self.value = Some((step, value));
                seed.deserialize(ByName { tree: key, readable: self.readable }).map(Some)
            }
            Keys::Names(fields) => {
                let Some((name, value)) = fields.next() else {
                    return Ok(None);
                };
                self.value = Some((format!(".{name}"), value));
                seed.deserialize(name.into_deserializer()).map(Some)
            }
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let Some((step, tree)) = self.value.take() else {
            return Err(de::Error::custom("a map's value was read before its key"));
        };
        seed.deserialize(ByName { tree, readable: self.readable }).map_err(|misfit| misfit.inside(step))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(match &self.keys {
            Keys::Trees(entries) => entries.len(),
            Keys::Names(fields) => fields.len(),
        })
    }
}

/// A variant, by its name.
struct Choice {
    name: Name,
    body: Body,
    readable: bool,
}

impl<'de> de::EnumAccess<'de> for Choice {
    type Error = Misfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Misfit> {
        let chosen = seed.deserialize(self.name.clone().into_deserializer())?;
        Ok((chosen, self))
    }
}

impl<'de> de::VariantAccess<'de> for Choice {
    type Error = Misfit;

    fn unit_variant(self) -> Result<(), Misfit> {
        match self.body {
            Body::Unit => Ok(()),
            body => <()>::deserialize(ByName { tree: body_tree(body), readable: self.readable }),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Misfit> {
        let step = format!(".{}", self.name);
        seed.deserialize(ByName { tree: body_tree(self.body), readable: self.readable })
            .map_err(|misfit| misfit.inside(step))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Misfit> {
        let step = format!(".{}", self.name);
        ByName { tree: body_tree(self.body), readable: self.readable }
            .deserialize_seq(visitor)
            .map_err(|misfit| misfit.inside(step))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        let step = format!(".{}", self.name);
        ByName { tree: body_tree(self.body), readable: self.readable }
            .deserialize_any(visitor)
            .map_err(|misfit| misfit.inside(step))
    }
}
