//! Descriptions as text.

use std::fmt::{self, Display, Formatter, Write};

use super::{Definition, Described, Field, Shape, Types, Variant};
use crate::codec::{
    layout::Form,
    tree::{Kind, Leaf},
};

/// What the kinds of leaves are called. No type has such a name without quotes.
pub(super) const KINDS: [(Kind, &str); 17] = [
    (Kind::Bool, "bool"),
    (Kind::I8, "i8"),
    (Kind::I16, "i16"),
    (Kind::I32, "i32"),
    (Kind::I64, "i64"),
    (Kind::I128, "i128"),
    (Kind::U8, "u8"),
    (Kind::U16, "u16"),
    (Kind::U32, "u32"),
    (Kind::U64, "u64"),
    (Kind::U128, "u128"),
    (Kind::F32, "f32"),
    (Kind::F64, "f64"),
    (Kind::Char, "char"),
    (Kind::Unit, "unit"),
    (Kind::Str, "str"),
    (Kind::Bytes, "bytes"),
];

/// A text in quotes, on one line.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// As it is if it is a word, else in quotes.
pub(super) fn word(text: &str) -> String {
    let is_word = text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '#');
    let is_taken = ["_", "any", "like", "opaque", "named", "operation"].contains(&text)
        || KINDS.iter().any(|(_, kind)| *kind == text);
    if is_word && !is_taken { text.to_owned() } else { quoted(text) }
}

fn list(f: &mut Formatter<'_>, parts: &[Shape]) -> fmt::Result {
    f.write_str("(")?;
    for (at, part) in parts.iter().enumerate() {
        write!(f, "{}{part}", if at > 0 { ", " } else { "" })?;
    }
    f.write_str(if parts.len() == 1 { ",)" } else { ")" })
}

impl Display for Described {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Described::Shape { readable: true, shape } => write!(f, "named {shape}"),
            Described::Shape { readable: false, shape } => write!(f, "{shape}"),
            Described::Operation => f.write_str("operation"),
            Described::Opaque { type_name, why } => write!(f, "opaque {} {}", quoted(type_name), quoted(why)),
        }
    }
}

impl Display for Shape {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Unknown => f.write_str("_"),
            Shape::Any => f.write_str("any"),
            Shape::Leaf(kind, examples) => {
                let name = KINDS.iter().find(|(known, _)| known == kind).map_or("", |(_, name)| name);
                f.write_str(name)?;
                for (at, example) in examples.iter().enumerate() {
                    f.write_str(if at == 0 { " like " } else { " | " })?;
                    leaf(f, example)?;
                }
                Ok(())
            }
            Shape::Option(inner) => match &**inner {
                Shape::Leaf(_, examples) if !examples.is_empty() => write!(f, "({inner})?"),
                _ => write!(f, "{inner}?"),
            },
            Shape::Seq(inner) => write!(f, "[{inner}]"),
            Shape::Map(entry) => write!(f, "{{{}: {}}}", entry.0, entry.1),
            Shape::Tuple(parts) => list(f, parts),
            Shape::Named(name) => f.write_str(&word(name)),
        }
    }
}

fn leaf(f: &mut Formatter<'_>, leaf: &Leaf) -> fmt::Result {
    match leaf {
        Leaf::Bool(value) => write!(f, "{value}"),
        Leaf::I8(value) => write!(f, "{value}"),
        Leaf::I16(value) => write!(f, "{value}"),
        Leaf::I32(value) => write!(f, "{value}"),
        Leaf::I64(value) => write!(f, "{value}"),
        Leaf::I128(value) => write!(f, "{value}"),
        Leaf::U8(value) => write!(f, "{value}"),
        Leaf::U16(value) => write!(f, "{value}"),
        Leaf::U32(value) => write!(f, "{value}"),
        Leaf::U64(value) => write!(f, "{value}"),
        Leaf::U128(value) => write!(f, "{value}"),
        Leaf::F32(value) => write!(f, "{value:?}"),
        Leaf::F64(value) => write!(f, "{value:?}"),
        Leaf::Char(value) => f.write_str(&quoted(&value.to_string())),
        Leaf::Unit => f.write_str("()"),
        Leaf::Str(value) => f.write_str(&quoted(value)),
        Leaf::Bytes(value) => {
            f.write_str("\"")?;
            value.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
            f.write_str("\"")
        }
    }
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Field { name, left_out, shape } = self;
        write!(f, "{}{}: {shape}", word(name), if *left_out { " (or absent)" } else { "" })
    }
}

impl Types {
    /// A type with all that it mentions: equal for types that are stored alike, whatever else has their names.
    pub(crate) fn spelled(&self, described: &Described) -> String {
        let mut described = described.clone();
        let Described::Shape { shape, .. } = &mut described else { return described.to_string() };
        let (mut spelled, mut names) = (Types::default(), Vec::new());
        shape.rename(&mut |name| *name = known(&mut names, name));
        let mut at = 0;
        while at < names.len() {
            let (name, new) = names[at].clone();
            if let Some(definition) = self.definitions.get(&name) {
                let mut definition = definition.clone();
                definition.rename(&mut |name| *name = known(&mut names, name));
                spelled.definitions.insert(new, definition);
            }
            at += 1;
        }
        format!("{described}\n{}", spelled.lines().join("\n"))
    }

    /// Each definition, a line for each of its fields or variants.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, definition) in &self.definitions {
            let name = word(name);
            match definition {
                Definition::Unit => lines.push(format!("type {name} = unit")),
                Definition::Newtype(inner) => lines.push(format!("type {name} = newtype {inner}")),
                Definition::Tuple(parts) => {
                    lines.push(format!("type {name} = tuple {}", Shape::Tuple(parts.clone())));
                }
                Definition::Struct(fields) => {
                    lines.push(format!("type {name} = struct"));
                    lines.extend(fields.iter().map(|field| format!("    {field}")));
                }
                Definition::Enum(variants) => {
                    lines.push(format!("type {name} = enum"));
                    let mut next = 0;
                    for variant in variants {
                        lines.push(format!("    {}", variant.line(next)));
                        next = variant.index + 1;
                    }
                }
            }
        }
        lines
    }
}

/// The name of a type in the order in which types are met.
fn known(names: &mut Vec<(String, String)>, name: &str) -> String {
    if let Some((_, new)) = names.iter().find(|(known, _)| known == name) {
        return new.clone();
    }
    let new = format!("{}#{}", name.split('#').next().unwrap_or(name), names.len());
    names.push((name.to_owned(), new.clone()));
    new
}

impl Shape {
    fn rename(&mut self, each: &mut dyn FnMut(&mut String)) {
        match self {
            Shape::Unknown | Shape::Any | Shape::Leaf(..) => {}
            Shape::Option(inner) | Shape::Seq(inner) => inner.rename(each),
            Shape::Map(entry) => {
                entry.0.rename(each);
                entry.1.rename(each);
            }
            Shape::Tuple(parts) => parts.iter_mut().for_each(|part| part.rename(each)),
            Shape::Named(name) => each(name),
        }
    }
}

impl Definition {
    fn rename(&mut self, each: &mut dyn FnMut(&mut String)) {
        match self {
            Definition::Unit => {}
            Definition::Newtype(inner) => inner.rename(each),
            Definition::Tuple(parts) => parts.iter_mut().for_each(|part| part.rename(each)),
            Definition::Struct(fields) => fields.iter_mut().for_each(|field| field.shape.rename(each)),
            Definition::Enum(variants) => {
                let parts = variants.iter_mut().flat_map(|variant| &mut variant.parts);
                parts.for_each(|part| part.shape.rename(each));
            }
        }
    }
}

impl Variant {
    /// Its index stands there where variants before it are missing.
    fn line(&self, next: u32) -> String {
        let mut line = String::new();
        if self.index != next {
            let _ = write!(line, "{} = ", self.index);
        }
        line += &word(&self.name);
        let shapes = || self.parts.iter().map(|part| part.shape.clone()).collect::<Vec<_>>();
        match &self.form {
            Form::Unit => {}
            Form::Newtype => {
                let _ = write!(line, " of {}", self.parts[0].shape);
            }
            Form::Tuple => {
                let _ = write!(line, " {}", Shape::Tuple(shapes()));
            }
            Form::Struct(_) => {
                let fields: Vec<String> = self.parts.iter().map(ToString::to_string).collect();
                let _ = write!(line, " {{ {} }}", fields.join(", "));
            }
        }
        line
    }
}
