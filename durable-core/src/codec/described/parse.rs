//! Descriptions from their text, whatever it is: an error says what was expected.

use super::{Definition, Described, Field, Shape, Types, Variant, text::KINDS};
use crate::codec::{
    layout::Form,
    tree::{Kind, Leaf},
};

/// Shapes do not nest deeper in a text.
const DEEPEST: u32 = 64;

/// The rest of a line.
pub(super) struct Text<'t> {
    rest: &'t str,
    depth: u32,
}

type Parsed<T> = Result<T, String>;

impl<'t> Text<'t> {
    fn new(rest: &'t str) -> Self {
        Text { rest: rest.trim(), depth: 0 }
    }

    fn is(&mut self, token: &str) -> bool {
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest.trim_start();
                true
            }
            None => false,
        }
    }

    fn needs(&mut self, token: &str) -> Parsed<()> {
        if self.is(token) { Ok(()) } else { Err(format!("expected `{token}` at `{}`", self.rest)) }
    }

    fn end(&self) -> Parsed<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(format!("unexpected `{}`", self.rest)) }
    }

    fn word(&mut self) -> Parsed<(String, bool)> {
        if self.rest.starts_with('"') {
            return Ok((self.text()?, true));
        }
        let stop = |c: char| !(c.is_alphanumeric() || "_#-+.".contains(c));
        let (word, rest) = self.rest.split_at(self.rest.find(stop).unwrap_or(self.rest.len()));
        if word.is_empty() {
            return Err(format!("expected a name at `{}`", self.rest));
        }
        self.rest = rest.trim_start();
        Ok((word.to_owned(), false))
    }

    fn text(&mut self) -> Parsed<String> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        match values.next() {
            Some(Ok(text)) => {
                self.rest = self.rest[values.byte_offset()..].trim_start();
                Ok(text)
            }
            _ => Err(format!("expected a text in quotes at `{}`", self.rest)),
        }
    }

    fn shape(&mut self) -> Parsed<Shape> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it nests deeper than {DEEPEST} levels"));
        }
        let mut shape = self.plain_shape()?;
        while self.is("?") {
            shape = Shape::Option(Box::new(shape));
        }
        self.depth -= 1;
        Ok(shape)
    }

    fn plain_shape(&mut self) -> Parsed<Shape> {
        if self.is("[") {
            let inner = self.shape()?;
            self.needs("]")?;
            return Ok(Shape::Seq(Box::new(inner)));
        }
        if self.is("{") {
            let key = self.shape()?;
            self.needs(":")?;
            let value = self.shape()?;
            self.needs("}")?;
            return Ok(Shape::Map(Box::new((key, value))));
        }
        if self.rest.starts_with('(') {
            let (mut parts, is_tuple) = self.parts()?;
            return Ok(if is_tuple { Shape::Tuple(parts) } else { parts.remove(0) });
        }
        let (word, is_quoted) = self.word()?;
        let kind = KINDS.iter().find(|(_, name)| !is_quoted && *name == word);
        match (kind, word.as_str()) {
            (Some((kind, _)), _) => Ok(Shape::Leaf(*kind, self.examples(*kind)?)),
            (None, "any") if !is_quoted => Ok(Shape::Any),
            (None, "_") if !is_quoted => Ok(Shape::Unknown),
            _ => Ok(Shape::Named(word)),
        }
    }

    /// What stands in parentheses; without a comma, one is no tuple.
    fn parts(&mut self) -> Parsed<(Vec<Shape>, bool)> {
        self.needs("(")?;
        let (mut parts, mut is_tuple) = (Vec::new(), false);
        while !self.is(")") {
            parts.push(self.shape()?);
            if self.is(",") {
                is_tuple = true;
            } else {
                self.needs(")")?;
                break;
            }
        }
        let is_tuple = is_tuple || parts.is_empty();
        Ok((parts, is_tuple))
    }

    fn examples(&mut self, kind: Kind) -> Parsed<Vec<Leaf>> {
        let mut examples = Vec::new();
        if self.is("like ") {
            loop {
                examples.push(self.leaf(kind)?);
                if !self.is("|") {
                    break;
                }
            }
        }
        Ok(examples)
    }

    fn leaf(&mut self, kind: Kind) -> Parsed<Leaf> {
        if kind == Kind::Unit {
            self.needs("()")?;
            return Ok(Leaf::Unit);
        }
        let (word, _) = self.word()?;
        let leaf = match kind {
            Kind::Bool => word.parse().ok().map(Leaf::Bool),
            Kind::I8 => word.parse().ok().map(Leaf::I8),
            Kind::I16 => word.parse().ok().map(Leaf::I16),
            Kind::I32 => word.parse().ok().map(Leaf::I32),
            Kind::I64 => word.parse().ok().map(Leaf::I64),
            Kind::I128 => word.parse().ok().map(Leaf::I128),
            Kind::U8 => word.parse().ok().map(Leaf::U8),
            Kind::U16 => word.parse().ok().map(Leaf::U16),
            Kind::U32 => word.parse().ok().map(Leaf::U32),
            Kind::U64 => word.parse().ok().map(Leaf::U64),
            Kind::U128 => word.parse().ok().map(Leaf::U128),
            Kind::F32 => word.parse().ok().map(Leaf::F32),
            Kind::F64 => word.parse().ok().map(Leaf::F64),
            Kind::Char => word.parse().ok().map(Leaf::Char),
            Kind::Bytes => bytes(&word).map(Leaf::Bytes),
            Kind::Unit | Kind::Str => Some(Leaf::Str(word.clone())),
        };
        leaf.ok_or_else(|| format!("`{word}` is no value of its type"))
    }

    fn field(&mut self) -> Parsed<Field> {
        let (name, _) = self.word()?;
        let left_out = self.is("(or absent)");
        self.needs(":")?;
        Ok(Field { name, left_out, shape: self.shape()? })
    }

    fn variant(&mut self, next: u32) -> Parsed<Variant> {
        let (mut name, is_quoted) = self.word()?;
        let mut index = next;
        if !is_quoted && self.is("=") {
            index = name.parse().map_err(|_| format!("`{name}` is no number of a variant"))?;
            name = self.word()?.0;
        }
        let nameless = |shape| Field { name: String::new(), left_out: false, shape };
        let (form, parts) = if self.is("of ") {
            (Form::Newtype, vec![nameless(self.shape()?)])
        } else if self.rest.starts_with('(') {
            (Form::Tuple, self.parts()?.0.into_iter().map(nameless).collect())
        } else if self.is("{") {
            let mut fields = Vec::new();
            while !self.is("}") {
                fields.push(self.field()?);
                if !self.is(",") {
                    self.needs("}")?;
                    break;
                }
            }
            (Form::Struct(fields.iter().map(|field| field.name.as_str().into()).collect()), fields)
        } else {
            (Form::Unit, Vec::new())
        };
        Ok(Variant { index, name, form, parts })
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex.chars().map(|c| Some(c.to_digit(16)? as u8)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

impl Described {
    /// Reads what it is displayed as.
    pub(crate) fn parse(text: &str) -> Parsed<Self> {
        let mut text = Text::new(text);
        if text.is("opaque ") {
            let opaque = Described::Opaque { type_name: text.text()?, why: text.text()? };
            text.end()?;
            return Ok(opaque);
        }
        if text.rest == "operation" {
            return Ok(Described::Operation);
        }
        let readable = text.is("named ");
        let shape = text.shape()?;
        text.end()?;
        Ok(Described::Shape { readable, shape })
    }
}

/// Reads a name, which may be in quotes, and gives what follows it.
pub(crate) fn name(text: &str) -> Parsed<(String, &str)> {
    let mut text = Text::new(text);
    let (name, _) = text.word()?;
    Ok((name, text.rest))
}

impl Types {
    /// Takes in a definition, with the lines of its fields or variants.
    pub(crate) fn parse(&mut self, head: &str, lines: &[&str]) -> Parsed<()> {
        let mut text = Text::new(head);
        let (name, _) = text.word()?;
        text.needs("=")?;
        let definition = if text.is("struct") {
            let field = |line: &&str| {
                let mut text = Text::new(line);
                let field = text.field()?;
                text.end().map(|()| field)
            };
            Definition::Struct(lines.iter().map(field).collect::<Parsed<_>>()?)
        } else if text.is("enum") {
            let mut variants: Vec<Variant> = Vec::new();
            for line in lines {
                let mut text = Text::new(line);
                let next = variants.last().map_or(0, |last| last.index.saturating_add(1));
                variants.push(text.variant(next)?);
                text.end()?;
            }
            Definition::Enum(variants)
        } else if text.is("newtype") {
            Definition::Newtype(text.shape()?)
        } else if text.is("tuple") {
            Definition::Tuple(text.parts()?.0)
        } else {
            text.needs("unit")?;
            Definition::Unit
        };
        text.end()?;
        if self.definitions.insert(name.clone(), definition).is_some() {
            return Err(format!("type `{name}` is defined twice"));
        }
        Ok(())
    }
}
