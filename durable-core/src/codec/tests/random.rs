//! Random values of a type that has everything, through one codec that learns as they come.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::restarted;
use crate::codec::capture::capture;
use crate::codec::diff::diff;
use crate::codec::named;
use crate::codec::tree::{Body, Leaf, Tree, Variant};
use crate::codec::trial::read_tree;
use crate::codec::{Codec, LayoutId, Persist};

/// `SplitMix64`: a failure prints the seed, and the seed gives the same values again.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
    fn text(&mut self) -> String {
        let len = self.below(4);
        (0..len).map(|_| ['a', 'é', '\0', '"'][self.below(4) as usize]).collect()
    }
    fn list<T>(&mut self, mut of: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let len = self.below(4);
        (0..len).map(|_| of(self)).collect()
    }
    fn maybe<T>(&mut self, of: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| of(self))
    }
}

macro_rules! data {
    ($($item:item)*) => { $(#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)] $item)* };
}

data! {
    /// Written by position, whatever its value.
    struct Regular {
        id: u64,
        big: i128,
        text: String,
        maybe: Option<Option<u16>>,
        kind: Kind,
        children: Vec<Regular>,
        by_key: HashMap<(u8, char), Kind>,
        set: HashSet<u8>,
        outcome: Result<(), String>,
    }
    enum Kind { Nothing, One(Option<()>), Two(i8, String), Fields { a: f64, b: Vec<u8> }, Again(Box<Kind>) }
    /// Written by position or by name, depending on the value.
    struct Irregular {
        #[serde(default, skip_serializing_if = "Option::is_none")] note: Option<String>,
        regular: Regular,
        #[serde(flatten)] rest: BTreeMap<String, serde_json::Value>,
        step: Step,
    }
    #[serde(tag = "kind")]
    enum Step { Start, Run { name: String, tries: u8 }, Stop(Stop) }
    struct Stop { why: Option<String> }
}

fn kind(random: &mut Random, depth: u8) -> Kind {
    match random.below(if depth == 0 { 4 } else { 5 }) {
        0 => Kind::Nothing,
        1 => Kind::One(random.maybe(|_| ())),
        2 => Kind::Two(random.next() as i8, random.text()),
        3 => Kind::Fields { a: random.below(100) as f64 / 8.0, b: random.list(|r| r.next() as u8) },
        _ => Kind::Again(Box::new(kind(random, depth - 1))),
    }
}

fn regular(random: &mut Random, depth: u8) -> Regular {
    Regular {
        id: random.next(),
        big: i128::from(random.next() as i64) << random.below(60),
        text: random.text(),
        maybe: random.maybe(|r| r.maybe(|r| r.next() as u16)),
        kind: kind(random, 3),
        children: if depth == 0 { Vec::new() } else { random.list(|r| regular(r, depth - 1)) },
        by_key: random.list(|r| ((r.next() as u8, 'x'), kind(r, 1))).into_iter().collect(),
        set: random.list(|r| r.next() as u8).into_iter().collect(),
        outcome: random.maybe(Random::text).map_or(Ok(()), Err),
    }
}

fn json(random: &mut Random, depth: u8) -> serde_json::Value {
    match random.below(if depth == 0 { 4 } else { 6 }) {
        0 => serde_json::Value::Null,
        1 => random.next().into(),
        2 => random.text().into(),
        3 => (random.below(100) as f64 / 8.0).into(),
        4 => random.list(|r| json(r, depth - 1)).into(),
        _ => random.list(|r| (r.text(), json(r, depth - 1))).into_iter().collect(),
    }
}

fn irregular(random: &mut Random) -> Irregular {
    Irregular {
        note: random.maybe(Random::text),
        regular: regular(random, 1),
        rest: random.list(|r| (format!("x{}", r.text()), json(r, 3))).into_iter().collect(),
        step: match random.below(3) {
            0 => Step::Start,
            1 => Step::Run { name: random.text(), tries: 3 },
            _ => Step::Stop(Stop { why: random.maybe(Random::text) }),
        },
    }
}

fn run<T: Persist + PartialEq + std::fmt::Debug>(make: impl Fn(&mut Random) -> T) -> (usize, usize) {
    let mut named = 0;
    let mut layouts = 0;
    for seed in 0..40 {
        let mut random = Random(seed);
        let codec = Codec::new();
        codec.set_checking(seed % 2 == 0);
        let mut disk = Vec::new();
        let mut stored = Vec::new();
        for step in 0..20 {
            let value = make(&mut random);
            let encoded =
                codec.encode(&value).unwrap_or_else(|error| panic!("seed {seed}, step {step}: {error}"));
            disk.extend(codec.take_new());
            assert_eq!(
                codec.decode::<T>(encoded.layout, &encoded.bytes).as_ref(),
                Ok(&value),
                "seed {seed}, step {step}"
            );
            named += usize::from(encoded.layout == LayoutId::NAMED);
            stored.push((value, encoded));
        }
        layouts = layouts.max(disk.len());
        // Another process reads them in another order, some of them again, and writes meanwhile.
        let after = restarted(&disk);
        for step in 0..40 {
            let (value, encoded) = &stored[random.below(stored.len() as u64) as usize];
            assert_eq!(
                after.decode::<T>(encoded.layout, &encoded.bytes).as_ref(),
                Ok(value),
                "seed {seed}, restarted, step {step}"
            );
            let view = after.view(encoded.layout, &encoded.bytes).unwrap();
            assert_eq!(T::deserialize(view).as_ref().ok(), Some(value), "seed {seed}, by name, step {step}");
            after
                .encode(&make(&mut random))
                .unwrap_or_else(|error| panic!("seed {seed}, restarted, step {step}: {error}"));
        }
    }
    (named, layouts)
}

#[test]
fn regular_values_are_always_written_by_position() {
    let (named, layouts) = run(|random| regular(random, 2));
    assert_eq!(named, 0);
    assert!(layouts < 20, "the layouts of a type converge: {layouts}");
}

#[test]
fn irregular_values_are_written_by_name() {
    let (named, _) = run(irregular);
    assert_eq!(named, 800);
}

fn tree(random: &mut Random, depth: u8) -> Tree {
    let leaf = |random: &mut Random| match random.below(6) {
        0 => Leaf::Unit,
        1 => Leaf::U128(u128::from(random.next()) << 32),
        2 => Leaf::F64(f64::from_bits(random.next())),
        3 => Leaf::Bytes(random.list(|r| r.next() as u8)),
        4 => Leaf::Char('é'),
        _ => Leaf::Str(random.text()),
    };
    if depth == 0 {
        return Tree::Leaf(leaf(random));
    }
    let depth = depth - 1;
    let fields = |random: &mut Random| random.list(|r| (r.text().into(), tree(r, depth)));
    match random.below(11) {
        0 => Tree::None,
        1 => Tree::Some(Box::new(tree(random, depth))),
        2 => Tree::Seq(random.list(|r| tree(r, depth))),
        3 => Tree::Map(random.list(|r| (tree(r, depth), tree(r, depth)))),
        4 => Tree::Tuple(random.list(|r| tree(r, depth))),
        5 => Tree::UnitStruct(random.text().into()),
        6 => Tree::Newtype(random.text().into(), Box::new(tree(random, depth))),
        7 => Tree::TupleStruct(random.text().into(), random.list(|r| tree(r, depth))),
        8 => Tree::Struct(
            "a name of more than sixty-four bytes is written out every time, as here".into(),
            fields(random),
        ),
        9 => Tree::Leaf(leaf(random)),
        _ => Tree::Variant(Box::new(Variant {
            of: random.text().into(),
            index: random.next() as u32,
            name: random.text().into(),
            body: match random.below(4) {
                0 => Body::Unit,
                1 => Body::Newtype(tree(random, depth)),
                2 => Body::Tuple(random.list(|r| tree(r, depth))),
                _ => Body::Struct(fields(random)),
            },
        })),
    }
}

#[test]
fn any_tree_survives_the_named_encoding() {
    for seed in 0..2_000 {
        let tree = tree(&mut Random(seed), 4);
        assert_eq!(named::read(&named::write(&tree)).as_ref(), Ok(&tree), "seed {seed}");
    }
}

#[test]
fn random_bytes_never_panic() {
    let codec = Codec::new();
    let layout = codec.encode(&regular(&mut Random(1), 3)).unwrap().layout;
    for seed in 0..5_000 {
        let mut random = Random(seed);
        let len = random.below(60);
        let bytes: Vec<u8> = (0..len)
            .map(|_| if random.below(3) == 0 { random.next() as u8 } else { random.below(46) as u8 })
            .collect();
        if let Ok(view) = codec.view(layout, &bytes) {
            let _ = view.to_json();
        }
        if let Ok(tree) = named::read(&bytes) {
            let _ = read_tree(&mut None::<Irregular>, &tree, true);
        }
    }
}

/// The comparison itself: one changed leaf anywhere is found.
#[test]
fn every_change_is_a_difference() {
    for seed in 0..200 {
        let value = regular(&mut Random(seed), 2);
        let same = capture(&value.clone(), false).unwrap().tree;
        let mut changed = value.clone();
        match seed % 4 {
            0 => changed.id ^= 1,
            1 => changed.text.push('z'),
            2 => changed.kind = Kind::Again(Box::new(value.kind.clone())),
            _ => changed.children.push(value.clone()),
        }
        let wrote = capture(&value, false).unwrap().tree;
        assert_eq!(diff(&wrote, &same), None, "seed {seed}");
        assert!(diff(&wrote, &capture(&changed, false).unwrap().tree).is_some(), "seed {seed}");
    }
}
