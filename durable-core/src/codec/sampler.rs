//! Values that are made up while a type asks for them: the same `Deserialize` that reads stored values says what it expects, without any.
//!
//! Whatever is open is a *choice*: which sample of a leaf, which variant, `Some` or `None`, how many elements. The first so many are told
//! beforehand, by the script; behind it each choice is its first. What was chosen is noted with its place, so that `trace` can go on to
//! what was not tried.
//!
//! Deliberately absent: any idea of what is right. Who refuses a sample says so, and is given another one.

use super::cursor::{Cursor, Item, Names, Parts, Place};
use super::error::Misfit;
use super::tree::{Kind, LeafRef};

/// More choices are not made in one value.
const MOST: usize = 20_000;

/// What a type expects.
#[derive(Clone, Copy, Debug)]
pub(super) enum Want {
    Leaf(Kind),
    /// Whatever is there.
    Any,
    List,
    Tuple(usize),
    Map,
    Struct(Names),
}

/// A choice that was made.
#[derive(Clone, Debug)]
pub(super) struct Made {
    /// Where: the same for all elements of a list.
    pub(super) place: String,
    pub(super) picked: usize,
    /// Out of so many.
    pub(super) of: usize,
    /// The first so many are worth a value of their own.
    pub(super) worth: usize,
}

/// The choices of one value.
#[derive(Debug, Default)]
pub(super) struct Choices {
    pub(super) script: Vec<usize>,
    pub(super) made: Vec<Made>,
}

impl Choices {
    pub(super) fn new(script: Vec<usize>) -> Self {
        Choices { script, made: Vec::new() }
    }

    pub(super) fn choose(&mut self, place: String, of: usize, worth: usize) -> usize {
        let picked = self.script.get(self.made.len()).copied().unwrap_or(0).min(of.saturating_sub(1));
        self.made.push(Made { place, picked, of, worth });
        picked
    }

    pub(super) fn is_spent(&self) -> bool {
        self.made.len() >= MOST
    }
}

/// Who makes up a value.
#[derive(Debug, Default)]
pub(super) struct Sampler {
    pub(super) choices: Choices,
    /// Names of fields that are other names of fields before them (`alias`): by the address of the list, and the place in it.
    pub(super) aliases: Vec<(usize, usize)>,
    /// The field that was given last.
    pub(super) last: Option<(usize, usize)>,
}

fn address(names: Names) -> usize {
    names.as_ptr().addr()
}

macro_rules! integers {
    ($kind:expr; unsigned $($unsigned:ident $u:ident),*; signed $($signed:ident $i:ident),*) => {
        match $kind {
            $(Kind::$unsigned => {
                (const { &[LeafRef::$unsigned(1), LeafRef::$unsigned(0), LeafRef::$unsigned($u::MAX)] }, 3)
            })*
            $(Kind::$signed => {
                (const { &[LeafRef::$signed(1), LeafRef::$signed(0), LeafRef::$signed($i::MAX), LeafRef::$signed($i::MIN)] }, 4)
            })*
            Kind::Bool => (&[LeafRef::Bool(false), LeafRef::Bool(true)], 2),
            Kind::F32 => (&[LeafRef::F32(1.5), LeafRef::F32(0.0), LeafRef::F32(-2.0)], 3),
            Kind::F64 => (&[LeafRef::F64(1.5), LeafRef::F64(0.0), LeafRef::F64(-2.0)], 3),
            Kind::Char => (&[LeafRef::Char('a'), LeafRef::Char('\u{e9}'), LeafRef::Char('1')], 2),
            Kind::Unit => (&[LeafRef::Unit], 1),
            Kind::Str => (TEXTS, 2),
            Kind::Bytes => (BYTES, 2),
        }
    };
}

/// Samples of a leaf, and how many of them a leaf without conditions of its own accepts; the others are for leaves that refuse these.
pub(super) fn samples(kind: Kind) -> (&'static [LeafRef<'static>], usize) {
    integers!(kind; unsigned U8 u8, U16 u16, U32 u32, U64 u64, U128 u128; signed I8 i8, I16 i16, I32 i32, I64 i64, I128 i128)
}

const TEXTS: &[LeafRef<'static>] = &[
    LeafRef::Str("a"),
    LeafRef::Str(""),
    LeafRef::Str("1"),
    LeafRef::Str("67e55044-10b1-426f-9247-bb680e5fe0c8"),
    LeafRef::Str("https://example.com/"),
    LeafRef::Str("2024-02-29T12:34:56Z"),
    LeafRef::Str("2024-02-29T12:34:56"),
    LeafRef::Str("2024-02-29"),
    LeafRef::Str("12:34:56"),
    LeafRef::Str("2024-02-29T12:34:56+00:00[UTC]"),
    LeafRef::Str("127.0.0.1"),
    LeafRef::Str("::1"),
    LeafRef::Str("127.0.0.1:80"),
    LeafRef::Str("127.0.0.0/8"),
    LeafRef::Str("1.5"),
    LeafRef::Str("1.2.3"),
    LeafRef::Str("PT1S"),
    LeafRef::Str("1s"),
    LeafRef::Str("a@example.com"),
    LeafRef::Str("example.com"),
    LeafRef::Str("true"),
    LeafRef::Str("Mon"),
    LeafRef::Str("USD"),
    LeafRef::Str("en"),
    LeafRef::Str("UTC"),
    LeafRef::Str("#ffffff"),
    LeafRef::Str("text/plain"),
];

// The first is also an ended operation, which is what a future is that does nothing.
const BYTES: &[LeafRef<'static>] = &[
    LeafRef::Bytes(&[2]),
    LeafRef::Bytes(&[]),
    LeafRef::Bytes(&[1; 16]),
    LeafRef::Bytes(&[1; 4]),
    LeafRef::Bytes(&[1; 8]),
    LeafRef::Bytes(&[1; 12]),
    LeafRef::Bytes(&[1; 20]),
    LeafRef::Bytes(&[1; 24]),
    LeafRef::Bytes(&[1; 32]),
    LeafRef::Bytes(&[1; 64]),
];

impl<'r> Cursor<'r> {
    fn choose(&mut self, what: &str, of: usize, worth: usize) -> Result<usize, Misfit> {
        let place = self.place(what);
        match &mut self.sampler {
            Some(sampler) if !sampler.choices.is_spent() => Ok(sampler.choices.choose(place, of, worth)),
            _ => self.refuse("it asks for more than is made up"),
        }
    }

    /// Makes up what is asked for.
    pub(super) fn sample(&mut self, want: Want) -> Result<Item<'r>, Misfit> {
        Ok(match want {
            Want::Leaf(kind) => {
                let (samples, worth) = samples(kind);
                let picked = self.choose(" value", samples.len(), worth)?;
                Item::Leaf(samples[picked])
            }
            Want::Any => self.sample_any()?,
            Want::List => Item::List(Parts::Sampled { left: self.sample_len()?, many: true }),
            Want::Map => Item::Map(Parts::Sampled { left: self.sample_len()?, many: true }),
            Want::Tuple(left) => Item::List(Parts::Sampled { left, many: false }),
            Want::Struct(fields) => Item::Struct(Parts::Sampled { left: fields.len(), many: false }),
        })
    }

    /// One element, or none. Where a type has come back to itself it is to end.
    fn sample_len(&mut self) -> Result<usize, Misfit> {
        let is_closed = self.is_closed();
        let picked = self.choose(" len", 2, if is_closed { 0 } else { 2 })?;
        Ok(if is_closed { picked } else { 1 - picked })
    }

    fn sample_any(&mut self) -> Result<Item<'r>, Misfit> {
        let items = 7;
        Ok(match self.choose(" any", items, items)? {
            0 => Item::Leaf(LeafRef::Str("a")),
            1 => Item::Leaf(LeafRef::U64(1)),
            2 => Item::Leaf(LeafRef::Bool(false)),
            3 => Item::Leaf(LeafRef::F64(1.5)),
            4 => Item::None,
            5 => Item::List(Parts::Sampled { left: 0, many: true }),
            _ => Item::Map(Parts::Sampled { left: 0, many: true }),
        })
    }

    pub(super) fn sample_option(&mut self) -> Result<bool, Misfit> {
        let is_closed = self.is_closed();
        let picked = self.choose("?", 2, if is_closed { 0 } else { 2 })?;
        let is_some = is_closed == (picked == 1);
        if !is_some {
            self.at = Place::Nowhere;
        }
        Ok(is_some)
    }

    pub(super) fn sample_variant(&mut self, of: &str, names: Names) -> Result<usize, Misfit> {
        if names.is_empty() {
            return self.refuse(format!("`{of}` has no values"));
        }
        let nested = self.nested(names);
        let worth = if nested > 1 { 0 } else { names.len() };
        let picked = self.choose(" variant", names.len(), worth)?;
        // Where an enum has come back to itself it is to choose another way.
        let name = names[(picked + nested) % names.len()];
        let depth = self.begin_enum(name, Place::Sampled)?;
        self.frames[depth].names = Some(names);
        Ok(depth)
    }

    /// Which field is given next, past those that are other names.
    pub(super) fn sample_field(&mut self, depth: usize) {
        let Some(sampler) = &mut self.sampler else { return };
        let Some(frame) = self.frames.get_mut(depth) else { return };
        let (Some(names), Parts::Sampled { left, many: false }) = (frame.names, &mut frame.parts) else {
            return;
        };
        while *left > 0 && sampler.aliases.contains(&(address(names), frame.begun)) {
            *left -= 1;
            frame.begun += 1;
        }
        sampler.last = Some((address(names), frame.begun));
    }

    /// How many values of this type the place is inside of.
    fn nested(&self, names: Names) -> usize {
        let same = |other: Names| address(other) == address(names) && other.len() == names.len();
        self.frames.iter().filter_map(|frame| frame.names).filter(|other| same(other)).count()
    }

    /// Whether the type around has come back to itself.
    fn is_closed(&self) -> bool {
        let around = self.frames.iter().rev().find_map(|frame| frame.names);
        around.is_some_and(|names| self.nested(names) > 1)
    }

    /// `.items[].note?`
    fn place(&self, what: &str) -> String {
        let mut place = String::new();
        for frame in &self.frames {
            match (frame.key, frame.names) {
                (Place::Name(name), _) => place = place + "." + name,
                (_, Some(names)) => {
                    place = place + "." + names.get(frame.begun.saturating_sub(1)).unwrap_or(&"");
                }
                _ if !frame.inside => place += "{key}",
                _ if matches!(frame.parts, Parts::Sampled { many: true, .. }) => place += "[]",
                _ => place = format!("{place}[{}]", frame.begun),
            }
        }
        // An option in an option has another place.
        let made = self.sampler.iter().flat_map(|sampler| sampler.choices.made.iter().rev());
        let is_here = |made: &&Made| made.place.ends_with('?') && made.place.trim_end_matches('?') == place;
        let around = made.take_while(is_here).count();
        place + &"?".repeat(around) + what
    }
}
