//! Layouts: what was written, by names and shapes, apart from the values.
//!
//! A layout is a graph of nodes, because types are recursive: a struct or an enum that stands below itself (the same
//! name, the same fields) is the same node. It grows by absorbing the trees of real values; what no value has shown yet (the
//! inside of an `Option` that was always `None`, a variant never used) is `Unknown` or absent. Trees whose shapes
//! contradict each other at one place have no layout in common and conflict.
//!
//! Two different types of one name and the same fields, one inside the other, also become one node unless their insides
//! contradict each other. That is right for reading bytes; only, a shape that was verified for one counts for both.
//!
//! Invariants: node 0 is the root; the nodes are numbered breadth first, so that equal layouts have equal bytes and
//! hence equal ids; an enum's slots are its variants in the order of their indices.

use std::collections::{HashMap, HashSet, VecDeque};

use serde::{Deserialize, Serialize};

use super::tree::{Body, Kind, Tree, Variant};

/// More than this is not one type but data in the shape of a type; it is written by name instead.
pub(super) const MAX_NODES: usize = 4096;

/// The first byte of a stored layout.
const VERSION: u8 = 1;

/// What stands at a node; its parts are the node's slots.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Head {
    Unknown,
    Leaf(Kind),
    Option,
    Seq,
    Map,
    Tuple,
    UnitStruct(Box<str>),
    Newtype(Box<str>),
    TupleStruct(Box<str>),
    Struct(Box<str>, Vec<Box<str>>),
    Enum(Box<str>),
    /// Only ever in a slot of an `Enum`.
    Variant {
        index: u32,
        name: Box<str>,
        form: Form,
    },
}

/// What a variant holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Form {
    Unit,
    Newtype,
    Tuple,
    Struct(Vec<Box<str>>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Node {
    pub(super) head: Head,
    pub(super) slots: Vec<u32>,
}

/// The shapes that values of one type may have, as far as they were seen.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Layout {
    nodes: Vec<Node>,
}

/// Two shapes at one place, or too many of them.
#[derive(Debug)]
pub(super) struct Conflict;

impl Layout {
    /// Nothing was seen yet.
    pub(super) fn unknown() -> Self {
        Self { nodes: vec![Node { head: Head::Unknown, slots: Vec::new() }] }
    }

    pub(super) fn node(&self, at: u32) -> &Node {
        &self.nodes[at as usize]
    }

    /// The node of a variant of the enum at `at`.
    #[inline]
    pub(super) fn variant(&self, at: u32, index: u32) -> Option<u32> {
        let place = self.place_of(at, index).ok()?;
        Some(self.nodes[at as usize].slots[place])
    }

    fn place_of(&self, at: u32, index: u32) -> Result<usize, usize> {
        self.nodes[at as usize].slots.binary_search_by_key(&index, |slot| {
            match self.nodes[*slot as usize].head {
                Head::Variant { index, .. } => index,
                _ => u32::MAX,
            }
        })
    }

    /// This layout and the shapes of `tree`.
    pub(super) fn grown(&self, tree: &Tree) -> Result<Self, Conflict> {
        // Two types of one name and the same fields, one inside the other, look like a recursive type until their insides
        // contradict each other: then nothing is folded.
        self.grown_by(tree, true).or_else(|Conflict| self.grown_by(tree, false))
    }

    fn grown_by(&self, tree: &Tree, fold: bool) -> Result<Self, Conflict> {
        let mut growth = Growth { nodes: self.clone(), trail: Vec::new(), fold };
        growth.absorb(0, tree)?;
        growth.nodes.canonical()
    }

    /// Every shape of `other` is one of this layout's.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.compare(other, true)
    }

    /// The two layouts read the same bytes the same way, wherever both know the shape.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        self.compare(other, false)
    }

    fn compare(&self, other: &Self, covers: bool) -> bool {
        let mut seen = HashSet::new();
        let mut pairs = vec![(0, 0)];
        while let Some((mine, theirs)) = pairs.pop() {
            if !seen.insert((mine, theirs)) {
                continue;
            }
            let (a, b) = (self.node(mine), other.node(theirs));
            match (&a.head, &b.head) {
                (_, Head::Unknown) => {}
                (Head::Unknown, _) if !covers => {}
                (Head::Enum(x), Head::Enum(y)) if x == y => {
                    for &slot in &b.slots {
                        let Head::Variant { index, .. } = other.node(slot).head else {
                            return false;
                        };
                        match self.variant(mine, index) {
                            Some(own) => pairs.push((own, slot)),
                            None if covers => return false,
                            None => {}
                        }
                    }
                }
                (x, y) if x == y && a.slots.len() == b.slots.len() => {
                    pairs.extend(a.slots.iter().copied().zip(b.slots.iter().copied()));
                }
                _ => return false,
            }
        }
        true
    }

    /// Nothing in it is unknown.
    pub(super) fn is_complete(&self) -> bool {
        !self.nodes.iter().any(|node| node.head == Head::Unknown)
    }

    /// Renumbers breadth first and drops what is not reachable.
    fn canonical(&self) -> Result<Self, Conflict> {
        let (layout, _) = self.rooted(0);
        if layout.nodes.len() > MAX_NODES { Err(Conflict) } else { Ok(layout) }
    }

    /// The part of it that begins at a node, numbered breadth first, and which nodes they were.
    pub(super) fn rooted(&self, root: u32) -> (Self, Vec<u32>) {
        let mut numbers = HashMap::from([(root, 0_u32)]);
        let mut queue = VecDeque::from([root]);
        let (mut nodes, mut were) = (Vec::new(), Vec::new());
        while let Some(at) = queue.pop_front() {
            let mut node = self.node(at).clone();
            for slot in &mut node.slots {
                let next = numbers.len() as u32;
                *slot = *numbers.entry(*slot).or_insert_with_key(|slot| {
                    queue.push_back(*slot);
                    next
                });
            }
            nodes.push(node);
            were.push(at);
        }
        (Self { nodes }, were)
    }

    /// What is stored, and hashed for the id.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        postcard::to_extend(&self.nodes, vec![VERSION]).expect("names and numbers into a Vec can't fail")
    }

    /// Reads a stored layout; whatever the bytes, the result can be walked safely.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        let (&version, rest) = bytes.split_first().ok_or("it is empty")?;
        if version != VERSION {
            return Err("it was written by a newer version of durable");
        }
        let (nodes, rest) =
            postcard::take_from_bytes::<Vec<Node>>(rest).map_err(|_| "it is cut off or garbled")?;
        let layout = Self { nodes };
        if rest.is_empty() && layout.is_sound() { Ok(layout) } else { Err("its nodes contradict each other") }
    }

    fn is_sound(&self) -> bool {
        let in_range = |slot: &u32| (*slot as usize) < self.nodes.len();
        let is_variant = |at: u32| matches!(self.node(at).head, Head::Variant { .. });
        if self.nodes.is_empty() || self.nodes.len() > MAX_NODES || is_variant(0) {
            return false;
        }
        self.nodes.iter().enumerate().all(|(at, node)| {
            if !node.slots.iter().all(in_range) {
                return false;
            }
            if let Head::Enum(_) = node.head {
                let mut last = None;
                return node.slots.iter().all(|slot| {
                    let Head::Variant { index, .. } = self.node(*slot).head else {
                        return false;
                    };
                    last.replace(index) < Some(index)
                }) && at < self.nodes.len();
            }
            let counted = match &node.head {
                Head::Unknown
                | Head::Leaf(_)
                | Head::UnitStruct(_)
                | Head::Variant { form: Form::Unit, .. } => Some(0),
                Head::Option | Head::Seq | Head::Newtype(_) | Head::Variant { form: Form::Newtype, .. } => {
                    Some(1)
                }
                Head::Map => Some(2),
                Head::Struct(_, fields) | Head::Variant { form: Form::Struct(fields), .. } => {
                    Some(fields.len())
                }
                Head::Tuple
                | Head::TupleStruct(_)
                | Head::Variant { form: Form::Tuple, .. }
                | Head::Enum(_) => None,
            };
            counted.is_none_or(|count| count == node.slots.len())
                && !node.slots.iter().any(|slot| is_variant(*slot))
        })
    }
}

/// A layout while it absorbs a tree.
struct Growth {
    nodes: Layout,
    /// The nodes from the root to the place that is being absorbed.
    trail: Vec<u32>,
    fold: bool,
}

impl Growth {
    /// Makes the node at `at` admit `tree`, which is not folded into another node.
    fn absorb(&mut self, at: u32, tree: &Tree) -> Result<(), Conflict> {
        let (head, arity, parts) = shape(tree);
        if self.nodes.node(at).head == Head::Unknown {
            self.fill(at, head.clone(), arity)?;
        }
        let node = self.nodes.node(at);
        let chooses = matches!(head, Head::Enum(_));
        if node.head != head || (!chooses && node.slots.len() != arity) {
            return Err(Conflict);
        }
        self.trail.push(at);
        match tree {
            Tree::Variant(variant) => self.absorb_variant(at, variant)?,
            _ => self.absorb_parts(at, parts)?,
        }
        self.trail.pop();
        Ok(())
    }

    fn absorb_variant(&mut self, at: u32, variant: &Variant) -> Result<(), Conflict> {
        let (head, arity, parts) = variant_shape(variant);
        let node = match self.nodes.place_of(at, variant.index) {
            Ok(place) => self.nodes.node(at).slots[place],
            Err(place) => {
                let new = self.fresh()?;
                self.fill(new, head.clone(), arity)?;
                self.nodes.nodes[at as usize].slots.insert(place, new);
                new
            }
        };
        let known = self.nodes.node(node);
        if known.head != head || known.slots.len() != arity {
            return Err(Conflict);
        }
        self.trail.push(node);
        self.absorb_parts(node, parts)?;
        self.trail.pop();
        Ok(())
    }

    fn absorb_parts(&mut self, at: u32, parts: Vec<(usize, &Tree)>) -> Result<(), Conflict> {
        for (slot, part) in parts {
            let mut stands = self.nodes.node(at).slots[slot];
            if self.nodes.node(stands).head == Head::Unknown
                && let Some(ancestor) = self.ancestor(&shape(part).0)
            {
                // Before the part is absorbed: it may come by this very slot again.
                stands = ancestor;
                self.nodes.nodes[at as usize].slots[slot] = ancestor;
            }
            self.absorb(stands, part)?;
        }
        Ok(())
    }

    /// The node above, of the same head, that a recursive type has come back to.
    fn ancestor(&self, head: &Head) -> Option<u32> {
        let folds =
            matches!(head, Head::Struct(..) | Head::TupleStruct(_) | Head::Newtype(_) | Head::Enum(_));
        if !self.fold || !folds {
            return None;
        }
        // A type can only contain itself through something that can be empty or can choose.
        let mut can_end = false;
        self.trail.iter().rev().copied().find(|&above| {
            let above = &self.nodes.node(above).head;
            can_end |= matches!(above, Head::Option | Head::Seq | Head::Map | Head::Variant { .. });
            can_end && above == head
        })
    }

    fn fresh(&mut self) -> Result<u32, Conflict> {
        // Folding leaves unreachable nodes behind, hence the slack; `canonical` counts exactly.
        if self.nodes.nodes.len() > 2 * MAX_NODES {
            return Err(Conflict);
        }
        self.nodes.nodes.push(Node { head: Head::Unknown, slots: Vec::new() });
        Ok(self.nodes.nodes.len() as u32 - 1)
    }

    fn fill(&mut self, at: u32, head: Head, arity: usize) -> Result<(), Conflict> {
        let slots = (0..arity).map(|_| self.fresh()).collect::<Result<_, _>>()?;
        self.nodes.nodes[at as usize] = Node { head, slots };
        Ok(())
    }
}

type Shape<'t> = (Head, usize, Vec<(usize, &'t Tree)>);

/// A tree's head, its number of slots, and which part goes into which slot.
fn shape(tree: &Tree) -> Shape<'_> {
    let name = |name: &str| Box::<str>::from(name);
    match tree {
        Tree::Leaf(leaf) => (Head::Leaf(leaf.kind()), 0, Vec::new()),
        Tree::None => (Head::Option, 1, Vec::new()),
        Tree::Some(inner) => (Head::Option, 1, vec![(0, &**inner)]),
        Tree::Seq(parts) => (Head::Seq, 1, parts.iter().map(|part| (0, part)).collect()),
        Tree::Map(entries) => (Head::Map, 2, entries.iter().flat_map(|(k, v)| [(0, k), (1, v)]).collect()),
        Tree::Tuple(parts) => (Head::Tuple, parts.len(), parts.iter().enumerate().collect()),
        Tree::UnitStruct(of) => (Head::UnitStruct(name(of)), 0, Vec::new()),
        Tree::Newtype(of, inner) => (Head::Newtype(name(of)), 1, vec![(0, &**inner)]),
        Tree::TupleStruct(of, parts) => {
            (Head::TupleStruct(name(of)), parts.len(), parts.iter().enumerate().collect())
        }
        Tree::Struct(of, fields) => {
            let names = fields.iter().map(|(field, _)| name(field)).collect();
            (
                Head::Struct(name(of), names),
                fields.len(),
                fields.iter().map(|(_, part)| part).enumerate().collect(),
            )
        }
        Tree::Variant(variant) => (Head::Enum(name(&variant.of)), 0, Vec::new()),
    }
}

fn variant_shape(variant: &Variant) -> Shape<'_> {
    let (form, parts): (_, Vec<&Tree>) = match &variant.body {
        Body::Unit => (Form::Unit, Vec::new()),
        Body::Newtype(inner) => (Form::Newtype, vec![inner]),
        Body::Tuple(parts) => (Form::Tuple, parts.iter().collect()),
        Body::Struct(fields) => (
            Form::Struct(fields.iter().map(|(field, _)| Box::from(&**field)).collect()),
            fields.iter().map(|(_, part)| part).collect(),
        ),
    };
    let head = Head::Variant { index: variant.index, name: Box::from(&*variant.name), form };
    (head, parts.len(), parts.into_iter().enumerate().collect())
}
