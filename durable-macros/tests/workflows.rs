//! Workflows as a user's crate writes them: under the strictest lints, beside hostile names, calling one another and themselves.
#![forbid(unsafe_code)]
#![deny(warnings, clippy::all, clippy::pedantic, clippy::nursery, rust_2018_idioms, unused)]

#[allow(missing_docs, unreachable_pub, dead_code, clippy::all, clippy::pedantic, clippy::nursery)]
mod mini;

use durable_macros::workflow;
use mini::{Call, run_compiled};
use serde::Serialize;
use serde::de::DeserializeOwned;

fn num(n: u64) -> Call<u64> {
    Call::new(format!("num {n}"), &n)
}

fn echo<T: Serialize + DeserializeOwned + 'static>(value: &T) -> Call<T> {
    Call::new("echo".to_owned(), value)
}

/// Calls itself, without a box.
#[workflow(crate = crate::mini)]
async fn factorial(n: u64) -> u64 {
    let n = num(n).await;
    if n < 2 { 1 } else { n * factorial(n - 1).await }
}

#[test]
fn a_workflow_calls_itself() {
    let (value, log) = run_compiled(factorial(5));
    assert_eq!(value, 120);
    assert_eq!(log, ["num 5", "num 4", "num 3", "num 2", "num 1"]);
}

/// Any value, twice.
#[workflow(crate = crate::mini)]
async fn twice<T>(value: T, times: u64) -> (T, u64)
where
    T: Serialize + DeserializeOwned + Clone + 'static,
{
    let first = echo(&value).await;
    let times = num(times).await;
    drop(echo(&first).await);
    (value, times)
}

/// Calls a generic workflow with two types.
#[workflow(crate = crate::mini)]
async fn generic_calls() -> String {
    let (text, n) = twice("a".to_owned(), 1).await;
    let (numbers, m) = twice(vec![n, 2], 3).await;
    format!("{text} {n} {numbers:?} {m}")
}

#[test]
fn a_generic_workflow_is_called() {
    let (value, log) = run_compiled(generic_calls());
    assert_eq!(value, "a 1 [1, 2] 3");
    assert_eq!(log, ["echo", "num 1", "echo", "echo", "num 3", "echo"]);
}

mod hostile {
    //! Names that generated code must not see.
    #![allow(dead_code, non_camel_case_types, clippy::missing_const_for_fn)]
    use super::{num, run_compiled, workflow};

    struct Option;
    struct Result;
    struct Some;
    struct None;
    struct Iterator;
    struct String;
    struct Poll;
    mod core {}
    mod std {}
    mod durable {}
    struct Vec;

    fn value() -> u64 {
        7
    }

    #[workflow(crate = crate::mini)]
    async fn surrounded(args: u64, cx: u64) -> u64 {
        let resume = args;
        let frame = num(cx).await;
        let mut bad = 0;
        for body in 0..resume {
            bad += num(body).await + value();
            let value = num(bad).await;
            bad += value;
        }
        let num = num(bad).await;
        'bad: loop {
            if num > 0 {
                break 'bad;
            }
        }
        resume + frame + bad + num
    }

    #[test]
    fn generated_code_is_hygienic() {
        let (value, log) = run_compiled(surrounded(2, 9));
        // 0 + 7, doubled; + 1 + 7, doubled.
        assert_eq!(value, 2 + 9 + 44 + 44);
        assert_eq!(log.len(), 6);
    }
}

#[workflow(name = "fulfilment", crate = crate::mini)]
async fn described(customer: u64, list: Vec<u64>) -> u64 {
    let total = num(customer).await;
    for item in &list {
        let item_total = num(*item).await;
        if item_total > total {
            #[resume("bigger")]
            num(item_total + total).await;
        } else {
            let x = item_total;
            let sum = add(x, num(total).await);
            let x = sum + 1;
            num(x + sum).await;
        }
    }
    num(total).await
}

const fn add(a: u64, b: u64) -> u64 {
    a + b
}

#[test]
fn points_are_described() {
    let call = described(2, vec![1, 5]);
    let meta = mini::__private::meta_of(&call);
    assert_eq!(meta.name, "fulfilment");
    assert_eq!(meta.function, "workflows::described");
    assert!(meta.file.ends_with("workflows.rs"));
    let shown: Vec<String> = meta
        .points
        .iter()
        .map(|p| {
            format!("{} {}|{}|{}|{}|{:?}", p.name.unwrap_or("-"), p.callee, p.path, p.binding, p.args, p.vars)
        })
        .collect();
    assert_eq!(
        shown,
        [
            "- num|||customer|[\"list\"]".replace("|||", "||total|"),
            "- num|for|item_total|* item|[\"list\", \"total\", \"for item\"]".to_owned(),
            "bigger num|for/if.then||item_total + total|[\"list\", \"total\", \"for item\"]".to_owned(),
            "- num|for/if.else|sum|total|[\"list\", \"total\", \"for item\", \"add(0)\"]".to_owned(),
            "- num|for/if.else||x + sum|[\"list\", \"total\", \"for item\"]".to_owned(),
            "- num|||total|[]".to_owned(),
        ]
    );
    let lines: Vec<u32> = meta.points.iter().map(|p| p.line - meta.line).collect();
    assert_eq!(lines, [1, 3, 6, 9, 11, 14]);
    let (value, log) = run_compiled(call);
    assert_eq!((value, log.len()), (2, 7));
}
