//! What can't be read back is refused, and says where.

use std::sync::atomic::Ordering;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};

use super::restarted;
use crate::codec::{Codec, DecodeError, EncodeError, LayoutId, Persist};

macro_rules! data {
    ($($item:item)*) => { $(#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)] $item)* };
}

/// The error that encoding `value` gives, with checking as in debug builds and as in release builds.
#[track_caller]
fn refused<T: Persist>(value: &T) -> EncodeError {
    let [on, off] = [true, false].map(|checking| {
        let codec = Codec::new();
        codec.set_checking(checking);
        let mut out = vec![1, 2, 3];
        let error = codec.encode_into(value, &mut out).expect_err("the value can't be read back");
        assert_eq!(out, [1, 2, 3], "the buffer is as it was");
        assert!(codec.take_new().is_empty(), "no layout is handed out");
        error
    });
    assert_eq!(on, off);
    on
}

data! {
    struct Secret { id: u8, #[serde(skip_serializing)] key: String }
    struct Orders { items: Vec<Item> }
    struct Item { sku: String, #[serde(serialize_with = "shout")] note: String }
    struct Shift {
        #[serde(default, skip_serializing_if = "is_zero")] a: u8,
        b: Vec<u8>,
        c: Vec<u8>,
    }
    struct Deep(Option<Box<Deep>>);
    #[serde(untagged)]
    enum Narrow { Small(u8), Big(u64) }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for the reference
fn is_zero(v: &u8) -> bool {
    *v == 0
}

fn shout<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format!("{text}!"))
}

#[test]
fn a_field_that_is_never_written_but_needed() {
    let error = refused(&Secret { id: 1, key: "k".into() }).to_string();
    assert!(error.contains("Secret` can't be stored") && error.contains("missing field `key`"), "{error}");
    let error = refused(&vec![Secret { id: 1, key: "k".into() }]).to_string();
    assert!(error.contains("(at `[0]`)"), "{error}");
}

#[test]
fn a_lossy_serialize_is_found_with_its_path() {
    let item = |note: &str| Item { sku: "A".into(), note: note.into() };
    let error = refused(&Orders { items: vec![item("a"), item("b")] });
    let EncodeError::Changed { path, wrote, read, .. } = error else { panic!("{error}") };
    assert_eq!((path.as_str(), wrote.as_str(), read.as_str()), (".items[0].note", r#""a!""#, r#""a!!""#));
    // `Big(5)` would come back as `Small(5)`.
    assert!(matches!(refused(&Narrow::Big(5)), EncodeError::Changed { .. }));
}

#[test]
fn values_that_only_checking_can_refuse_are_refused_when_it_is_on() {
    #[derive(Serialize, Deserialize)]
    #[serde(try_from = "u32")]
    struct Even(u32);
    impl TryFrom<u32> for Even {
        type Error = String;
        fn try_from(v: u32) -> Result<Self, String> {
            if v.is_multiple_of(2) { Ok(Self(v)) } else { Err(format!("{v} is odd")) }
        }
    }
    #[derive(Serialize, Deserialize)]
    #[serde(from = "u32")]
    struct Halved(u32);
    impl From<u32> for Halved {
        fn from(v: u32) -> Self {
            Self(v & !1)
        }
    }
    let codec = Codec::new();
    codec.set_checking(true);
    // The derive of `Serialize` writes a newtype where a bare number is expected, hence by name.
    codec.encode(&vec![Even(2)]).unwrap();
    let error = codec.encode(&vec![Even(2), Even(3)]).err().unwrap().to_string();
    assert!(error.contains("3 is odd"), "{error}");
    codec.encode(&(Halved(2), 1_u8)).unwrap();
    let EncodeError::Changed { path, wrote, read, .. } = codec.encode(&(Halved(3), 1_u8)).err().unwrap()
    else {
        panic!("another error")
    };
    assert_eq!((path.as_str(), wrote.as_str(), read.as_str()), ("[0]", "3", "2"));
}

/// `a` is skipped, and the bytes of `b` and `c` alone are those of another, complete value.
#[test]
fn a_skipped_field_does_not_shift_the_rest() {
    let value = Shift { a: 0, b: vec![0], c: vec![] };
    for checking in [true, false] {
        for warm in [true, false] {
            let codec = Codec::new();
            codec.set_checking(checking);
            if warm {
                codec.encode(&Shift { a: 5, b: vec![1], c: vec![2] }).unwrap();
            }
            let stored = codec.encode(&value).unwrap();
            assert_eq!(stored.layout, LayoutId::NAMED);
            assert_eq!(codec.decode::<Shift>(stored.layout, &stored.bytes).as_ref(), Ok(&value));
            assert_eq!(
                restarted(&codec.take_new()).decode::<Shift>(stored.layout, &stored.bytes).as_ref(),
                Ok(&value)
            );
        }
    }
}

/// The control: without layouts the same value is committed and silently read as another.
#[test]
fn without_layouts_a_skipped_field_shifts_the_rest() {
    let bytes = postcard::to_stdvec(&Shift { a: 0, b: vec![0], c: vec![] }).unwrap();
    let back: Shift = postcard::from_bytes(&bytes).unwrap();
    assert_eq!(back, Shift { a: 1, b: vec![], c: vec![] });
}

#[test]
fn too_deep_a_value_is_refused_before_a_stack_overflows() {
    let deep = |levels| (0..levels).fold(Deep(None), |inner, _| Deep(Some(Box::new(inner))));
    Codec::new().encode(&deep(60)).unwrap();
    assert!(matches!(refused(&deep(200)), EncodeError::TooDeep { limit: 128, .. }));
    let codec = Codec::new();
    codec.encode(&deep(60)).unwrap();
    assert!(matches!(codec.encode(&deep(200)), Err(EncodeError::TooDeep { .. })));
}

#[test]
fn the_limit_of_nesting_is_the_same_for_writing_and_reading() {
    let deep = |levels| (0..levels).fold(Deep(None), |inner, _| Deep(Some(Box::new(inner))));
    let codec = Codec::new();
    for levels in 0..100 {
        let Ok(stored) = codec.encode(&deep(levels)) else {
            continue;
        };
        assert!(codec.view(stored.layout, &stored.bytes).is_ok(), "{levels} levels");
        assert_eq!(codec.decode::<Deep>(stored.layout, &stored.bytes), Ok(deep(levels)));
    }
}

#[test]
fn an_error_and_a_panic_of_serialize() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Fickle(u8);
    impl Serialize for Fickle {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                0 => Err(serde::ser::Error::custom("zero is not written")),
                1 => panic!("one is not written"),
                _ => serializer.serialize_newtype_struct("Fickle", &self.0),
            }
        }
    }
    let error = refused(&Fickle(0));
    assert!(error.to_string().contains("zero is not written"), "{error}");
    let codec = Codec::new();
    codec.encode(&Fickle(2)).unwrap();
    assert!(codec.encode(&Fickle(0)).is_err());
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| codec.encode(&Fickle(1)))).unwrap_err();
    let stored = codec.encode(&Fickle(3)).unwrap();
    assert_eq!(codec.decode(stored.layout, &stored.bytes), Ok(Fickle(3)));
    assert_ne!(stored.layout, LayoutId::NAMED, "a value's own failure does not slow its type down");
}

/// A `Serialize` that announces another length than it writes would garble everything behind it.
#[test]
fn a_length_that_is_not_kept_or_not_known() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(transparent)]
    struct Liar(Vec<u8>);
    impl Serialize for Liar {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let announced = if self.0.len() == 1 { None } else { Some(2) };
            let mut seq = serializer.serialize_seq(announced)?;
            self.0.iter().try_for_each(|v| seq.serialize_element(v))?;
            seq.end()
        }
    }
    for bytes in [vec![], vec![1], vec![1, 2], vec![1, 2, 3]] {
        for warm in [true, false] {
            let codec = Codec::new();
            codec.set_checking(false);
            if warm {
                assert_ne!(codec.encode(&(Liar(vec![7, 7]), 9_u8)).unwrap().layout, LayoutId::NAMED);
            }
            let value = (Liar(bytes.clone()), 9_u8);
            let stored = codec.encode(&value).unwrap();
            assert_eq!(codec.decode(stored.layout, &stored.bytes), Ok(value));
        }
    }
}

#[test]
fn damaged_bytes_are_errors() {
    let codec = Codec::new();
    let value = vec![Some(("text".to_owned(), 1_u64)), None];
    let stored = codec.encode(&value).unwrap();
    let named = codec.encode(&serde_json::json!({"a": [1, "b", null]})).unwrap();
    for at in 0..stored.bytes.len() {
        for flip in 1..=255 {
            let mut bytes = stored.bytes.to_vec();
            bytes[at] ^= flip;
            let _ = codec.view(stored.layout, &bytes);
            let _ = codec.decode::<Vec<Option<(String, u64)>>>(stored.layout, &bytes);
        }
    }
    for at in 0..named.bytes.len() {
        for flip in 1..=255 {
            let mut bytes = named.bytes.to_vec();
            bytes[at] ^= flip;
            let _ = codec.decode::<serde_json::Value>(named.layout, &bytes);
        }
    }
    // A million levels, a billion elements.
    assert!(matches!(codec.view(LayoutId::NAMED, &vec![33; 1_000_000]), Err(DecodeError::Malformed { .. })));
    assert!(codec.view(LayoutId::NAMED, &[34, 255, 255, 255, 255, 15]).is_err());
    assert!(codec.view(stored.layout, &[255, 255, 255, 255, 15]).is_err());
    let units = codec.encode(&vec![(); 3]).unwrap();
    assert!(codec.view(units.layout, &[255, 255, 255, 255, 255, 255, 255, 127]).is_err());
}

#[test]
fn damaged_layouts_are_errors() {
    let codec = Codec::new();
    codec.encode(&vec![Some((Ok::<u8, String>(1), Deep(None)))]).unwrap();
    let [(_, definition)] = codec.take_new().try_into().unwrap();
    let mut sound = 0;
    for at in 0..definition.len() {
        for flip in 1..=255 {
            let mut bytes = definition.clone();
            bytes[at] ^= flip;
            let id = LayoutId::of(&bytes);
            if codec.learn(id, &bytes).is_ok() {
                sound += 1;
                for value in [&[][..], &[1, 1, 0, 1, 0], &[1; 300], &[255; 30], &[2; 300]] {
                    let _ = codec.view(id, value);
                }
            }
        }
    }
    assert!(sound > 0, "another letter in a name is another layout, and a sound one");
}

/// postcard formats a `Display` twice, once for the length.
#[test]
fn a_text_that_is_another_one_each_time_does_not_shift_the_rest() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(transparent)]
    struct Growing(String);
    impl std::fmt::Display for Growing {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            static CALLS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
            match self.0.as_str() {
                "grow" => f.write_str(&"x".repeat(CALLS.fetch_add(1, Ordering::Relaxed))),
                still => f.write_str(still),
            }
        }
    }
    impl Serialize for Growing {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self)
        }
    }
    let codec = Codec::new();
    codec.set_checking(false);
    codec.encode(&(Growing("still".into()), 1_u8)).unwrap();
    for _ in 0..3 {
        let stored = codec.encode(&(Growing("grow".into()), 7_u8)).unwrap();
        let (_, behind) = codec.decode::<(Growing, u8)>(stored.layout, &stored.bytes).unwrap();
        assert_eq!(behind, 7);
    }
}
