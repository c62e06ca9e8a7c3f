//! Types that postcard alone would write and never read again, and their friends.

use std::{
    collections::BTreeMap,
    marker::PhantomData,
    num::{NonZeroI64, NonZeroU32},
};

use serde::{Deserialize, Serialize};

/// Fields that are left out when there is nothing in them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Skipping {
    pub(crate) id: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) note: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) items: Vec<u16>,
    #[serde(skip_serializing, default)]
    pub(crate) cache: u64,
    pub(crate) last: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Flat {
    pub(crate) id: u32,
    #[serde(flatten)]
    pub(crate) page: PageOf,
    #[serde(flatten)]
    pub(crate) rest: BTreeMap<String, serde_json::Value>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct PageOf {
    pub(crate) page: u32,
    pub(crate) of: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Internal {
    Text { text: String },
    ToolUse { id: String, input: serde_json::Value },
    Stop,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value")]
pub(crate) enum Adjacent {
    Word(String),
    Pair(u8, i64),
    Nothing,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Untagged {
    Number(i64),
    Words(Vec<String>),
    Named { name: String, big: u64 },
}

/// An even number; an odd one is refused when it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub(crate) struct Even(pub(crate) u32);

impl TryFrom<u32> for Even {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        if number.is_multiple_of(2) { Ok(Even(number)) } else { Err(format!("{number} is odd")) }
    }
}

impl From<Even> for u32 {
    fn from(even: Even) -> u32 {
        even.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Shelf {
    Upper,
    Lower { from_left: u8 },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Unit;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Nothing {
    pub(crate) unit: Unit,
    pub(crate) empty: (),
    pub(crate) array: [u8; 0],
    pub(crate) phantom: PhantomData<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Page<T, K = String> {
    pub(crate) key: K,
    pub(crate) items: Vec<T>,
    pub(crate) next: Option<Box<Page<T, K>>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Tree {
    Leaf(f64),
    Node(Vec<Tree>),
}

pub(crate) fn json() -> serde_json::Value {
    serde_json::json!({
        "null": null, "deep": [{"a": [1, -2, 3.5, 1e300]}, [], {}],
        "big": u64::MAX, "text": "ü\u{0}\"", "bool": false,
    })
}

pub(crate) fn skipping() -> Vec<Skipping> {
    let empty =
        Skipping { id: 7, note: None, items: Vec::new(), cache: 0, last: "behind what is left out".into() };
    let full = Skipping { note: Some("n".into()), items: vec![1, 2], ..empty.clone() };
    vec![empty.clone(), full.clone(), Skipping { items: Vec::new(), ..full }, empty]
}

pub(crate) fn flat() -> Flat {
    Flat {
        id: 1,
        page: PageOf { page: 2, of: None },
        rest: BTreeMap::from([("x".into(), json()), ("y".into(), serde_json::json!(2))]),
    }
}

pub(crate) fn internal() -> Vec<Internal> {
    vec![
        Internal::Text { text: "hello".into() },
        Internal::ToolUse { id: "t1".into(), input: json() },
        Internal::Stop,
    ]
}

pub(crate) fn adjacent() -> Vec<Adjacent> {
    vec![Adjacent::Word("w".into()), Adjacent::Pair(255, i64::MIN), Adjacent::Nothing]
}

pub(crate) fn untagged() -> Vec<Untagged> {
    vec![
        Untagged::Number(-3),
        Untagged::Words(vec!["a".into(), "b".into()]),
        Untagged::Named { name: "n".into(), big: u64::MAX },
    ]
}

/// Options in options, and options of nothing.
pub(crate) type Options = (Vec<Option<Option<u32>>>, Option<()>, Option<()>, Option<Option<Option<String>>>);

pub(crate) fn options() -> Options {
    (vec![None, Some(None), Some(Some(0))], Some(()), None, Some(Some(None)))
}

/// Numbers of 128 bits, bare and deep inside.
pub(crate) type Wide = (u128, i128, BTreeMap<u128, i128>, Option<u128>);

pub(crate) fn wide() -> Wide {
    (u128::MAX, i128::MIN, BTreeMap::from([(1 << 100, -1), (0, i128::MAX)]), Some(1 << 64))
}

/// Maps whose keys are no strings.
pub(crate) type Maps = (
    BTreeMap<(u8, i64), String>,
    BTreeMap<Shelf, Vec<Even>>,
    std::collections::HashMap<char, bool>,
    BTreeMap<Option<u8>, u8>,
);

pub(crate) fn maps() -> Maps {
    (
        BTreeMap::from([((1, -1), "a".into()), ((2, i64::MAX), String::new())]),
        BTreeMap::from([(Shelf::Upper, vec![Even(2)]), (Shelf::Lower { from_left: 3 }, Vec::new())]),
        [('x', true), ('ß', false)].into(),
        BTreeMap::from([(None, 0), (Some(1), 1)]),
    )
}

pub(crate) type Crates =
    (uuid::Uuid, chrono::DateTime<chrono::Utc>, chrono::NaiveDate, url::Url, Vec<Option<uuid::Uuid>>);

pub(crate) fn crates() -> Crates {
    let id = uuid::Uuid::from_u128(0x0123_4567_89ab_cdef_0123_4567_89ab_cdef);
    (
        id,
        chrono::DateTime::from_timestamp(1_893_456_000, 123_456_789).expect("it is in range"),
        chrono::NaiveDate::from_ymd_opt(2028, 2, 29).expect("a leap day"),
        url::Url::parse("https://user@example.org:8080/a%20b?q=1#f").expect("it is a URL"),
        vec![None, Some(id)],
    )
}

pub(crate) type NonZeros = (NonZeroU32, Option<NonZeroI64>, Vec<Option<NonZeroU32>>, Even);

pub(crate) fn non_zeros() -> NonZeros {
    (NonZeroU32::MAX, NonZeroI64::new(-1), vec![None, NonZeroU32::new(1)], Even(1_000_000))
}

pub(crate) type Generic = (Page<u32>, Page<String, (u8, u8)>, Page<Page<Nothing, Unit>>, Tree);

pub(crate) fn generic() -> Generic {
    let last = Page { key: "b".into(), items: vec![3], next: None };
    let inner = Page { key: Unit, items: vec![Nothing::default()], next: None };
    (
        Page { key: "a".into(), items: vec![1, 2], next: Some(Box::new(last)) },
        Page { key: (1, 2), items: Vec::new(), next: None },
        Page { key: "nested".into(), items: vec![inner], next: None },
        Tree::Node(vec![Tree::Leaf(0.1), Tree::Node(Vec::new()), Tree::Node(vec![Tree::Leaf(-0.0)])]),
    )
}

/// Of the standard library, what is written in a way of its own.
pub(crate) type Standard = (
    std::net::IpAddr,
    std::time::Duration,
    std::time::SystemTime,
    std::path::PathBuf,
    Result<(), String>,
    std::ops::Range<i8>,
    (f64, f32, char, [u8; 32]),
);

pub(crate) fn standard() -> Standard {
    (
        std::net::Ipv6Addr::LOCALHOST.into(),
        std::time::Duration::new(5, 7),
        std::time::SystemTime::UNIX_EPOCH + std::time::Duration::new(1_893_456_000, 1),
        "a/b".into(),
        Err("no".into()),
        -3..4,
        (f64::INFINITY, f32::MIN_POSITIVE, '\u{10ffff}', [255; 32]),
    )
}
