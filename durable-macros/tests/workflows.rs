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

#[workflow(name = "fulfilment", deadline = "30d", crate = crate::mini)]
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
    assert_eq!(meta.deadline_ms, Some(30 * 24 * 60 * 60 * 1000));
    assert_eq!(meta.function, "workflows::described");
    assert!(meta.file.ends_with("workflows.rs"));
    let shown: Vec<String> = meta
        .points
        .iter()
        .map(|p| {
            format!(
                "{} {}|{}|{}|{}|{:?}",
                p.name.unwrap_or("-"),
                p.callee,
                p.path,
                p.binding,
                p.args,
                p.vars.split_terminator('\0').collect::<Vec<_>>()
            )
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

/// What an output says of failure.
mod endings {
    use super::mini::__private::{CallError, failed, from_call_error};
    use super::{num, workflow};
    use serde::{Deserialize, Serialize};

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    enum Lost {
        Call,
    }

    impl From<CallError> for Lost {
        fn from(_: CallError) -> Self {
            Self::Call
        }
    }

    type Outcome = Result<u64, Lost>;

    #[workflow(crate = crate::mini)]
    async fn may_be_waited_for(n: u64) -> Outcome {
        Ok(num(n).await)
    }

    #[workflow(crate = crate::mini)]
    async fn nobody_waits(n: u64) -> Result<u64, String> {
        Ok(num(n).await)
    }

    #[workflow(crate = crate::mini)]
    async fn cannot_fail(n: u64) -> u64 {
        num(n).await
    }

    #[workflow(crate = crate::mini)]
    async fn generic<T: Serialize + serde::de::DeserializeOwned>(value: T) -> Result<T, Lost> {
        num(1).await;
        Ok(value)
    }

    #[workflow(crate = crate::mini)]
    async fn gives_nothing(n: u64) {
        num(n).await;
    }

    #[test]
    fn the_type_of_the_output_decides() {
        let call = may_be_waited_for(1);
        assert!(failed(&call, &Err(Lost::Call)) && !failed(&call, &Ok(1)));
        assert_eq!(from_call_error(&call), Some(Err(Lost::Call)));
        let call = nobody_waits(1);
        assert!(failed(&call, &Err("lost".to_owned())) && !failed(&call, &Ok(1)));
        assert_eq!(from_call_error(&call), None);
        let call = generic("text".to_owned());
        assert!(failed(&call, &Err(Lost::Call)) && !failed(&call, &Ok(String::new())));
        assert_eq!(from_call_error(&call), Some(Err(Lost::Call)));
        assert!(!failed(&cannot_fail(1), &1));
        assert_eq!(from_call_error(&cannot_fail(1)), None);
        assert!(!failed(&gives_nothing(1), &()));
    }
}

/// A `select!` in the workflows of an `impl` block and of a generic function, under a name of the user's, and as it is described.
mod selects {
    use super::mini::{self, run_compiled, ticks};
    use super::{DeserializeOwned, Serialize, num, workflow};
    use durable_macros::select;
    use serde::Deserialize;

    #[derive(Serialize, Deserialize)]
    struct Desk<const TIMES: u64>(u64);

    #[workflow(crate = crate::mini)]
    impl<const TIMES: u64> Desk<TIMES> {
        #[workflow]
        async fn first(self, after: u32) -> u64 {
            select! {
                n = Self::of(self.0, after) => n + self.0,
                n = ticks(2, 100u64) => Self::times(n),
            }
        }
    }

    impl<const TIMES: u64> Desk<TIMES> {
        fn of(n: u64, after: u32) -> mini::Ticks<u64> {
            ticks(after, n)
        }

        const fn times(n: u64) -> u64 {
            n * TIMES
        }
    }

    #[workflow(crate = crate::mini)]
    async fn first_of<T: Serialize + DeserializeOwned>(a: T, b: T, after: u32) -> T {
        crate::mini::select! {
            a = ticks(after, a) => a,
            b = ticks(2, b) => b,
        }
    }

    #[workflow(crate = crate::mini)]
    async fn named(after: u32) -> u64 {
        let mut late = ticks(5, 1u64);
        #[resume("first")]
        select! {
            _ = ticks(after, ()) => {}
            n = &mut late => { num(n).await; }
        }
        let sum = select! { Some(n) = ticks(2, Some(after)) => n, else => 0 };
        num(sum.into()).await
    }

    macro_rules! waits_for {
        ($name:ident, $bound:pat = $operation:expr => $body:expr) => {
            #[workflow(crate = crate::mini)]
            async fn $name(n: u64) -> u64 {
                let x = n + 1;
                select! {
                    $bound = $operation, if x > 1 => $body + x,
                    x = ticks(3, n) => x,
                }
            }
        };
    }
    waits_for!(written_by_a_macro, (x, _) = ticks(2, (70u64, ())) => x);

    #[test]
    fn they_run_everywhere() {
        assert_eq!(run_compiled(Desk::<2>(5).first(1)).0, 10);
        assert_eq!(run_compiled(Desk::<2>(5).first(3)).0, 200);
        assert_eq!(run_compiled(first_of("a".to_owned(), "b".to_owned(), 3)).0, "b");
        assert_eq!(run_compiled(first_of(1, 2, 1)).0, 1);
        assert_eq!(run_compiled(written_by_a_macro(1)).0, 72);
        assert_eq!(run_compiled(written_by_a_macro(0)).0, 0);
    }

    #[test]
    fn they_are_described() {
        let call = named(3);
        let meta = mini::__private::meta_of(&call);
        let shown: Vec<_> = meta.points.iter().map(|p| (p.name, p.callee, p.args)).collect();
        assert_eq!(
            shown,
            [
                (Some("first"), "select!", "ticks ( after , ( ) ) , & mut late"),
                (None, "num", "n"),
                (None, "select!", ""),
                (None, "num", "sum . into ( )"),
            ]
        );
        assert_eq!(meta.deadline_ms, None);
        assert_eq!((meta.points[0].line - meta.line, meta.points[0].column), (3, 9));
        assert_eq!(run_compiled(call).0, 3);
        assert_eq!(run_compiled(named(9)).0, 9);
    }
}
