//! Every construct of the language, as plain async code and as a compiled workflow that is restored at every suspension: the same
//! result and the same sequence of operations. The functions stand in `functions/`, each with the arguments it is run with.
#![deny(warnings)]
#![allow(missing_docs, unreachable_pub, clippy::pedantic)] // of the tests themselves

#[allow(dead_code)]
mod mini;

use mini::Call;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Item {
    sku: String,
    qty: u64,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Coupon {
    code: String,
    value: u64,
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub struct Order {
    name: String,
    items: Vec<Item>,
    coupon: Option<Coupon>,
    tags: BTreeMap<String, u64>,
    pair: (u64, String),
}

#[derive(Serialize, Deserialize, Clone, Debug, PartialEq)]
pub enum State {
    More { n: u64 },
    Hold(u64, String),
    Done { code: String },
}

/// An order with so many items.
fn order(items: u64) -> Order {
    Order {
        name: "ann".to_owned(),
        items: (0..items).map(|n| Item { sku: format!("sku{n}"), qty: n * 2 }).collect(),
        coupon: (items % 2 == 1).then(|| Coupon { code: "C".to_owned(), value: 2 }),
        tags: [("t".to_owned(), 1), ("u".to_owned(), items)].into(),
        pair: (items, "pair".to_owned()),
    }
}

/// Gives the number back.
fn num(n: u64) -> Call<u64> {
    Call::new(format!("num {n}"), &n)
}

/// Gives the number back; ready at its first poll.
#[allow(dead_code)]
fn ready(n: u64) -> Call<u64> {
    Call::new(format!("ready {n}"), &n)
}

/// Gives the text back.
fn text(s: &str) -> Call<String> {
    Call::new(format!("text {s}"), &s.to_owned())
}

/// Fails from 100 on.
fn try_num(n: u64) -> Call<Result<u64, String>> {
    Call::new(format!("try {n}"), &if n < 100 { Ok(n) } else { Err(format!("{n} is too much")) })
}

fn some(n: u64) -> Call<Option<u64>> {
    Call::new(format!("some {n}"), &(n > 0).then_some(n))
}

fn yes(b: bool) -> Call<bool> {
    Call::new(format!("yes {b}"), &b)
}

fn unit(s: &str) -> Call<()> {
    Call::new(format!("unit {s}"), &())
}

fn list(n: u64) -> Call<Vec<u64>> {
    Call::new(format!("list {n}"), &(0..n).collect())
}

fn step(state: State) -> Call<Result<State, String>> {
    let what = format!("step {state:?}");
    let next = match state {
        State::More { n: 0 } => State::Done { code: "ok".to_owned() },
        State::More { n } if n % 3 == 2 => State::Hold(n - 1, "held".to_owned()),
        State::More { n } | State::Hold(n, _) => State::More { n: n.saturating_sub(1) },
        done => done,
    };
    Call::new(what, &Ok(next))
}

/// Runs each function both ways.
macro_rules! twins {
    ($(async fn $name:ident($($params:tt)*) -> $ret:ty { $($body:tt)* } with $(($($arg:expr),*)),+;)*) => {
        mod plain {
            #[allow(unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use tokio::select;
            $(#[allow(clippy::all)] pub async fn $name($($params)*) -> $ret { $($body)* })*
        }
        mod compiled {
            #[allow(unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use durable_macros::select;
            $(#[durable_macros::workflow(crate = crate::mini)] pub async fn $name($($params)*) -> $ret { $($body)* })*
        }
        mod same {
            #[allow(unused_imports)]
            use super::*;
            $(#[test] fn $name() {
                $({
                    let plain = mini::run_plain(plain::$name($($arg),*));
                    let compiled = mini::run_compiled(compiled::$name($($arg),*));
                    assert_eq!(compiled, plain);
                })+
            })*
        }
    };
}

mod straight {
    use super::*;
    include!("functions/straight.rs");
}

mod control {
    use super::*;
    include!("functions/control.rs");
}

mod expressions {
    use super::*;
    include!("functions/expressions.rs");

    fn text_of(a: &str, b: u64, c: String, d: u64) -> String {
        format!("{a}{b}{c}{d}")
    }

    fn join(a: String, b: String, c: String, n: u64) -> String {
        format!("{a}{b}{c}{n}")
    }
}

mod borrows {
    use super::*;
    include!("functions/borrows.rs");
}

mod guards {
    use super::*;
    include!("functions/guards.rs");
}

mod items {
    use super::*;
    include!("functions/items.rs");
}

mod positions {
    use super::*;
    include!("functions/positions.rs");
}

mod configured {
    use super::*;
    include!("functions/configured.rs");
}

mod drops {
    use super::*;
    include!("functions/drops.rs");
}

mod parts {
    use super::*;
    include!("functions/parts.rs");
}

mod select {
    use super::*;
    use mini::{Ticks, ticks};
    include!("functions/select.rs");

    #[derive(Serialize, Deserialize)]
    pub struct Pair {
        left: Ticks<u64>,
        right: Ticks<u64>,
    }
}
