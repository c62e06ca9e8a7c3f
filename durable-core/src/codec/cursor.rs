//! The place in a stored value that is read next: in a [`Tree`], or in bytes along their layout.
//!
//! A value is read with the meaning that its type's author knows from JSON: fields are found by name, unknown ones ignored,
//! `default`, `alias`, `flatten`, untagged and internally tagged enums work; a newtype or `Some` around a value may come or
//! go. Unlike JSON nothing is lost: `Some(())` and `Some(None)`, 128-bit integers, keys of any kind, characters, byte strings.
//! Bytes are read by the same rules, but completely or not at all: what their type ignores, or would read as whatever it
//! finds there, is refused. The same value is then read as a tree.
//!
//! Invariants: whatever the bytes, reading ends, without a panic and within the limits of `view`. A `Deserialize` may
//! swallow the error of a part and go on: a list of parts is known by its depth, and what is left unfinished above it is dropped
//! in a tree, and an error in bytes, where nobody knows any more what comes next.

use smallvec::SmallVec;

use super::error::Misfit;
use super::layout::{Form, Head, Layout, Node};
use super::sampler::{Sampler, Want};
use super::tree::{Body, Kind, Leaf, LeafRef, MAX_DEPTH, Name, Tree};
use super::view::{DEEP, Flaw, Reader};
use super::wire::Scalar;

/// The names that a type has for its fields or variants.
pub(super) type Names = &'static [&'static str];

#[derive(Debug)]
pub(super) struct Cursor<'r> {
    pub(super) at: Place<'r>,
    depth: u32,
    pub(super) frames: SmallVec<[Frame<'r>; 1]>,
    /// Those that are read along `layout`; of a tree there are none.
    pub(super) bytes: Reader<'r>,
    layout: Option<&'r Layout>,
    /// What the `Serialize` that wrote the value was told about the format.
    pub(super) readable: bool,
    /// The same for each part of a tuple whose parts were written apart.
    apart: &'r [bool],
    /// An error was given out, even if somebody swallowed it.
    flawed: bool,
    made: Vec<u8>,
    /// Who makes up what is asked for, where there is no value.
    pub(super) sampler: Option<Box<Sampler>>,
}

/// A value that was not looked into yet.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'r> {
    /// It was read, or there is none.
    Nowhere,
    Name(&'r str),
    Tree(&'r Tree),
    /// What a variant holds, as a value; what a newtype variant holds is one.
    Body(&'r Body),
    Node(u32),
    Form(&'r Form, &'r [u32]),
    /// Whatever is asked for there is made up.
    Sampled,
}

/// A value that was looked into, as far as its parts.
#[derive(Debug)]
pub(super) enum Item<'r> {
    Leaf(LeafRef<'r>),
    None,
    Some(Place<'r>),
    UnitStruct,
    List(Parts<'r>),
    Map(Parts<'r>),
    Struct(Parts<'r>),
    Variant { name: &'r str, index: u32, body: Place<'r>, is_unit: bool },
}

/// The parts that are still to be read.
#[derive(Debug)]
pub(super) enum Parts<'r> {
    Trees(std::slice::Iter<'r, Tree>),
    Pairs(std::slice::Iter<'r, (Tree, Tree)>),
    Fields(std::slice::Iter<'r, (Name, Tree)>),
    /// One value each, of known number.
    Slots(std::slice::Iter<'r, u32>),
    Named(std::iter::Zip<std::slice::Iter<'r, Box<str>>, std::slice::Iter<'r, u32>>),
    /// Values, or keys and values, of the same nodes.
    Repeated {
        slots: &'r [u32],
        left: u64,
    },
    /// A variant as a map of its name to its body.
    Single(Option<(&'r str, Place<'r>)>),
    /// So many that are made up.
    Sampled {
        left: usize,
        /// They are of one type.
        many: bool,
    },
}

impl Parts<'_> {
    fn left(&self) -> usize {
        match self {
            Parts::Trees(rest) => rest.len(),
            Parts::Pairs(rest) => rest.len(),
            Parts::Fields(rest) => rest.len(),
            Parts::Slots(rest) => rest.len(),
            Parts::Named(rest) => rest.len(),
            Parts::Repeated { left, .. } => usize::try_from(*left).unwrap_or(usize::MAX),
            Parts::Single(entry) => usize::from(entry.is_some()),
            Parts::Sampled { left, .. } => *left,
        }
    }
}

/// A list of parts that is being read.
#[derive(Debug)]
pub(super) struct Frame<'r> {
    pub(super) parts: Parts<'r>,
    /// Of the value that the parts belong to.
    depth: u32,
    /// How many were begun.
    pub(super) begun: usize,
    /// The names to give to the parts in place of theirs.
    pub(super) names: Option<Names>,
    /// The key and the value of the entry that is read.
    pub(super) key: Place<'r>,
    value: Place<'r>,
    /// A part is being read.
    pub(super) inside: bool,
}

impl<'r> Cursor<'r> {
    pub(super) fn tree(tree: &'r Tree, readable: bool) -> Self {
        Self::new(Place::Tree(tree), &[], None, readable)
    }

    /// A tuple whose parts were written apart; `apart` says of each whether it was told that people read it.
    pub(super) fn parts(tuple: &'r Tree, apart: &'r [bool]) -> Self {
        Self { apart, ..Self::tree(tuple, false) }
    }

    pub(super) fn bytes(layout: &'r Layout, bytes: &'r [u8]) -> Self {
        Self::new(Place::Node(0), bytes, Some(layout), false)
    }

    /// No value: what is asked for is made up.
    pub(super) fn sampled(sampler: Box<Sampler>, readable: bool) -> Self {
        let mut cursor = Self::new(Place::Sampled, &[], None, readable);
        cursor.sampler = Some(sampler);
        cursor
    }

    fn new(at: Place<'r>, bytes: &'r [u8], layout: Option<&'r Layout>, readable: bool) -> Self {
        let bytes = Reader::new(bytes);
        Self {
            at,
            depth: 0,
            frames: SmallVec::new(),
            bytes,
            layout,
            readable,
            apart: &[],
            flawed: false,
            made: Vec::new(),
            sampler: None,
        }
    }

    /// Whether everything was read, and as what it is.
    pub(super) fn is_complete(&self) -> bool {
        !self.flawed
            && self.frames.is_empty()
            && matches!(self.at, Place::Nowhere)
            && (self.layout.is_none() || self.bytes.is_empty())
    }

    /// Where reading has stopped: `.items[3].note`.
    pub(super) fn path(&self) -> String {
        let step = |frame: &Frame<'_>| match frame.key {
            _ if !frame.inside => String::new(),
            Place::Name(name) => format!(".{name}"),
            Place::Tree(Tree::Leaf(Leaf::Str(name))) => format!(".{name}"),
            Place::Tree(key) => format!("[{}]", super::diff::excerpt(key)),
            _ => format!("[{}]", frame.begun - 1),
        };
        self.frames.iter().map(step).collect()
    }

    #[cold]
    #[inline(never)]
    pub(super) fn refuse<T>(&mut self, message: impl Into<String>) -> Result<T, Misfit> {
        self.flawed = true;
        Err(Misfit::new(message))
    }

    #[inline]
    pub(super) fn checked<T>(&mut self, read: Result<T, Flaw>) -> Result<T, Misfit> {
        match read {
            Ok(value) => Ok(value),
            Err(flaw) => self.refuse(flaw),
        }
    }

    // ---- values

    /// The node, if the bytes may hold another value.
    fn node(&mut self, at: u32) -> Result<&'r Node, Misfit> {
        let counted = self.bytes.count();
        self.checked(counted)?;
        match self.layout {
            Some(layout) => Ok(layout.node(at)),
            None => self.refuse("a tree has no nodes"),
        }
    }

    /// Steps into a leaf that stands in bytes as what the type expects, which is nearly always so, and then all that there is to see.
    #[inline]
    pub(super) fn enter_leaf(&mut self, kind: Kind) -> Result<bool, Misfit> {
        let (Place::Node(at), Some(layout)) = (self.at, self.layout) else { return Ok(false) };
        if !matches!(layout.node(at).head, Head::Leaf(known) if known == kind) {
            return Ok(false);
        }
        self.at = Place::Nowhere;
        let counted = self.bytes.count();
        self.checked(counted).map(|()| true)
    }

    /// The leaf that was stepped into.
    #[inline]
    pub(super) fn scalar<T: Scalar>(&mut self) -> Result<T, Misfit> {
        let value = self.bytes.scalar();
        self.checked(value)
    }

    fn deeper(&mut self) -> Result<(), Misfit> {
        self.depth += 1;
        if self.depth > MAX_DEPTH + 1 { self.refuse(DEEP) } else { Ok(()) }
    }

    pub(super) fn go_to(&mut self, place: Place<'r>) {
        self.at = place;
    }

    fn head(&self) -> Option<&'r Node> {
        match self.at {
            Place::Node(at) => self.layout.map(|layout| layout.node(at)),
            _ => None,
        }
    }

    /// Steps into a newtype, if it is one.
    pub(super) fn enter_newtype(&mut self) -> Result<bool, Misfit> {
        if let Place::Tree(Tree::Newtype(_, inner)) = self.at {
            self.at = Place::Tree(inner);
            return Ok(true);
        }
        if let Some(Node { head: Head::Newtype(_), slots }) = self.head() {
            self.deeper()?;
            self.at = Place::Node(slots[0]);
            return Ok(true);
        }
        Ok(false)
    }

    /// Looks through wrappers that JSON does not show.
    fn unwrap(&mut self) -> Result<(), Misfit> {
        loop {
            if let Place::Tree(Tree::Some(inner)) = self.at
                && !is_hollow(inner)
            {
                self.at = Place::Tree(inner);
            } else if !self.enter_newtype()? {
                return Ok(());
            }
        }
    }

    /// Steps into what is there, if it is not `None`.
    pub(super) fn enter_option(&mut self) -> Result<bool, Misfit> {
        let outside = self.at;
        while self.enter_newtype()? {}
        match self.at {
            Place::Sampled => return self.sample_option(),
            Place::Tree(Tree::None | Tree::Leaf(Leaf::Unit)) => {
                self.at = Place::Nowhere;
                return Ok(false);
            }
            Place::Tree(Tree::Some(inner)) => {
                self.at = Place::Tree(inner);
                return Ok(true);
            }
            _ => {}
        }
        if !matches!(self.head(), Some(Node { head: Head::Option, .. })) {
            // No option: it has become one.
            self.at = outside;
            return Ok(true);
        }
        let Item::Some(inner) = self.item()? else { return Ok(false) };
        self.at = inner;
        Ok(true)
    }

    /// Looks into the value, past its wrappers.
    pub(super) fn item(&mut self) -> Result<Item<'r>, Misfit> {
        self.unwrap()?;
        match std::mem::replace(&mut self.at, Place::Nowhere) {
            Place::Nowhere => self.refuse("a value was read twice"),
            Place::Sampled => self.sample(Want::Any),
            Place::Name(name) => Ok(Item::Leaf(LeafRef::Str(name))),
            Place::Tree(tree) => Ok(item_of(tree)),
            Place::Body(Body::Unit | Body::Newtype(_)) | Place::Form(Form::Unit | Form::Newtype, _) => {
                Ok(Item::Leaf(LeafRef::Unit))
            }
            Place::Body(Body::Tuple(parts)) => Ok(Item::List(Parts::Trees(parts.iter()))),
            Place::Body(Body::Struct(fields)) => Ok(Item::Struct(Parts::Fields(fields.iter()))),
            Place::Node(at) => self.node_item(at),
            Place::Form(Form::Tuple, slots) => Ok(Item::List(Parts::Slots(slots.iter()))),
            Place::Form(Form::Struct(names), slots) => {
                Ok(Item::Struct(Parts::Named(names.iter().zip(slots))))
            }
        }
    }

    fn node_item(&mut self, at: u32) -> Result<Item<'r>, Misfit> {
        let node = self.node(at)?;
        let slots = &*node.slots;
        Ok(match &node.head {
            Head::Unknown | Head::Variant { .. } | Head::Newtype(_) => {
                return self.refuse("its layout does not know what stands here");
            }
            Head::Leaf(kind) => {
                let leaf = self.bytes.leaf(*kind);
                Item::Leaf(self.checked(leaf)?)
            }
            Head::Option => {
                let is_some = self.bytes.scalar::<bool>();
                if self.checked(is_some)? {
                    self.deeper()?;
                    Item::Some(Place::Node(slots[0]))
                } else {
                    Item::None
                }
            }
            Head::Seq | Head::Map => {
                let left = self.bytes.scalar::<u64>();
                let parts = Parts::Repeated { slots, left: self.checked(left)? };
                if let Head::Seq = node.head { Item::List(parts) } else { Item::Map(parts) }
            }
            Head::Tuple | Head::TupleStruct(_) => Item::List(Parts::Slots(slots.iter())),
            Head::UnitStruct(_) => Item::UnitStruct,
            Head::Struct(_, names) => Item::Struct(Parts::Named(names.iter().zip(slots))),
            Head::Enum(_) => {
                let index = self.bytes.scalar::<u32>();
                let index = self.checked(index)?;
                let variant = self.layout.and_then(|layout| Some(layout.node(layout.variant(at, index)?)));
                let Some(Node { head: Head::Variant { name, form, .. }, slots }) = variant else {
                    return self.refuse("its layout does not know this variant");
                };
                let body = match form {
                    Form::Newtype => Place::Node(slots[0]),
                    _ => Place::Form(form, slots),
                };
                Item::Variant { name, index, body, is_unit: *form == Form::Unit }
            }
        })
    }

    /// The value, for a type that expects it to be of this kind.
    pub(super) fn asked(&mut self, want: Want) -> Result<Item<'r>, Misfit> {
        if let Place::Sampled = self.at {
            self.at = Place::Nowhere;
            return self.sample(want);
        }
        self.item()
    }

    // ---- parts

    /// Begins to read parts; gives their depth, by which they are known.
    pub(super) fn begin(&mut self, parts: Parts<'r>, names: Option<Names>) -> Result<usize, Misfit> {
        self.deeper()?;
        let names = names.filter(|names| renames(&parts, names));
        let (key, value) = (Place::Nowhere, Place::Nowhere);
        self.frames.push(Frame { parts, depth: self.depth, begun: 0, names, key, value, inside: false });
        Ok(self.frames.len() - 1)
    }

    /// Back to the parts at `depth`, behind what was read of them.
    #[inline]
    fn resume(&mut self, depth: usize) -> Result<&mut Frame<'r>, Misfit> {
        if self.frames.len() != depth + 1 || !matches!(self.at, Place::Nowhere) {
            self.go_back(depth)?;
        }
        let frame = &mut self.frames[depth];
        self.depth = frame.depth;
        frame.inside = false;
        Ok(frame)
    }

    /// Drops what was left unread above the parts at `depth`.
    #[cold]
    fn go_back(&mut self, depth: usize) -> Result<(), Misfit> {
        let unread = self.frames.len() > depth + 1 || !matches!(self.at, Place::Nowhere);
        if unread && self.layout.is_some() {
            return self.refuse("a part of it was not read to its end");
        }
        if depth >= self.frames.len() {
            return self.refuse("a part was read after its end");
        }
        self.frames.truncate(depth + 1);
        self.at = Place::Nowhere;
        Ok(())
    }

    /// Goes to the next element; `false` at the end.
    pub(super) fn element(&mut self, depth: usize) -> Result<bool, Misfit> {
        let frame = self.resume(depth)?;
        let place = match &mut frame.parts {
            Parts::Trees(rest) => rest.next().map(Place::Tree),
            Parts::Slots(rest) => rest.next().map(|slot| Place::Node(*slot)),
            Parts::Sampled { left, .. } if *left > 0 => {
                *left -= 1;
                Some(Place::Sampled)
            }
            Parts::Repeated { slots: [slot], left } if *left > 0 => {
                *left -= 1;
                Some(Place::Node(*slot))
            }
            _ => None,
        };
        let Some(place) = place else { return Ok(false) };
        let part = frame.begun;
        frame.begun += 1;
        frame.inside = true;
        self.at = place;
        if let (0, Some(readable)) = (depth, self.apart.get(part)) {
            self.readable = *readable;
        }
        Ok(true)
    }

    /// Goes to the next key; `false` at the end.
    pub(super) fn key(&mut self, depth: usize) -> Result<bool, Misfit> {
        self.resume(depth)?;
        if self.sampler.is_some() {
            self.sample_field(depth);
        }
        let frame = &mut self.frames[depth];
        // An array that is read as a struct has elements.
        let nameless = Place::Nowhere;
        let entry = match &mut frame.parts {
            Parts::Pairs(rest) => rest.next().map(|(key, value)| (Place::Tree(key), Place::Tree(value))),
            Parts::Fields(rest) => rest.next().map(|(name, value)| (Place::Name(name), Place::Tree(value))),
            Parts::Named(rest) => rest.next().map(|(name, slot)| (Place::Name(name), Place::Node(*slot))),
            Parts::Trees(rest) => rest.next().map(|tree| (nameless, Place::Tree(tree))),
            Parts::Slots(rest) => rest.next().map(|slot| (nameless, Place::Node(*slot))),
            Parts::Repeated { slots, left } if *left > 0 => {
                *left -= 1;
                match *slots {
                    [key, value] => Some((Place::Node(*key), Place::Node(*value))),
                    [element] => Some((nameless, Place::Node(*element))),
                    _ => None,
                }
            }
            Parts::Sampled { left, .. } if *left > 0 => {
                *left -= 1;
                Some((Place::Sampled, Place::Sampled))
            }
            Parts::Repeated { .. } | Parts::Sampled { .. } => None,
            Parts::Single(entry) => entry.take().map(|(name, body)| (Place::Name(name), body)),
        };
        let Some((mut key, value)) = entry else { return Ok(false) };
        if let Some(names) = frame.names {
            let Some(name) = names.get(frame.begun) else {
                return self.refuse("it has more elements than the struct has fields");
            };
            key = Place::Name(name);
        }
        frame.begun += 1;
        (frame.key, frame.value) = (key, value);
        self.at = key;
        Ok(true)
    }

    /// Goes to the value of the key that was read.
    pub(super) fn value(&mut self, depth: usize) -> Result<(), Misfit> {
        let frame = self.resume(depth)?;
        let place = std::mem::replace(&mut frame.value, Place::Nowhere);
        frame.inside = true;
        self.at = place;
        if let Place::Nowhere = place { self.refuse("a map's value was read before its key") } else { Ok(()) }
    }

    /// Goes to the parts that a variant holds, which are no deeper than the variant: as they were when it was written.
    pub(super) fn variant_parts(&mut self, depth: usize) -> Result<(), Misfit> {
        self.value(depth)?;
        self.depth -= 1;
        Ok(())
    }

    /// Ends the reading of parts, which must be complete.
    pub(super) fn end(&mut self, depth: usize) -> Result<(), Misfit> {
        let in_bytes = self.layout.is_some();
        let frame = self.resume(depth)?;
        let is_list = matches!(frame.parts, Parts::Trees(_) | Parts::Slots(_) | Parts::Repeated { .. });
        let (left, begun, unread) = (frame.parts.left(), frame.begun, !matches!(frame.value, Place::Nowhere));
        if left > 0 && (is_list || in_bytes) {
            return self.refuse(format!("expected {begun} elements, found {}", left.saturating_add(begun)));
        }
        if unread && in_bytes {
            return self.refuse("a part of it was not read");
        }
        self.frames.pop();
        Ok(())
    }

    /// What may be reserved for the parts that are left.
    pub(super) fn size_hint(&self, depth: usize) -> usize {
        let left = self.frames.get(depth).map_or(0, |frame| frame.parts.left());
        if self.layout.is_some() { self.bytes.capped_by_rest(left) } else { left }
    }

    /// An enum as a list of one entry: the key is its variant's name, the value what it holds.
    pub(super) fn begin_enum(&mut self, name: &'r str, body: Place<'r>) -> Result<usize, Misfit> {
        let depth = self.begin(Parts::Single(None), None)?;
        let frame = &mut self.frames[depth];
        (frame.key, frame.value) = (Place::Name(name), body);
        self.at = Place::Name(name);
        Ok(depth)
    }

    /// Looks into the value for a type that takes whatever it finds.
    pub(super) fn whatever(&mut self) -> Result<Item<'r>, Misfit> {
        if self.layout.is_some() {
            return self.refuse("bytes are not read as whatever they hold");
        }
        self.item()
    }

    /// Passes over the value.
    pub(super) fn ignore(&mut self) -> Result<(), Misfit> {
        if self.layout.is_some() {
            return self.refuse("a part of it would be ignored");
        }
        self.at = Place::Nowhere;
        Ok(())
    }

    /// Holds a text that was made of another value, so that it can be lent.
    pub(super) fn keep_text(&mut self, text: String) -> &str {
        self.made = text.into_bytes();
        std::str::from_utf8(&self.made).expect("it is the text from the line above")
    }

    /// Holds a byte string that was made of another value.
    pub(super) fn keep_bytes(&mut self, bytes: Vec<u8>) -> &[u8] {
        self.made = bytes;
        &self.made
    }

    /// Whether what is read is the key of a map.
    pub(super) fn is_key(&self) -> bool {
        self.frames.last().is_some_and(|frame| !frame.inside)
    }

    pub(super) fn is_bytes(&self) -> bool {
        self.layout.is_some()
    }
}

/// Whether a struct's parts go by the names of its type and not by their own: an array has none. Bytes are read by position
/// where the type writes other names than it reads (`rename_all(deserialize = "camelCase")`).
fn renames(parts: &Parts<'_>, names: Names) -> bool {
    match parts {
        Parts::Trees(_) | Parts::Slots(_) | Parts::Repeated { .. } | Parts::Sampled { .. } => true,
        Parts::Named(fields) => {
            let mut own = fields.clone().map(|(name, _)| &**name);
            if own.clone().eq(names.iter().copied()) {
                return false;
            }
            names.len() == own.len() && own.any(|name| !names.contains(&name))
        }
        Parts::Pairs(_) | Parts::Fields(_) | Parts::Single(_) => false,
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

fn item_of(tree: &Tree) -> Item<'_> {
    match tree {
        Tree::Leaf(leaf) => Item::Leaf(leaf.get()),
        Tree::None => Item::None,
        Tree::Some(inner) | Tree::Newtype(_, inner) => Item::Some(Place::Tree(inner)),
        Tree::UnitStruct(_) => Item::UnitStruct,
        Tree::Seq(parts) | Tree::Tuple(parts) | Tree::TupleStruct(_, parts) => {
            Item::List(Parts::Trees(parts.iter()))
        }
        Tree::Map(entries) => Item::Map(Parts::Pairs(entries.iter())),
        Tree::Struct(_, fields) => Item::Struct(Parts::Fields(fields.iter())),
        Tree::Variant(variant) => Item::Variant {
            name: &variant.name,
            index: variant.index,
            body: match &variant.body {
                Body::Newtype(inner) => Place::Tree(inner),
                body => Place::Body(body),
            },
            is_unit: matches!(variant.body, Body::Unit),
        },
    }
}
