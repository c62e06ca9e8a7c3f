//! A value as the kind that a type expects: numbers of any width that holds them, a character as a text, a byte string as
//! a list of numbers. What has no such meaning is an error.

use super::cursor::{Cursor, Item, Names, Parts, Place};
use super::error::Misfit;
use super::sampler::Want;
use super::tree::{Body, Kind, Leaf, LeafRef, Tree};

/// An integer of any width.
#[derive(Clone, Copy)]
enum Integer {
    Signed(i128),
    Unsigned(u128),
}

fn integer(leaf: LeafRef<'_>) -> Option<Integer> {
    Some(match leaf {
        LeafRef::I8(v) => Integer::Signed(v.into()),
        LeafRef::I16(v) => Integer::Signed(v.into()),
        LeafRef::I32(v) => Integer::Signed(v.into()),
        LeafRef::I64(v) => Integer::Signed(v.into()),
        LeafRef::I128(v) => Integer::Signed(v),
        LeafRef::U8(v) => Integer::Unsigned(v.into()),
        LeafRef::U16(v) => Integer::Unsigned(v.into()),
        LeafRef::U32(v) => Integer::Unsigned(v.into()),
        LeafRef::U64(v) => Integer::Unsigned(v.into()),
        LeafRef::U128(v) => Integer::Unsigned(v),
        _ => return None,
    })
}

fn number(item: &Item<'_>) -> Option<Integer> {
    match item {
        Item::Leaf(leaf) => integer(*leaf),
        _ => None,
    }
}

macro_rules! integers {
    ($($kind:ident $ty:ident,)*) => {
        $(pub(super) fn $ty(&mut self) -> Result<$ty, Misfit> {
            if self.enter_leaf(Kind::$kind)? {
                return self.scalar();
            }
            let item = self.asked(Want::Leaf(Kind::$kind))?;
            if let Item::Leaf(LeafRef::$kind(v)) = &item {
                return Ok(*v);
            }
            let fits = match number(&item) {
                Some(Integer::Signed(v)) => v.try_into().ok(),
                Some(Integer::Unsigned(v)) => v.try_into().ok(),
                // In JSON all keys of a map are strings.
                None => match &item {
                    Item::Leaf(LeafRef::Str(text)) if self.is_key() => text.parse().ok(),
                    _ => return self.mismatch(&item, stringify!($ty)),
                },
            };
            match fits {
                Some(v) => Ok(v),
                None => self.refuse(format!("invalid value: {}, expected {}", shown(&item), stringify!($ty))),
            }
        })*
    };
}

impl Cursor<'_> {
    #[cold]
    fn mismatch<T>(&mut self, item: &Item<'_>, expected: &str) -> Result<T, Misfit> {
        self.refuse(format!("invalid type: {}, expected {expected}", shown(item)))
    }

    integers! { I8 i8, I16 i16, I32 i32, I64 i64, I128 i128, U8 u8, U16 u16, U32 u32, U64 u64, U128 u128, }

    pub(super) fn bool(&mut self) -> Result<bool, Misfit> {
        if self.enter_leaf(Kind::Bool)? {
            return self.scalar();
        }
        match self.asked(Want::Leaf(Kind::Bool))? {
            Item::Leaf(LeafRef::Bool(v)) => Ok(v),
            item => self.mismatch(&item, "a boolean"),
        }
    }

    pub(super) fn f64(&mut self) -> Result<f64, Misfit> {
        if self.enter_leaf(Kind::F64)? {
            return self.scalar();
        }
        match self.asked(Want::Leaf(Kind::F64))? {
            Item::Leaf(LeafRef::F64(v)) => Ok(v),
            Item::Leaf(LeafRef::F32(v)) => Ok(v.into()),
            item => match number(&item) {
                Some(Integer::Signed(v)) => Ok(v as f64),
                Some(Integer::Unsigned(v)) => Ok(v as f64),
                None => self.mismatch(&item, "a number"),
            },
        }
    }

    pub(super) fn f32(&mut self) -> Result<f32, Misfit> {
        match self.asked(Want::Leaf(Kind::F32))? {
            Item::Leaf(LeafRef::F32(v)) => Ok(v),
            Item::Leaf(LeafRef::F64(v)) => Ok(v as f32),
            item => match number(&item) {
                Some(Integer::Signed(v)) => Ok(v as f32),
                Some(Integer::Unsigned(v)) => Ok(v as f32),
                None => self.mismatch(&item, "a number"),
            },
        }
    }

    pub(super) fn char(&mut self) -> Result<char, Misfit> {
        let item = self.asked(Want::Leaf(Kind::Char))?;
        let mut chars = match &item {
            Item::Leaf(LeafRef::Char(v)) => return Ok(*v),
            Item::Leaf(LeafRef::Str(v)) => v.chars(),
            _ => return self.mismatch(&item, "a character"),
        };
        match (chars.next(), chars.next()) {
            (Some(only), None) => Ok(only),
            _ => self.mismatch(&item, "a character"),
        }
    }

    pub(super) fn text(&mut self) -> Result<&str, Misfit> {
        if let Place::Name(name) = self.at {
            self.at = Place::Nowhere;
            return Ok(name);
        }
        if self.enter_leaf(Kind::Str)? {
            let text = self.bytes.text();
            return self.checked(text);
        }
        let item = self.asked(Want::Leaf(Kind::Str))?;
        match &item {
            Item::Leaf(LeafRef::Str(v)) => return Ok(v),
            Item::Variant { name, is_unit: true, .. } => return Ok(name),
            Item::Leaf(LeafRef::Char(v)) => return Ok(self.keep_text((*v).into())),
            Item::Leaf(LeafRef::Bytes(v)) => {
                if let Ok(v) = std::str::from_utf8(v) {
                    return Ok(v);
                }
            }
            _ => {}
        }
        self.mismatch(&item, "a string")
    }

    pub(super) fn byte_string(&mut self) -> Result<&[u8], Misfit> {
        if self.enter_leaf(Kind::Bytes)? {
            let bytes = self.bytes.byte_string();
            return self.checked(bytes);
        }
        match self.asked(Want::Leaf(Kind::Bytes))? {
            Item::Leaf(LeafRef::Bytes(v)) => Ok(v),
            Item::Leaf(LeafRef::Str(v)) => Ok(v.as_bytes()),
            Item::List(parts) => {
                let depth = self.begin(parts, None)?;
                let mut bytes = Vec::new();
                while self.element(depth)? {
                    bytes.push(self.u8()?);
                }
                self.end(depth)?;
                Ok(self.keep_bytes(bytes))
            }
            item => self.mismatch(&item, "a byte string"),
        }
    }

    pub(super) fn unit(&mut self) -> Result<(), Misfit> {
        if self.enter_leaf(Kind::Unit)? {
            return Ok(());
        }
        match self.asked(Want::Leaf(Kind::Unit))? {
            Item::Leaf(LeafRef::Unit) | Item::None | Item::UnitStruct => Ok(()),
            item => self.mismatch(&item, "nothing"),
        }
    }

    pub(super) fn begin_list(&mut self) -> Result<usize, Misfit> {
        self.begin_parts(Want::List)
    }

    /// The same for a type that knows how many elements there are.
    pub(super) fn begin_tuple(&mut self, len: usize) -> Result<usize, Misfit> {
        self.begin_parts(Want::Tuple(len))
    }

    fn begin_parts(&mut self, want: Want) -> Result<usize, Misfit> {
        match self.asked(want)? {
            Item::List(parts) => self.begin(parts, None),
            item => self.mismatch(&item, "a sequence"),
        }
    }

    pub(super) fn begin_map(&mut self) -> Result<usize, Misfit> {
        match self.asked(Want::Map)? {
            Item::Map(parts) | Item::Struct(parts) => self.begin(parts, None),
            Item::Variant { name, body, is_unit: false, .. } => {
                self.begin(Parts::Single(Some((name, body))), None)
            }
            item => self.mismatch(&item, "a map"),
        }
    }

    pub(super) fn begin_struct(&mut self, fields: Names) -> Result<usize, Misfit> {
        match self.asked(Want::Struct(fields))? {
            Item::Map(parts) | Item::Struct(parts) | Item::List(parts) => self.begin(parts, Some(fields)),
            Item::Variant { name, body, is_unit: false, .. } => {
                self.begin(Parts::Single(Some((name, body))), None)
            }
            item => self.mismatch(&item, "a struct"),
        }
    }

    /// Begins the elements of what a variant holds.
    pub(super) fn list_value(&mut self, depth: usize, len: usize) -> Result<usize, Misfit> {
        self.variant_parts(depth)?;
        self.begin_tuple(len)
    }

    /// Begins the fields of what a variant holds.
    pub(super) fn struct_value(&mut self, depth: usize, fields: Names) -> Result<usize, Misfit> {
        self.variant_parts(depth)?;
        self.begin_struct(fields)
    }

    /// Begins an enum and stands at its variant's name.
    pub(super) fn begin_variant(&mut self, of: &str, names: Names) -> Result<usize, Misfit> {
        static UNIT: Body = Body::Unit;
        if let Place::Sampled = self.at {
            return self.sample_variant(of, names);
        }
        let (name, body) = match self.item()? {
            // As with a struct's fields: bytes are read by position where the type writes other names than it reads.
            Item::Variant { name, index, body, .. } if self.is_bytes() && !names.contains(&name) => {
                (names.get(index as usize).copied().unwrap_or(name), body)
            }
            Item::Variant { name, body, .. } => (name, body),
            Item::Leaf(LeafRef::Str(name)) => (name, Place::Body(&UNIT)),
            item => match single(&item) {
                Some((name, inner)) => (name, Place::Tree(inner)),
                None => {
                    return self.refuse(format!("expected a variant of `{of}`, found another kind of value"));
                }
            },
        };
        self.begin_enum(name, body)
    }
}

/// A map of a name to a value, which is a variant in JSON.
fn single<'r>(item: &Item<'r>) -> Option<(&'r str, &'r Tree)> {
    match item {
        Item::Struct(Parts::Fields(rest)) => match rest.as_slice() {
            [(name, inner)] => Some((name, inner)),
            _ => None,
        },
        Item::Map(Parts::Pairs(rest)) => match rest.as_slice() {
            [(Tree::Leaf(Leaf::Str(name)), inner)] => Some((name, inner)),
            _ => None,
        },
        _ => None,
    }
}

/// What was found, as serde's own messages have it.
fn shown(item: &Item<'_>) -> String {
    match item {
        Item::Leaf(leaf) if integer(*leaf).is_some() => {
            format!("integer `{}`", super::diff::excerpt(&Tree::Leaf(leaf.to_leaf())))
        }
        Item::Leaf(LeafRef::Bool(v)) => format!("boolean `{v}`"),
        Item::Leaf(LeafRef::F32(_) | LeafRef::F64(_)) => "floating point".to_owned(),
        Item::Leaf(leaf @ (LeafRef::Str(_) | LeafRef::Char(_))) => {
            format!("string {}", super::diff::excerpt(&Tree::Leaf(leaf.to_leaf())))
        }
        Item::Leaf(LeafRef::Bytes(_)) => "byte array".to_owned(),
        Item::Leaf(_) => "unit value".to_owned(),
        Item::None | Item::Some(_) => "Option value".to_owned(),
        Item::UnitStruct => "unit struct".to_owned(),
        Item::List(_) => "sequence".to_owned(),
        Item::Map(_) => "map".to_owned(),
        Item::Struct(_) => "struct".to_owned(),
        Item::Variant { .. } => "enum".to_owned(),
    }
}
