//! Values that were stored by an older program, and processes that restart.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::restarted;
use crate::codec::{Codec, DecodeError, LayoutId, Persist, TypeOf};

macro_rules! data {
    ($($item:item)*) => { $(#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)] $item)* };
}

/// Stores `old`, and reads it as another program's type.
fn read_as<Old: Persist, New: Persist>(old: &Old) -> Result<New, DecodeError> {
    let before = Codec::new();
    let stored = before.encode(old).unwrap();
    let after = restarted(&before.take_new());
    let first = after.decode(stored.layout, &stored.bytes);
    let second = after.decode::<New>(stored.layout, &stored.bytes);
    assert_eq!(first.as_ref().err(), second.as_ref().err(), "the same answer twice");
    first
}

#[track_caller]
fn check_read<Old: Persist, New: Persist + PartialEq + Debug>(old: &Old, new: &New) {
    assert_eq!(read_as::<Old, New>(old).as_ref(), Ok(new));
}

mod old {
    use super::{Deserialize, Serialize};
    data! {
        pub(super) struct Order { pub(super) sku: String, pub(super) qty: u32, pub(super) gone: Vec<u8> }
        pub(super) enum Status { Paid, Sent { at: u64 }, Failed(String) }
        pub(super) struct Id(pub(super) u64);
    }
}

mod new {
    use super::{Deserialize, Serialize};
    data! {
        pub(super) struct Order {
            pub(super) note: Option<String>,
            #[serde(alias = "qty")] pub(super) quantity: u64,
            #[serde(default = "seven")] pub(super) retries: u8,
            pub(super) sku: String,
        }
        pub(super) enum Status { New, #[serde(alias = "Failed")] Broken(String), Sent { at: u64, #[serde(default)] by: String }, Paid }
        pub(super) struct Id { #[serde(flatten)] pub(super) inner: Inner }
        pub(super) struct Inner { pub(super) value: u64 }
        pub(super) struct Needs { pub(super) sku: String, pub(super) price: u32 }
    }
    fn seven() -> u8 {
        7
    }
}

#[test]
fn fields_are_found_by_name() {
    let old = old::Order { sku: "A".into(), qty: 2, gone: vec![1, 2, 3] };
    check_read(&old, &new::Order { note: None, quantity: 2, retries: 7, sku: "A".into() });
    check_read(
        &vec![old.clone()],
        &vec![new::Order { note: None, quantity: 2, retries: 7, sku: "A".into() }],
    );
    check_read(&old, &serde_json::json!({"sku": "A", "qty": 2, "gone": [1, 2, 3]}));
    check_read(
        &old,
        &BTreeMap::from([
            ("sku".to_owned(), serde_json::json!("A")),
            ("qty".into(), 2.into()),
            ("gone".into(), vec![1, 2, 3].into()),
        ]),
    );
}

#[test]
fn variants_are_found_by_name_although_their_order_changed() {
    check_read(&old::Status::Paid, &new::Status::Paid);
    check_read(&old::Status::Failed("x".into()), &new::Status::Broken("x".into()));
    check_read(&old::Status::Sent { at: 1 }, &new::Status::Sent { at: 1, by: String::new() });
}

/// What is read in the same process before and after the new type was seen in other shapes.
#[test]
fn an_old_variant_is_not_taken_for_the_new_one_that_has_its_place() {
    data! { enum Old { A, B } }
    mod today {
        use super::{Deserialize, Serialize};
        data! { #[serde(rename = "Old")] pub(super) enum New { A, X, B } }
    }
    use today::New;
    let before = Codec::new();
    let a = before.encode(&Old::A).unwrap();
    let b = before.encode(&Old::B).unwrap();
    let after = restarted(&before.take_new());
    assert_eq!(after.decode::<New>(b.layout, &a.bytes), Ok(New::A));
    assert_eq!(after.decode::<New>(b.layout, &b.bytes), Ok(New::B));
    let x = after.encode(&New::X).unwrap();
    assert_ne!(x.layout, LayoutId::NAMED);
    for _ in 0..2 {
        assert_eq!(after.decode::<New>(b.layout, &b.bytes), Ok(New::B));
        assert_eq!(after.decode::<New>(x.layout, &x.bytes), Ok(New::X));
        assert_eq!(after.decode::<New>(a.layout, &a.bytes), Ok(New::A));
    }
}

#[test]
fn widened_and_wrapped() {
    check_read(&7_u8, &7_u64);
    check_read(&7_u64, &7_i128);
    check_read(&7_u32, &7.0_f64);
    check_read(&7_u8, &Some(7_u8));
    check_read(&Some(7_u8), &7_u8);
    check_read(&old::Id(7), &7_u64);
    check_read(&7_u64, &old::Id(7));
    check_read(&(1_u8, 2_u8), &vec![1_u8, 2]);
    check_read(&vec![1_u8, 2], &[1_u64, 2]);
    check_read(&HashMap::from([("value".to_owned(), 7_u64)]), &new::Id { inner: new::Inner { value: 7 } });
    check_read(&'x', &"x".to_owned());
    check_read(&"x".to_owned(), &'x');
}

#[test]
fn what_is_refused_leaves_nothing_in_its_slot() {
    data! {
        struct Before { a: u8, b: u8 }
        struct Renamed { c: u8, d: u8 }
    }
    let before = Codec::new();
    let stored = before.encode(&Before { a: 1, b: 2 }).unwrap();
    let after = restarted(&before.take_new());
    let mut slot: Option<Renamed> = None;
    after
        .decode_as(TypeOf::of::<Renamed>(), stored.layout, &stored.bytes, &mut slot)
        .expect_err("none of its fields is there");
    assert_eq!(slot, None, "although it can be read by position");
}

#[test]
fn what_does_not_fit_is_named() {
    let old = vec![old::Order { sku: "A".into(), qty: 2, gone: vec![] }];
    let error = read_as::<_, Vec<new::Needs>>(&old).unwrap_err();
    assert!(error.to_string().ends_with("missing field `price` (at `[0]`)"), "{error}");
    let error = read_as::<_, BTreeMap<String, Option<u8>>>(&BTreeMap::from(
        [("k", 300_u32)].map(|(k, v)| (k.to_owned(), v)),
    ))
    .unwrap_err();
    assert!(error.to_string().contains("300") && error.to_string().ends_with("(at `.k`)"), "{error}");
    assert!(read_as::<_, (u8, u8)>(&(1_u8, 2_u8, 3_u8)).is_err(), "nothing is dropped in silence");
}

#[test]
fn an_unknown_layout_is_asked_for_and_a_false_one_refused() {
    let before = Codec::new();
    let stored = before.encode(&("a".to_owned(), 1_u8)).unwrap();
    let [(id, definition)] = before.take_new().try_into().unwrap();
    let after = Codec::new();
    let unknown = DecodeError::UnknownLayout(LayoutId(id));
    assert_eq!(after.decode::<(String, u8)>(stored.layout, &stored.bytes), Err(unknown.clone()));
    assert_eq!(after.view(stored.layout, &stored.bytes), Err(unknown));
    assert!(matches!(after.learn(LayoutId(id + 1), &definition), Err(DecodeError::BadLayout { .. })));
    after.learn(LayoutId(id), &definition).unwrap();
    assert_eq!(after.decode(stored.layout, &stored.bytes), Ok(("a".to_owned(), 1_u8)));
}

/// A process that saw only some of a type's shapes keeps writing under the layout that the store has.
#[test]
fn restarts_do_not_build_a_chain_of_layouts() {
    type T = Vec<Option<old::Status>>;
    let before = Codec::new();
    let all: T = vec![
        None,
        Some(old::Status::Paid),
        Some(old::Status::Sent { at: 1 }),
        Some(old::Status::Failed("x".into())),
    ];
    let wide = before.encode(&all).unwrap();
    let layouts = before.take_new();
    let after = restarted(&layouts);
    let few = before.encode::<T>(&vec![Some(old::Status::Paid)]).unwrap();
    assert_eq!(after.decode::<T>(few.layout, &few.bytes).unwrap(), vec![Some(old::Status::Paid)]);
    for value in all.chunks(1) {
        assert_eq!(after.encode(&value.to_vec()).unwrap().layout, wide.layout);
    }
    assert_eq!(after.decode::<T>(wide.layout, &wide.bytes).unwrap(), all);
    assert!(after.take_new().is_empty());
}

#[test]
fn threads_share_one_codec() {
    let codec = Codec::new();
    let values: Vec<Option<old::Status>> = vec![
        None,
        Some(old::Status::Paid),
        Some(old::Status::Sent { at: 1 }),
        Some(old::Status::Failed("x".into())),
    ];
    std::thread::scope(|scope| {
        for start in 0..4 {
            let (codec, values) = (&codec, &values);
            scope.spawn(move || {
                for value in values.iter().cycle().skip(start).take(200) {
                    let stored = codec.encode(value).unwrap();
                    assert_eq!(
                        codec.decode::<Option<old::Status>>(stored.layout, &stored.bytes).as_ref(),
                        Ok(value)
                    );
                }
            });
        }
    });
    let after = restarted(&codec.take_new());
    for value in &values {
        let stored = codec.encode(value).unwrap();
        assert_eq!(after.decode::<Option<old::Status>>(stored.layout, &stored.bytes).as_ref(), Ok(value));
    }
}
