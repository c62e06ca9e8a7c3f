//! Values of every kind, through every way there is to write and to read them.

// The types here are odd on purpose, and their random parts are cut to size.
#![allow(clippy::option_option, clippy::cast_possible_wrap, clippy::cast_sign_loss)]

mod changes;
mod depth;
mod format;

mod popular;
mod random;
mod refusals;
mod shapes;

use std::fmt::Debug;

use super::{Codec, LayoutId, Persist};

/// A new process: it knows only what the store tells it.
fn restarted(layouts: &[(u64, Vec<u8>)]) -> Codec {
    let codec = Codec::new();
    for (id, definition) in layouts {
        codec.learn(LayoutId(*id), definition).expect("what `take_new` gave can be learned");
    }
    codec
}

/// Checks `value` through everything that must hold for a stored value, and returns how it was written and shown.
#[track_caller]
fn check<T: Persist + PartialEq + Debug>(value: &T) -> (LayoutId, String) {
    check_by(value, |a, b| a == b)
}

#[track_caller]
fn check_by<T: Persist + Debug>(value: &T, same: impl Fn(&T, &T) -> bool) -> (LayoutId, String) {
    let assert_same =
        |back: &T, how: &str| assert!(same(value, back), "{how}: {value:?} came back as {back:?}");
    let mut shown = None;
    for checking in [true, false] {
        let codec = Codec::new();
        codec.set_checking(checking);
        let stored = codec.encode(value).expect("the value is encoded");
        let layouts = codec.take_new();
        assert_eq!(
            layouts.is_empty(),
            stored.layout == LayoutId::NAMED,
            "a layout is handed out with its first value"
        );
        assert_same(&codec.decode(stored.layout, &stored.bytes).unwrap(), "decode");

        let again = codec.encode(value).expect("the value is encoded again");
        assert_eq!(again, stored, "the second encoding is the first");
        assert!(codec.take_new().is_empty(), "a layout is handed out once");

        let view = codec.view(stored.layout, &stored.bytes).unwrap();
        assert_same(&T::deserialize(view.clone()).unwrap(), "by name");
        let json = view.to_json().to_string();

        let codec = restarted(&layouts);
        for round in ["first decode after a restart", "second decode after a restart"] {
            assert_same(&codec.decode(stored.layout, &stored.bytes).unwrap(), round);
        }
        let again = codec.encode(value).unwrap();
        assert_eq!(again.layout, stored.layout, "a restarted process writes under the same layout");
        assert!(codec.take_new().is_empty(), "which is in the store already");

        for end in (0..stored.bytes.len()).step_by(1 + stored.bytes.len() / 64) {
            let cut = &stored.bytes[..end];
            assert!(
                codec.view(stored.layout, cut).is_err(),
                "{end} of {} bytes are not a value",
                stored.bytes.len()
            );
        }
        assert_eq!(*shown.get_or_insert_with(|| (stored.layout, json.clone())), (stored.layout, json));
    }
    shown.unwrap()
}

/// By position, and shown as `json`.
#[track_caller]
fn check_positional<T: Persist + PartialEq + Debug>(value: &T, json: &str) {
    let (layout, shown) = check(value);
    assert_ne!(layout, LayoutId::NAMED, "{value:?} is written by position");
    assert_eq!(shown, json);
}

/// By name, and shown as `json`.
#[track_caller]
fn check_named<T: Persist + PartialEq + Debug>(value: &T, json: &str) {
    let (layout, shown) = check(value);
    assert_eq!(layout, LayoutId::NAMED, "{value:?} is written by name");
    assert_eq!(shown, json);
}
