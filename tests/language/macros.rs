//! Macros whose tokens mention locals, among them `bail!` and `ensure!`, and a user's own.

use std::fmt::Write as _;

use durable::{ErrorContext as _, bail, ensure};

use crate::vocabulary::Event;

/// Twice the value, and a name that only the macro knows.
macro_rules! doubled {
    ($value:expr) => {{
        let hidden = $value;
        hidden * 2
    }};
}

/// Binds a name of its caller.
macro_rules! bind {
    ($name:ident = $value:expr) => {
        let $name = $value;
    };
}

macro_rules! pick {
    ($($key:literal => $value:expr),* ; $wanted:expr) => {{
        let wanted = $wanted;
        $(if wanted == $key { $value } else)* { -1 }
    }};
}

twins! {
    async fn inline_captures(n: i64) -> String {
        let total = get(n).await;
        let width = 6;
        let text = say("t").await;
        let first = format!("{total} {total:>width$} {0:?} {text:?} {{total}} {named:03}", n, named = total + 1);
        let total = get(total).await;
        let second = say(&format!("{total}")).await;
        println!("{total} of {text}");
        format!("{first}|{second}|{total:#x}")
    } for (1), (5);

    async fn asserts_hold(n: i64) -> i64 {
        let value = get(n).await;
        let kept = n * 2;
        assert!(value > n, "{value} is not above {n}, {}", kept);
        let next = get(value).await;
        assert_eq!(next, value * 3 + 1, "{kept}");
        assert_ne!(kept, next);
        debug_assert!(kept == n + n);
        next + kept
    } for (1), (3);

    async fn vec_and_matches(n: i64) -> Vec<i64> {
        let a = get(n).await;
        let b = get(a).await;
        let event = event(n).await;
        let mut values = vec![a, n, b];
        values.extend(vec![b; 2]);
        let more = get(3).await;
        if matches!(event, Event::Moved { x, .. } if x < a) || matches!(&event, Event::Many(list) if list.len() as i64 == n) {
            values.push(more);
        }
        store(format!("{event:?}")).await;
        values.push(sum(&vec![more, a]).await);
        values
    } for (1), (2), (3);

    async fn bail_and_ensure(n: i64) -> Result<i64, durable::Error> {
        let value = risky(n).await?;
        let limit = get(5).await;
        ensure!(value < limit, "{value} is over {limit}");
        if value == 6 {
            let why = say("six").await;
            bail!("{why} of {}", n);
        }
        let next = risky(value - 3).await.with_context(|| format!("after {value}"))?;
        ensure!(next != 10);
        let number: i64 = say("1").await.trim_matches(['<', '>']).parse()?;
        Ok(next + number)
    } for (-1), (1), (2), (3), (4), (8);

    async fn write_to_a_local(n: i64) -> String {
        let mut out = String::new();
        for i in 0..n {
            let value = get(i).await;
            write!(out, "{i}={value};").expect("a string takes what is written");
            let said = say(&out).await;
            writeln!(&mut out, "{}", said.len()).expect("a string takes what is written");
        }
        out
    } for (0), (1), (2);

    async fn own_macros(n: i64) -> i64 {
        let hidden = get(n).await;
        let value = doubled!(hidden + n);
        bind!(bound = value + 1);
        let more = get(bound).await;
        let wanted = 3;
        let picked = pick!(1 => hidden, 2 => more + wanted, 3 => doubled!(hidden); n);
        let after = get(picked).await;
        hidden + value + more + picked + after + wanted
    } for (1), (2), (3), (4);

    async fn macros_under_shadowing(n: i64) -> String {
        let x = get(n).await;
        let before = format!("{x}");
        let inner = {
            let x = say(&before).await;
            let y = get(1).await;
            format!("{x}{y}")
        };
        let after = get(x).await;
        let f = |x: i64| format!("{x}+{n}");
        format!("{x} {inner} {} {after} {x:?}", f(after))
    } for (1);

    async fn macros_that_diverge(n: i64) -> i64 {
        let value = get(n).await;
        let kept = if value > 0 { value } else { panic!("{value} of {n}") };
        match maybe(n).await {
            Some(v) if v == kept => unreachable!("{v} {kept}"),
            Some(v) => get(v).await,
            None => kept,
        }
    } for (1), (3);

    async fn json_of_locals(n: i64) -> String {
        let name = say("n").await;
        let total = get(n).await;
        let value = serde_json::json!({ "name": name, "total": total + 1, "list": [n, { "deep": total }] });
        let more = get(value["total"].as_i64().unwrap_or(0)).await;
        format!("{value} {more} {name}")
    } for (1), (2);
}
