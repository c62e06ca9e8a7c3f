//! Values that are carried: each type is an argument, a local that is alive over an activity and a
//! timer, an activity's argument and result, and the workflow's result.

use std::{rc::Rc, sync::Arc};

use durable::{prelude::*, testing};

use super::types;
use crate::support::{HOUR, MINUTE};

/// One workflow and one activity for a type, and the tests of it.
macro_rules! carried {
    ($($module:ident $echo:tt $carry:tt $type:ty = $sample:expr;)*) => {$(
        mod $module {
            use super::*;

            type Value = $type;

            fn sample() -> Value {
                $sample
            }

            #[activity(name = $echo)]
            async fn echo(value: &Value) -> Value {
                value.clone()
            }

            #[workflow(name = $carry)]
            async fn carry(argument: Value) -> (Value, Value, Value) {
                let local = argument.clone();
                let echoed = echo(&local).await;
                sleep(HOUR).await;
                let again = echo(&echoed).await;
                (argument, local, again)
            }

            #[tokio::test]
            async fn is_the_same_after_a_crash_while_the_workflow_waits() {
                let engine = testing::engine().open().await;
                engine.start("carried", carry(sample())).await.unwrap();
                engine.advance(MINUTE).await;
                let before = engine.handle("carried").describe().await.unwrap();
                let locals: Vec<&str> = before.frames[0].locals.iter().map(|(name, _)| name.as_str()).collect();
                for name in ["argument", "local", "echoed"] {
                    assert!(locals.contains(&name), "`{name}` is alive: {locals:?}");
                }

                engine.crash_and_reopen().await;
                let handle = engine.handle("carried").of(carry);
                let after = handle.describe().await.unwrap();
                assert_eq!(after.frames[0].locals, before.frames[0].locals);
                assert_eq!(handle.result().await.unwrap(), (sample(), sample(), sample()));
                let calls: Vec<Value> = engine.calls(echo).iter().map(|(value,)| value.clone()).collect();
                assert_eq!(calls, [sample(), sample()]);

                engine.crash_and_reopen().await;
                let handle = engine.handle("carried").of(carry);
                assert_eq!(handle.result().await.unwrap(), (sample(), sample(), sample()));
            }

            #[tokio::test]
            async fn is_the_same_with_a_crash_at_every_step() {
                let report = testing::crash_at_every_step(|| carry(sample())).await;
                assert!(report.crashes >= 4, "{report:?}");
            }
        }
    )*};
}

carried! {
    skipped_fields "skipping.echo" "skipping.carry" Vec<types::Skipping> = types::skipping();
    flattened "flat.echo" "flat.carry" types::Flat = types::flat();
    internally_tagged "internal.echo" "internal.carry" Vec<types::Internal> = types::internal();
    adjacently_tagged "adjacent.echo" "adjacent.carry" Vec<types::Adjacent> = types::adjacent();
    untagged "untagged.echo" "untagged.carry" Vec<types::Untagged> = types::untagged();
    json "json.echo" "json.carry" serde_json::Value = types::json();
    options "options.echo" "options.carry" types::Options = types::options();
    wide_integers "wide.echo" "wide.carry" types::Wide = types::wide();
    maps_with_odd_keys "maps.echo" "maps.carry" types::Maps = types::maps();
    popular_crates "crates.echo" "crates.carry" types::Crates = types::crates();
    non_zero_and_try_from "nonzero.echo" "nonzero.carry" types::NonZeros = types::non_zeros();
    zero_sized "zero.echo" "zero.carry" types::Nothing = types::Nothing::default();
    generics "generic.echo" "generic.carry" types::Generic = types::generic();
    standard_library "standard.echo" "standard.carry" types::Standard = types::standard();
    shared_by_arc "arc.echo" "arc.carry" Arc<Vec<Arc<str>>> = Arc::new(vec!["a".into(), "b".into()]);
}

#[activity]
async fn letters(word: &str) -> u32 {
    u32::try_from(word.len()).unwrap_or(u32::MAX)
}

/// `Rc` is not `Send`, and need not be: a workflow never crosses a thread with its locals.
#[workflow]
async fn share(word: Rc<str>) -> Rc<(Rc<str>, u32)> {
    let also = Rc::clone(&word);
    let first = letters(&also).await;
    sleep(HOUR).await;
    let second = letters(&word).await;
    Rc::new((also, first + second))
}

#[tokio::test]
async fn an_rc_is_an_argument_a_local_and_a_result() {
    let engine = testing::engine().open().await;
    engine.start("share", share("abc".into())).await.unwrap();
    engine.advance(MINUTE).await;
    engine.crash_and_reopen().await;
    let shared = engine.handle("share").of(share).result().await.unwrap();
    assert_eq!(*shared, (Rc::from("abc"), 6));
}

#[tokio::test]
async fn a_value_of_ten_megabytes_is_carried() {
    let engine = testing::engine().open().await;
    let large: String = "0123456789".repeat(1_000_000);
    engine.start("large", keep_text(large.clone())).await.unwrap();
    engine.advance(MINUTE).await;
    engine.crash_and_reopen().await;
    assert!(engine.handle("large").of(keep_text).result().await.unwrap() == large);
}

#[workflow]
async fn keep_text(text: String) -> String {
    sleep(HOUR).await;
    text
}
