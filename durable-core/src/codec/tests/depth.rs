//! The limit of nesting is the same for writing and reading, whatever it is that nests.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use crate::codec::{Codec, EncodeError, Persist};

macro_rules! data {
    ($($item:item)*) => { $(#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)] $item)* };
}

data! {
    struct Chain { next: Option<Box<Chain>> }
    struct Wrapped(Vec<Wrapped>);
    struct Pair(u8, Option<Box<Pair>>);
    enum Value {
        Null,
        Inner(Box<Value>),
        Cons(u8, Box<Value>),
        Link { head: u8, tail: Box<Value> },
        Many(Vec<Value>),
        Named(BTreeMap<String, Value>),
    }
}

/// Nests a value until it is refused: all before that are read back, as in a release build.
#[track_caller]
fn check_nesting<T: Persist + Clone + PartialEq + Debug>(start: T, nest: impl Fn(T) -> T) {
    let codec = Codec::new();
    codec.set_checking(false);
    let mut value = start;
    for level in 0..200 {
        let stored = match codec.encode(&value) {
            Ok(stored) => stored,
            Err(error) => {
                assert!(matches!(error, EncodeError::TooDeep { .. }), "level {level}: {error}");
                assert!(level > 60, "level {level}: {error}");
                return;
            }
        };
        let read = codec.decode::<T>(stored.layout, &stored.bytes);
        assert!(read.as_ref() == Ok(&value), "level {level}: {:?}", read.err());
        assert!(codec.view(stored.layout, &stored.bytes).is_ok(), "level {level}");
        value = nest(value);
    }
    panic!("there is no limit");
}

#[test]
fn structs() {
    check_nesting(Chain { next: None }, |inner| Chain { next: Some(Box::new(inner)) });
    check_nesting(Wrapped(Vec::new()), |inner| Wrapped(vec![inner]));
    check_nesting(Pair(0, None), |inner| Pair(1, Some(Box::new(inner))));
}

#[test]
fn variants() {
    check_nesting(Value::Null, |inner| Value::Inner(Box::new(inner)));
    check_nesting(Value::Null, |inner| Value::Cons(1, Box::new(inner)));
    check_nesting(Value::Null, |tail| Value::Link { head: 1, tail: Box::new(tail) });
    check_nesting(Value::Null, |inner| Value::Many(vec![inner]));
    check_nesting(Value::Null, |inner| Value::Named(BTreeMap::from([("k".to_owned(), inner)])));
}

#[test]
fn values_without_a_layout() {
    check_nesting(serde_json::Value::Null, |inner| serde_json::json!([inner]));
    check_nesting(serde_json::Value::Null, |inner| serde_json::json!({ "k": inner }));
}
