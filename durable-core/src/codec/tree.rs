//! A value as its `Serialize` wrote it: names, shapes and leaves, without the Rust type.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// The name of a type, field or variant: borrowed from the program, or owned when it was read from a store.
pub(crate) type Name = Cow<'static, str>;

/// The deepest nesting of a value: what is written must be readable on any thread's stack.
pub(super) const MAX_DEPTH: u32 = 128;

/// Calls `$then!` with every leaf that holds a `Copy` value: kind, Rust type, serializer and visitor method.
macro_rules! with_scalars {
    ($then:ident) => {
        $then! {
            Bool bool serialize_bool visit_bool,
            I8 i8 serialize_i8 visit_i8,
            I16 i16 serialize_i16 visit_i16,
            I32 i32 serialize_i32 visit_i32,
            I64 i64 serialize_i64 visit_i64,
            I128 i128 serialize_i128 visit_i128,
            U8 u8 serialize_u8 visit_u8,
            U16 u16 serialize_u16 visit_u16,
            U32 u32 serialize_u32 visit_u32,
            U64 u64 serialize_u64 visit_u64,
            U128 u128 serialize_u128 visit_u128,
            F32 f32 serialize_f32 visit_f32,
            F64 f64 serialize_f64 visit_f64,
            Char char serialize_char visit_char,
        }
    };
}
pub(super) use with_scalars;

macro_rules! define {
    ($($kind:ident $ty:ident $ser:ident $visit:ident,)*) => {
        /// Which leaf. The order is on disk (in layouts and in the named encoding): append only.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub(crate) enum Kind { $($kind,)* Unit, Str, Bytes }

        /// A value without parts.
        #[derive(Debug, Clone)]
        pub(crate) enum Leaf { $($kind($ty),)* Unit, Str(String), Bytes(Vec<u8>) }

        /// A leaf where it stands.
        #[derive(Debug, Clone, Copy)]
        pub(super) enum LeafRef<'a> { $($kind($ty),)* Unit, Str(&'a str), Bytes(&'a [u8]) }

        impl Leaf {
            pub(super) fn kind(&self) -> Kind {
                match self {
                    $(Self::$kind(_) => Kind::$kind,)*
                    Self::Unit => Kind::Unit,
                    Self::Str(_) => Kind::Str,
                    Self::Bytes(_) => Kind::Bytes,
                }
            }

            pub(super) fn get(&self) -> LeafRef<'_> {
                match self {
                    $(Self::$kind(v) => LeafRef::$kind(*v),)*
                    Self::Unit => LeafRef::Unit,
                    Self::Str(v) => LeafRef::Str(v),
                    Self::Bytes(v) => LeafRef::Bytes(v),
                }
            }
        }

        impl LeafRef<'_> {
            pub(super) fn to_leaf(self) -> Leaf {
                match self {
                    $(Self::$kind(v) => Leaf::$kind(v),)*
                    Self::Unit => Leaf::Unit,
                    Self::Str(v) => Leaf::Str(v.to_owned()),
                    Self::Bytes(v) => Leaf::Bytes(v.to_owned()),
                }
            }
        }
    };
}
with_scalars!(define);

impl PartialEq for Leaf {
    /// Floats are equal when their bits are: a NaN that came back is the same NaN.
    #[allow(clippy::float_cmp)] // the floats are decided first
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::F32(a), Self::F32(b)) => return a.to_bits() == b.to_bits(),
            (Self::F64(a), Self::F64(b)) => return a.to_bits() == b.to_bits(),
            _ => {}
        }
        macro_rules! same {
            ($($kind:ident $ty:ident $ser:ident $visit:ident,)*) => {
                match (self, other) {
                    $((Self::$kind(a), Self::$kind(b)) => a == b,)*
                    (Self::Unit, Self::Unit) => true,
                    (Self::Str(a), Self::Str(b)) => a == b,
                    (Self::Bytes(a), Self::Bytes(b)) => a == b,
                    _ => false,
                }
            };
        }
        with_scalars!(same)
    }
}

/// One value and its parts, in the terms of serde's data model.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Tree {
    Leaf(Leaf),
    None,
    Some(Box<Tree>),
    Seq(Vec<Tree>),
    Map(Vec<(Tree, Tree)>),
    Tuple(Vec<Tree>),
    UnitStruct(Name),
    Newtype(Name, Box<Tree>),
    TupleStruct(Name, Vec<Tree>),
    Struct(Name, Vec<(Name, Tree)>),
    Variant(Box<Variant>),
}

/// A value of an enum.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Variant {
    /// The enum's name.
    pub(crate) of: Name,
    pub(crate) index: u32,
    pub(crate) name: Name,
    pub(crate) body: Body,
}

/// What an enum's variant holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Unit,
    Newtype(Tree),
    Tuple(Vec<Tree>),
    Struct(Vec<(Name, Tree)>),
}

impl Tree {
    /// What a person calls the type that was written, as far as the value shows it.
    pub(super) fn type_name(&self) -> String {
        match self {
            Self::Leaf(Leaf::Unit) => "()".to_owned(),
            Self::Leaf(Leaf::Str(_)) => "String".to_owned(),
            Self::Leaf(leaf) => format!("{:?}", leaf.kind()).to_lowercase(),
            Self::None => "Option".to_owned(),
            Self::Some(inner) => format!("Option<{}>", inner.type_name()),
            Self::Seq(_) => "a list".to_owned(),
            Self::Map(_) => "a map".to_owned(),
            Self::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(Self::type_name).collect();
                format!("({})", parts.join(", "))
            }
            Self::UnitStruct(name)
            | Self::Newtype(name, _)
            | Self::TupleStruct(name, _)
            | Self::Struct(name, _) => name.to_string(),
            Self::Variant(variant) => variant.of.to_string(),
        }
    }

    pub(super) fn str(text: impl Into<String>) -> Self {
        Self::Leaf(Leaf::Str(text.into()))
    }
}
