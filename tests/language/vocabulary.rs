//! What the functions call: activities that answer from their arguments alone, and stand-ins that answer the same at once.
//! Both log each call. The types that they speak of are here too.

use std::{
    cell::RefCell,
    collections::BTreeMap,
    mem,
    sync::{Arc, Mutex},
};

use durable::{
    CallError, State,
    testing::{TestBuilder, mock},
};
use serde::{Deserialize, Serialize};

use crate::compare::TAKES;

/// The calls that one run of a workflow made, in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<String>>>);

thread_local! {
    /// A plain function runs on the thread of its test.
    static STAND_INS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

impl Log {
    fn push(&self, call: String) {
        self.0.lock().expect("no code panics while it holds this lock").push(call);
    }

    pub(crate) fn take(&self) -> Vec<String> {
        mem::take(&mut self.0.lock().expect("no code panics while it holds this lock"))
    }

    /// Notes a call of a stand-in.
    pub(crate) fn stand_in(call: impl Into<String>) {
        STAND_INS.with_borrow_mut(|calls| calls.push(call.into()));
    }
}

/// The calls that stand-ins noted since the last time.
pub(crate) fn take_stand_in_log() -> Vec<String> {
    STAND_INS.take()
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) city: String,
    pub(crate) zip: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) sku: String,
    pub(crate) qty: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) items: Vec<Item>,
    pub(crate) address: Address,
    pub(crate) note: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Event {
    Idle,
    Moved { x: i64, y: i64 },
    Said(String),
    Many(Vec<i64>),
    Twice(Box<Event>, Box<Event>),
}

/// A machine that counts down and then ends; at 13 it breaks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Machine {
    Running { left: i64, trace: Vec<String> },
    Done(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Fault {
    Seven(i64),
    Broken,
    Odd { n: i64 },
    Call(CallError),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Fault {}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        Fault::Call(error)
    }
}

impl From<std::num::ParseIntError> for Fault {
    fn from(_: std::num::ParseIntError) -> Self {
        Fault::Broken
    }
}

macro_rules! vocabulary {
    ($($name:ident [$($options:tt)*] ($($arg:ident),*) ($($params:tt)*) -> $ret:ty,
        |$($owned:ident : $kept:ty),*| $call:tt, $answer:expr;)*) => {
        mod answers {
            use super::*;
            $(pub(super) fn $name($($params)*) -> $ret { $answer })*
        }

        /// What the plain twins call.
        pub(crate) mod stand_in {
            use super::*;
            $(pub(crate) async fn $name($($params)*) -> $ret {
                Log::stand_in(entry(stringify!($name), &[$(format!("{:?}", $arg)),*]));
                answers::$name($($arg),*)
            })*

            pub(crate) async fn sleep(_: std::time::Duration) {}
        }

        /// What the workflows call.
        pub(crate) mod activities {
            use super::*;
            use durable::activity;
            pub(crate) use durable::sleep;

            $(
                #[activity($($options)*)]
                pub(crate) async fn $name(State(log): State<Log>, $($params)*) -> $ret {
                    log.push(entry(stringify!($name), &[$(format!("{:?}", $arg)),*]));
                    answers::$name($($arg),*)
                }
            )*
        }

        /// Gives every activity a script that takes its time.
        pub(crate) fn mocked(builder: TestBuilder, log: &Log) -> TestBuilder {
            $(
                let log_of_calls = log.clone();
                let builder = builder.mock(mock(activities::$name).delay(TAKES).then(move |$($owned: $kept),*| {
                    log_of_calls.push(entry(stringify!($name), &[$(format!("{:?}", $owned)),*]));
                    answers::$name $call
                }));
            )*
            builder
        }
    };
}

fn entry(name: &str, args: &[String]) -> String {
    format!("{name}({})", args.join(", "))
}

vocabulary! {
    get [] (n) (n: i64) -> i64, |n: i64| (n), n * 3 + 1;
    add [] (a, b) (a: i64, b: i64) -> i64, |a: i64, b: i64| (a, b), a + b;
    flag [] (n) (n: i64) -> bool, |n: i64| (n), n % 2 == 0;
    say [] (text) (text: &str) -> String, |text: String| (&text), format!("<{text}>");
    store [] (text) (text: String) -> (), |text: String| (text), drop(text);
    list [] (n) (n: i64) -> Vec<i64>, |n: i64| (n), (0..n).map(|i| i * i + n).collect();
    words [] (n) (n: i64) -> Vec<String>, |n: i64| (n), (0..n).map(|i| format!("w{i}")).collect();
    maybe [] (n) (n: i64) -> Option<i64>, |n: i64| (n), (n % 3 != 0).then_some(n * 10);
    nested [] (n) (n: i64) -> Option<Option<i64>>, |n: i64| (n), match n % 3 {
        0 => None,
        1 => Some(None),
        _ => Some(Some(n)),
    };
    pair [] (n) (n: i64) -> (i64, String), |n: i64| (n), (n + 5, format!("p{n}"));
    table [] (n) (n: i64) -> BTreeMap<String, i64>, |n: i64| (n), (0..n).map(|i| (format!("k{i}"), i * n)).collect();
    event [] (n) (n: i64) -> Event, |n: i64| (n), match n % 5 {
        0 => Event::Idle,
        1 => Event::Moved { x: n, y: -n },
        2 => Event::Said(format!("event {n}")),
        3 => Event::Many((0..n).collect()),
        _ => Event::Twice(Box::new(Event::Idle), Box::new(Event::Said(n.to_string()))),
    };
    order [] (n) (n: i64) -> Order, |n: i64| (n), Order {
        id: n,
        name: format!("order {n}"),
        items: (0..n).map(|i| Item { sku: format!("sku{i}"), qty: i + 1 }).collect(),
        address: Address { city: format!("city {n}"), zip: 1000 + n as u32 },
        note: (n % 2 == 0).then(|| format!("note {n}")),
    };
    price [] (item) (item: &Item) -> i64, |item: Item| (&item), item.qty * 10 + item.sku.len() as i64;
    ship [] (order, to) (order: &Order, to: &Address) -> String, |order: Order, to: Address| (&order, &to),
        format!("{} to {}", order.name, to.city);
    sum [] (values) (values: &[i64]) -> i64, |values: Vec<i64>| (&values), values.iter().sum();
    attempt [no_retry(_)] (n) (n: i64) -> Result<i64, Fault>, |n: i64| (n),
        if n % 7 == 0 { Err(Fault::Seven(n)) } else { Ok(n + 1) };
    risky [no_retry(_)] (n) (n: i64) -> Result<i64, durable::Error>, |n: i64| (n),
        if n < 0 { Err(durable::Error::msg(format!("{n} is negative"))) } else { Ok(n * 2) };
    digits [no_retry(_)] (n) (n: i64) -> Result<String, Fault>, |n: i64| (n),
        if n == 13 { Err(Fault::Broken) } else { Ok(n.to_string()) };
    step [no_retry(_)] (state) (state: Machine) -> Result<Machine, Fault>, |state: Machine| (state), match state {
        Machine::Running { left: 13, .. } => Err(Fault::Broken),
        Machine::Running { left: 0, trace } => Ok(Machine::Done(trace)),
        Machine::Running { left, mut trace } => {
            trace.push(format!("at {left}"));
            Ok(Machine::Running { left: left - 1, trace })
        }
        done => Ok(done),
    };
}
