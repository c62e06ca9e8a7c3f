//! The world of random programs: the library of the crate that the harness generates.
//!
//! What the programs call exists twice: [`plain`] answers at once, [`flow`] holds activities; both note each call in one log.
//! [`mark`] and [`tap`] are plain code with an effect of its own: they are in the log too, so that their order shows. One
//! program runs at a time, so the log may be the process's. [`check`] runs the two twins of a program.
//!
//! A crash comes wherever the engine has nothing left to do but to wait for what the workflow waits for: activities take a
//! second of virtual time. What an activity notes, it notes at its end, so an attempt that is cut off leaves no trace.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

use std::{
    any::Any,
    fmt::Debug,
    io::Write as _,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use durable::{
    CallError, Persist, Status, WorkflowCall,
    __private::RootWorkflow,
    testing::{self, TestBuilder, mock},
};
use serde::{Deserialize, Serialize};

/// What every activity takes on the virtual clock.
const TAKES: Duration = Duration::from_secs(1);
/// A program that makes more calls says no more by them.
const CALLS_ENOUGH: usize = 150;
/// How long a program sleeps.
pub const SHORT: Duration = Duration::from_millis(300);

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn log(entry: String) {
    let mut log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(log.len() < 50 * CALLS_ENOUGH, "the program does not end");
    log.push(entry);
}

fn take_log() -> Vec<String> {
    mem::take(&mut LOG.lock().unwrap_or_else(PoisonError::into_inner))
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub sku: String,
    pub qty: i64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub id: i64,
    pub name: String,
    pub items: Vec<Item>,
    pub note: Option<String>,
    pub spot: (i64, String),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    Idle,
    Moved { x: i64, y: i64 },
    Said(String),
    Named { who: String, age: i64 },
    Many(Vec<i64>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fault {
    Odd(i64),
    Text(String),
    Call(CallError),
}

impl From<CallError> for Fault {
    fn from(error: CallError) -> Self {
        Fault::Call(error)
    }
}

pub fn make_item(n: i64) -> Item {
    Item { sku: format!("sku{n}"), qty: n % 7 }
}

pub fn make_order(n: i64) -> Order {
    Order {
        id: n,
        name: format!("order{n}"),
        items: vec![make_item(n), make_item(n + 1)],
        note: (n % 2 == 0).then(|| format!("note{n}")),
        spot: (n % 5, format!("spot{n}")),
    }
}

pub fn make_event(n: i64) -> Event {
    match n.rem_euclid(5) {
        0 => Event::Idle,
        1 => Event::Moved { x: n, y: -n },
        2 => Event::Said(format!("said{n}")),
        3 => Event::Many(vec![n, n + 1]),
        _ => Event::Named { who: format!("who{n}"), age: n },
    }
}

/// Plain code with an effect.
pub fn tap(n: i64) -> i64 {
    log(format!("tap {n}"));
    n
}

/// Plain code with an effect.
pub fn mark(text: &str) -> String {
    log(format!("mark {text}"));
    cut(text)
}

/// An index into something of this length.
pub fn idx(n: i64, length: usize) -> usize {
    n.rem_euclid(length as i64) as usize
}

/// A text that does not grow in a loop.
fn cut(text: &str) -> String {
    text.chars().take(12).collect()
}

macro_rules! vocabulary {
    ($($name:ident [$($options:tt)*] ($($arg:ident),*) ($($params:tt)*) -> $ret:ty, |$($owned:ident: $kept:ty),*| $call:tt, $answer:expr;)*) => {
        mod answers {
            use super::*;
            $(pub(super) fn $name($($params)*) -> $ret { $answer })*
        }

        /// What the plain twins call.
        pub mod plain {
            use super::*;
            $(pub async fn $name($($params)*) -> $ret {
                log(entry(stringify!($name), &[$(format!("{:?}", $arg)),*]));
                answers::$name($($arg),*)
            })*

            pub async fn sleep(_: Duration) {}
        }

        /// What the workflows call.
        pub mod flow {
            use super::*;
            use durable::activity;
            pub use durable::{sleep, workflow};

            $(
                #[activity($($options)*)]
                pub async fn $name($($params)*) -> $ret {
                    log(entry(stringify!($name), &[$(format!("{:?}", $arg)),*]));
                    answers::$name($($arg),*)
                }
            )*
        }

        /// Gives every activity a script that takes its time.
        fn mocked(builder: TestBuilder) -> TestBuilder {
            $(
                let builder = builder.mock(mock(flow::$name).delay(TAKES).then(move |$($owned: $kept),*| {
                    log(entry(stringify!($name), &[$(format!("{:?}", $owned)),*]));
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
    get [] (n) (n: i64) -> i64, |n: i64| (n), (n % 97) * 3 + 1;
    add [] (x, y) (x: i64, y: i64) -> i64, |x: i64, y: i64| (x, y), (x % 1000) + (y % 1000);
    flag [] (n) (n: i64) -> bool, |n: i64| (n), n % 2 == 0;
    say [] (text) (text: &str) -> String, |text: String| (&text), format!("<{}>", cut(text));
    keep [] (text) (text: String) -> String, |text: String| (text), format!("{}!", cut(&text));
    join [] (x, y) (x: &str, y: &str) -> String, |x: String, y: String| (&x, &y), format!("{}{}", cut(x), cut(y));
    record [] (text) (text: &str) -> (), |text: String| (&text), { let _ = text; };
    list [] (n) (n: i64) -> Vec<i64>, |n: i64| (n), (0..2 + n.rem_euclid(2)).map(|i| i * i + n % 50).collect();
    words [] (n) (n: i64) -> Vec<String>, |n: i64| (n), (0..2 + n.rem_euclid(2)).map(|i| format!("w{i}")).collect();
    maybe [] (n) (n: i64) -> Option<i64>, |n: i64| (n), (n % 3 != 0).then_some(n % 50);
    hint [] (n) (n: i64) -> Option<String>, |n: i64| (n), (n % 3 != 1).then(|| format!("hint{}", n % 50));
    both [] (n) (n: i64) -> (i64, String), |n: i64| (n), (n % 50 + 5, format!("p{}", n % 50));
    event [] (n) (n: i64) -> Event, |n: i64| (n), make_event(n % 50);
    item [] (n) (n: i64) -> Item, |n: i64| (n), make_item(n % 50);
    order [] (n) (n: i64) -> Order, |n: i64| (n), make_order(n % 50);
    price [] (item) (item: &Item) -> i64, |item: Item| (&item), item.qty % 100 + item.sku.len() as i64;
    ship [] (order) (order: Order) -> Order, |order: Order| (order), Order { id: order.id % 50 + 1, name: format!("{}+", cut(&order.name)), ..order };
    total [] (values) (values: &[i64]) -> i64, |values: Vec<i64>| (&values), values.iter().fold(0, |sum, v| (sum + v) % 1000);
    attempt [no_retry(_)] (n) (n: i64) -> Result<i64, Fault>, |n: i64| (n),
        if n % 5 == 0 { Err(Fault::Odd(n)) } else { Ok(n % 90 + 1) };
    digits [no_retry(_)] (text) (text: &str) -> Result<String, Fault>, |text: String| (&text),
        if text.len() % 5 == 0 { Err(Fault::Text(cut(text))) } else { Ok(text.len().to_string()) };
}

/// What a run gave: its result as text, and its calls.
#[derive(Debug, PartialEq, Serialize)]
pub struct Run {
    result: String,
    calls: Vec<String>,
}

/// What was found of one program with one input, as a line of JSON on the standard output.
#[derive(Serialize)]
struct Line<'a> {
    program: &'a str,
    input: i64,
    /// `same`, `differs`, `long` (too many calls) or `panics` (the plain twin does).
    verdict: &'a str,
    how: &'a str,
    crashes: usize,
    plain: Option<Run>,
    flow: Option<Run>,
}

fn tell(line: Line<'_>) {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &line).expect("the parent listens");
    out.write_all(b"\n").expect("the parent listens");
    out.flush().expect("the parent listens");
}

/// Compares the plain twin with the workflow for one input, in peace and with a crash at every suspension.
pub fn check<T, F, W>(
    program: &str,
    input: i64,
    plain: impl Fn() -> F,
    flow: impl Fn() -> WorkflowCall<W>,
) where
    F: Future<Output = T>,
    T: Debug + Persist + Send,
    W: RootWorkflow<Output = T>,
    W::Args: Send,
{
    let line = Line { program, input, verdict: "same", how: "", crashes: 0, plain: None, flow: None };
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    let expected = match run_plain(&runtime, plain) {
        Err(panic) => {
            let run = Run { result: panic, calls: take_log() };
            return tell(Line { verdict: "panics", plain: Some(run), ..line });
        }
        Ok(run) if run.calls.len() > CALLS_ENOUGH => {
            return tell(Line { verdict: "long", crashes: run.calls.len(), ..line });
        }
        Ok(run) => run,
    };
    let mut crashes = 0;
    for (crash, how) in [(false, "in peace"), (true, "with a crash at every suspension")] {
        let (found, crashed) = runtime.block_on(run_flow(&flow, crash, expected.calls.len()));
        crashes = crashed;
        let awaits = expected.calls.iter().filter(|call| call.contains('(')).count();
        // A workflow that ends without a suspension makes its one step twice, see `docs/guarantees.md`.
        let twice = || Run { result: expected.result.clone(), calls: [&expected.calls[..]; 2].concat() };
        let right = found == expected || (awaits == 0 && found == twice());
        if !right || (crash && crashed < awaits) {
            return tell(Line { verdict: "differs", how, crashes, plain: Some(expected), flow: Some(found), ..line });
        }
    }
    tell(Line { crashes, ..line });
}

fn run_plain<T: Debug, F: Future<Output = T>>(
    runtime: &tokio::runtime::Runtime,
    plain: impl Fn() -> F,
) -> Result<Run, String> {
    take_log();
    let result = catch_unwind(AssertUnwindSafe(|| format!("{:?}", runtime.block_on(plain()))));
    let result = result.map_err(|panic: Box<dyn Any + Send>| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast::<&str>().map_or_else(|_| "a panic".into(), |text| (*text).into()),
    })?;
    Ok(Run { result, calls: take_log() })
}

async fn run_flow<W>(flow: &impl Fn() -> WorkflowCall<W>, crash: bool, enough: usize) -> (Run, usize)
where
    W: RootWorkflow,
    W::Args: Send,
    W::Output: Persist + Send + Debug,
{
    take_log();
    let builder = testing::engine();
    let engine = if crash { mocked(builder).open().await } else { builder.open().await };
    let started = engine.start("twin", flow()).await;
    let mut result = started.map(|_| String::new()).map_err(|error| error.to_string());
    let mut crashes = 0;
    let mut turns = 0;
    while result.is_ok() {
        engine.idle().await;
        let description = engine.handle("twin").describe().await.expect("the instance is there");
        match &description.status {
            Status::Running | Status::Waiting => {}
            Status::Completed | Status::Failed => break,
            _ => result = Err(format!("{description}")),
        }
        if crash {
            engine.crash_and_reopen().await;
            crashes += 1;
        }
        turns += 1;
        if turns > 3 * enough + 100 {
            result = Err(format!("still not at its end after {turns} suspensions: {description}"));
        }
        engine.advance(TAKES).await;
    }
    let calls = take_log();
    // A start of what exists runs its first step for nothing, and is not what is looked at.
    let result = match result {
        Ok(_) => match engine.start("twin", flow()).await.expect("it attaches").result().await {
            Ok(output) => format!("{output:?}"),
            Err(error) => format!("no result: {error}"),
        },
        Err(error) => format!("no result: {error}"),
    };
    (Run { result, calls }, crashes)
}
