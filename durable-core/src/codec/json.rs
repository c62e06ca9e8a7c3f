//! [`Tree`] -> JSON for people: what `serde_json` would show, and something sensible where JSON has nothing.

use serde_json::{Map, Number, Value as Json};

use super::tree::{Body, Leaf, Name, Tree};

/// The JSON that a person expects of this value.
pub(super) fn to_json(tree: &Tree) -> Json {
    let all = |parts: &[Tree]| Json::Array(parts.iter().map(to_json).collect());
    match tree {
        Tree::Leaf(leaf) => leaf_to_json(leaf),
        Tree::None | Tree::UnitStruct(_) => Json::Null,
        Tree::Some(inner) | Tree::Newtype(_, inner) => to_json(inner),
        Tree::Seq(parts) | Tree::Tuple(parts) | Tree::TupleStruct(_, parts) => all(parts),
        Tree::Map(entries) => {
            Json::Object(entries.iter().map(|(key, v)| (key_to_json(key), to_json(v))).collect())
        }
        Tree::Struct(_, fields) => object(fields),
        Tree::Variant(variant) => {
            let body = match &variant.body {
                Body::Unit => return Json::String(variant.name.clone().into_owned()),
                Body::Newtype(inner) => to_json(inner),
                Body::Tuple(parts) => all(parts),
                Body::Struct(fields) => object(fields),
            };
            Json::Object(Map::from_iter([(variant.name.clone().into_owned(), body)]))
        }
    }
}

fn object(fields: &[(Name, Tree)]) -> Json {
    Json::Object(fields.iter().map(|(name, v)| (name.clone().into_owned(), to_json(v))).collect())
}

/// JSON's keys are strings: a number or a name as it stands, anything else as its JSON text.
fn key_to_json(key: &Tree) -> String {
    match to_json(key) {
        Json::String(text) => text,
        other => other.to_string(),
    }
}

fn leaf_to_json(leaf: &Leaf) -> Json {
    match leaf {
        Leaf::Unit => Json::Null,
        Leaf::Bool(v) => Json::Bool(*v),
        Leaf::I8(v) => Json::from(*v),
        Leaf::I16(v) => Json::from(*v),
        Leaf::I32(v) => Json::from(*v),
        Leaf::I64(v) => Json::from(*v),
        Leaf::U8(v) => Json::from(*v),
        Leaf::U16(v) => Json::from(*v),
        Leaf::U32(v) => Json::from(*v),
        Leaf::U64(v) => Json::from(*v),
        // Beyond 64 bits as a string: most readers of JSON would round it.
        Leaf::I128(v) => i64::try_from(*v).map_or_else(|_| Json::String(v.to_string()), Json::from),
        Leaf::U128(v) => u64::try_from(*v).map_or_else(|_| Json::String(v.to_string()), Json::from),
        // By way of the shortest text, so that 0.1_f32 is shown as 0.1.
        Leaf::F32(v) => float(v.to_string().parse().unwrap_or_else(|_| f64::from(*v))),
        Leaf::F64(v) => float(*v),
        Leaf::Char(v) => Json::String(v.to_string()),
        Leaf::Str(v) => Json::String(v.clone()),
        Leaf::Bytes(v) => Json::String(hexadecimal(v)),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).expect("four bits are one digit");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// `NaN`, `inf` and `-inf` as strings.
fn float(v: f64) -> Json {
    Number::from_f64(v).map_or_else(|| Json::String(v.to_string()), Json::Number)
}
