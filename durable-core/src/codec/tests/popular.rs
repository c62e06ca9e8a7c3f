//! Types of the standard library and of popular crates.

use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroI128, NonZeroU8, NonZeroU64, Wrapping};
use std::ops::{Bound, Range, RangeInclusive};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use indexmap::{IndexMap, IndexSet};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{check, check_named, check_positional};

#[test]
fn collections() {
    check(&(0..50_u8).map(|i| (i.to_string(), i)).collect::<HashMap<String, u8>>());
    check(&(0..50).collect::<HashSet<u32>>());
    check(&vec![HashSet::from([1_u8, 2, 3]), HashSet::new(), HashSet::from([9])]);
    check(
        &(0..9_u8)
            .map(|i| (i, HashSet::from([i.to_string(), "x".into()])))
            .collect::<HashMap<u8, HashSet<String>>>(),
    );
    check_positional(&BTreeSet::from(['b', 'a']), r#"["a","b"]"#);
    check_positional(&VecDeque::from([1, 2]), "[1,2]");
    check_positional(&LinkedList::from([1, 2]), "[1,2]");
    check_positional(&BinaryHeap::from([1, 3, 2]).into_sorted_vec(), "[1,2,3]");
    check(&IndexMap::<String, u8>::from_iter([("z".into(), 1), ("a".into(), 2)]));
    check_positional(&IndexSet::<u8>::from_iter([3, 1, 2]), "[3,1,2]");
}

#[test]
fn the_standard_library() {
    check_positional(&Duration::new(5, 7), r#"{"nanos":7,"secs":5}"#);
    check(&SystemTime::now());
    check_positional(&IpAddr::from(Ipv4Addr::LOCALHOST), r#"{"V4":[127,0,0,1]}"#);
    check(&vec![IpAddr::from(Ipv6Addr::LOCALHOST), IpAddr::from([1, 2, 3, 4])]);
    check(&SocketAddr::from(([1, 2, 3, 4], 80)));
    check_positional(&PathBuf::from("/a/b"), r#""/a/b""#);
    check_positional(
        &(NonZeroU64::MAX, NonZeroU8::MIN, NonZeroI128::MIN, Wrapping(3_u8)),
        &format!(r#"[{},1,"{}",3]"#, u64::MAX, i128::MIN),
    );
    check_positional(&(1..5_u8), r#"{"end":5,"start":1}"#);
    check::<(Range<u8>, RangeInclusive<char>, Bound<u8>)>(&(1..5, 'a'..='z', Bound::Included(1)));
    check_positional(&(Rc::new(1_u8), Arc::<str>::from("a"), Rc::<[u8]>::from([1, 2])), r#"[1,"a",[1,2]]"#);
    check(&std::cell::RefCell::new(Some(1_u8)));
}

#[test]
fn popular_crates() {
    let id = uuid::Uuid::from_u128(0x1234_5678_9abc_def0_1234_5678_9abc_def0);
    check_positional(&id, r#""123456789abcdef0123456789abcdef0""#);
    check_positional(&Some(vec![id]), r#"["123456789abcdef0123456789abcdef0"]"#);
    check(&std::collections::BTreeMap::from([(id, id)]));
    let time = chrono::DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap();
    check_positional(&time, r#""2023-11-14T22:13:20.123456789Z""#);
    check(&(time.date_naive(), time.naive_utc(), time.time(), time.fixed_offset()));
    check_positional(&chrono::Weekday::Mon, r#""Mon""#);
    check_positional(
        &url::Url::parse("https://example.com/a?b=c").unwrap(),
        r#""https://example.com/a?b=c""#,
    );
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    inner: Inner,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Inner {
    id: uuid::Uuid,
    from: IpAddr,
    at: chrono::DateTime<chrono::Utc>,
    first: char,
    either: Result<u8, String>,
    keys: std::collections::BTreeMap<String, Option<Option<u8>>>,
}

/// serde's buffers claim to be human readable whatever they were filled from.
#[test]
fn types_that_have_two_forms_inside_flatten() {
    let inner = Inner {
        id: uuid::Uuid::from_u128(7),
        from: IpAddr::from([1, 2, 3, 4]),
        at: chrono::DateTime::UNIX_EPOCH,
        first: 'é',
        either: Err("e".into()),
        keys: [("a".to_owned(), Some(Some(1))), ("b".to_owned(), Some(None)), ("c".to_owned(), None)].into(),
    };
    check_named(
        &Flat { inner },
        r#"{"at":"1970-01-01T00:00:00Z","either":{"Err":"e"},"first":"é","from":"1.2.3.4","id":"00000000-0000-0000-0000-000000000007","keys":{"a":1,"b":null,"c":null}}"#,
    );
}

#[derive(Debug, PartialEq, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Email(String);

impl TryFrom<String> for Email {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text.contains('@') { Ok(Self(text)) } else { Err(format!("{text:?} is no address")) }
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

#[derive(Debug, PartialEq)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_byte_buf(Visitor)
    }
}

/// A type that someone else forgot to derive for, in the way that `#[serde(with)]` is used.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Remote {
    #[serde(with = "as_pair")]
    time: std::ops::Range<u8>,
}

mod as_pair {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::ops::Range;

    pub(super) fn serialize<S: Serializer>(range: &Range<u8>, serializer: S) -> Result<S::Ok, S::Error> {
        (range.start, range.end).serialize(serializer)
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Range<u8>, D::Error> {
        let (start, end) = <(u8, u8)>::deserialize(deserializer)?;
        Ok(start..end)
    }
}

#[test]
fn hand_written_forms() {
    check_positional(&Email("a@b".into()), r#""a@b""#);
    check_positional(&Bytes(vec![0, 255, 16]), r#""00ff10""#);
    check_positional(&vec![Bytes(vec![])], r#"[""]"#);
    check_positional(&Remote { time: 1..2 }, r#"{"time":[1,2]}"#);
}
