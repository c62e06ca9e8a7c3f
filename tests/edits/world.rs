//! The world of edited workflows: the library of the crate that the harness generates.
//!
//! Activities take a second of virtual time and note their calls when they end; what each gives depends on all of its arguments,
//! so that a value that went astray shows. [`base`] brings a workflow to each of its awaits and lets each version of it go on from
//! a copy of the store. What it finds goes to the harness as lines of JSON; whether that is right is decided there.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]

use std::{
    fmt::Debug,
    io::Write as _,
    mem,
    pin::Pin,
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use durable::{
    ParkReason, Status, activity,
    testing::{self, TestBuilder, TestEngine, mock},
};
pub use durable::{prelude::*, sleep, workflow};
use durable_store::MemoryImage;
use serde::{Deserialize, Serialize};

/// What everything takes on the virtual clock.
pub const TAKES: Duration = Duration::from_secs(1);
/// More suspensions has no workflow of this world.
const ENOUGH: usize = 60;

static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn log(entry: String) {
    LOG.lock().unwrap_or_else(PoisonError::into_inner).push(entry);
}

/// What was called in one turn. Calls that are made at once end in any order.
fn take_log() -> Vec<String> {
    let mut calls = mem::take(&mut *LOG.lock().unwrap_or_else(PoisonError::into_inner));
    calls.sort();
    calls
}

pub trait Look {
    fn num(&self) -> u64;
    fn show(&self) -> String;
}

pub trait Make {
    fn make(n: u64) -> Self;
}

pub fn make<T: Make>(n: u64) -> T {
    T::make(n)
}

pub fn num<T: Look>(value: &T) -> u64 {
    value.num()
}

pub fn show<T: Look>(value: &T) -> String {
    value.show()
}

impl<T: Look> Look for &T {
    fn num(&self) -> u64 {
        T::num(self)
    }
    fn show(&self) -> String {
        T::show(self)
    }
}

macro_rules! values {
    ($($ty:ty: |$n:ident| $make:expr, |$value:ident| $num:expr, $show:expr;)*) => {$(
        impl Make for $ty {
            fn make($n: u64) -> Self { $make }
        }
        impl Look for $ty {
            fn num(&self) -> u64 { let $value = self; $num }
            fn show(&self) -> String { let $value = self; $show }
        }
    )*};
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Item {
    pub sku: String,
    pub qty: u32,
}

pub mod wide {
    use super::*;
    #[derive(Clone, Debug, Serialize, Deserialize)]
    pub struct Item {
        #[serde(default)]
        pub gift: Option<u32>,
        #[serde(alias = "sku")]
        pub article: String,
        pub qty: u64,
    }
}

pub mod strict {
    use super::*;
    #[derive(Clone, Debug, Serialize, Deserialize)]
    pub struct Item {
        pub article: String,
        pub qty: u32,
        pub gift: bool,
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Kind {
    A,
    B(u32),
    C,
}

pub mod more {
    use super::*;
    #[derive(Clone, Debug, Serialize, Deserialize)]
    pub enum Kind {
        Z,
        C,
        B(u64),
        A,
    }
}

pub mod other {
    use super::*;
    #[derive(Clone, Debug, Serialize, Deserialize)]
    pub enum Kind {
        B(u32),
        A,
        D,
    }
}

fn tight(value: &impl Debug) -> String {
    format!("{value:?}").replace(' ', "")
}

values! {
    u8: |n| n as u8, |v| u64::from(*v), v.to_string();
    u32: |n| n as u32, |v| u64::from(*v), v.to_string();
    u64: |n| n, |v| *v, v.to_string();
    i64: |n| n as i64, |v| *v as u64, v.to_string();
    f64: |n| (n % 1_000) as f64, |v| *v as u64, format!("{v:?}");
    bool: |n| n % 2 == 0, |v| u64::from(*v), v.to_string();
    String: |n| format!("t{}", n % 1_000), |v| v.len() as u64, v.clone();
    Option<u32>: |n| (n % 3 != 0).then_some((n % 100_000) as u32), |v| u64::from(v.unwrap_or(0)), tight(v);
    Option<u64>: |n| (n % 3 != 0).then_some(n % 100_000), |v| v.unwrap_or(0), tight(v);
    Vec<u32>: |n| ((n % 50) as u32..(n % 50 + 2 + n % 2) as u32).collect(), |v| v.iter().map(|n| u64::from(*n)).sum(), tight(v);
    Vec<u64>: |n| (n % 50..n % 50 + 2 + n % 2).collect(), |v| v.iter().sum(), tight(v);
    Item: |n| Item { sku: format!("s{}", n % 100), qty: (n % 1_000) as u32 },
        |v| u64::from(v.qty) + v.sku.len() as u64, format!("{}*{}", v.sku, v.qty);
    wide::Item: |n| wide::Item { gift: None, article: format!("s{}", n % 100), qty: n % 1_000 },
        |v| v.qty + v.article.len() as u64, format!("{}*{}+{:?}", v.article, v.qty, v.gift);
    strict::Item: |n| strict::Item { gift: false, article: format!("s{}", n % 100), qty: (n % 1_000) as u32 },
        |v| u64::from(v.qty) + v.article.len() as u64, format!("{}*{}+None", v.article, v.qty);
    Kind: |n| match n % 3 { 0 => Kind::A, 1 => Kind::B((n % 100) as u32), _ => Kind::C },
        |v| match v { Kind::A => 65, Kind::B(n) => 66 + u64::from(*n), Kind::C => 67 },
        match v { Kind::A => "ANone".into(), Kind::B(n) => format!("BSome({n})"), Kind::C => "CNone".into() };
    more::Kind: |n| match n % 4 { 0 => more::Kind::A, 1 => more::Kind::B(n % 100), 2 => more::Kind::C, _ => more::Kind::Z },
        |v| match v { more::Kind::A => 65, more::Kind::B(n) => 66 + n, more::Kind::C => 67, more::Kind::Z => 90 },
        match v { more::Kind::A => "ANone".into(), more::Kind::B(n) => format!("BSome({n})"), more::Kind::C => "CNone".into(), more::Kind::Z => "ZNone".into() };
    other::Kind: |n| match n % 3 { 0 => other::Kind::A, 1 => other::Kind::B((n % 100) as u32), _ => other::Kind::D },
        |v| match v { other::Kind::A => 65, other::Kind::B(n) => 66 + u64::from(*n), other::Kind::D => 68 },
        match v { other::Kind::A => "ANone".into(), other::Kind::B(n) => format!("BSome({n})"), other::Kind::D => "DNone".into() };
}

#[activity]
pub async fn charge(a: u64, b: u64) -> u64 {
    charged(a, b)
}

#[activity]
pub async fn reserve(a: u64) -> u64 {
    (a * 13 + 5) % 100_003
}

#[activity]
pub async fn mail(a: u64) -> String {
    format!("m{a}")
}

#[activity]
pub async fn stock(a: u64) -> Vec<u64> {
    make(a)
}

fn charged(a: u64, b: u64) -> u64 {
    (a * 31 + b * 7 + 1) % 100_019
}

fn engine() -> TestBuilder {
    testing::engine()
        .mock(mock(charge).delay(TAKES).then(|a: u64, b: u64| {
            log(format!("charge({a}, {b})"));
            charged(a, b)
        }))
        .mock(mock(reserve).delay(TAKES).then(|a: u64| {
            log(format!("reserve({a})"));
            (a * 13 + 5) % 100_003
        }))
        .mock(mock(mail).delay(TAKES).then(|a: u64| {
            log(format!("mail({a})"));
            format!("m{a}")
        }))
        .mock(mock(stock).delay(TAKES).then(|a: u64| {
            log(format!("stock({a})"));
            make::<Vec<u64>>(a)
        }))
}

/// What a version did from an await on.
#[derive(Serialize)]
struct Line<'a> {
    base: usize,
    /// The suspension of the old version at which the new one took over, from 0.
    at: usize,
    /// The version, or none: the old one itself.
    version: Option<usize>,
    /// `completed`, `parked`, or what else.
    outcome: &'a str,
    /// The result, or the reason.
    text: String,
    /// The calls of each turn that had any.
    calls: Vec<Vec<String>>,
}

fn tell(line: &Line<'_>) {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, line).expect("the parent listens");
    out.write_all(b"\n").expect("the parent listens");
}

pub type Started = Pin<Box<dyn Future<Output = TestEngine>>>;

/// Lets a workflow come to each of its awaits, and goes on from there as each of its versions: `versions` are the names that the
/// old one's functions have, and theirs.
pub fn base(
    number: usize,
    start: impl Fn(TestEngine) -> Started,
    versions: &[&[(&'static str, &'static str)]],
) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime starts");
    runtime.block_on(async {
        let image = MemoryImage::new();
        let engine = start(engine().image(&image).open().await).await;
        for at in 0..ENOUGH {
            engine.idle().await;
            take_log();
            let status = engine.handle("it").describe().await.expect("it is there").status;
            if !matches!(status, Status::Running | Status::Waiting) {
                break;
            }
            let now = engine.now();
            let (outcome, text, calls, _) = go_on(&image.fork(), now, 2, &[]).await;
            tell(&Line { base: number, at, version: None, outcome, text, calls });
            for (version, names) in versions.iter().enumerate() {
                let (outcome, text, calls, left) = go_on(&image.fork(), now, 2, names).await;
                tell(&Line { base: number, at, version: Some(version), outcome, text, calls: calls.clone() });
                // Whoever was parked goes on under the build that saved it.
                if outcome == "parked" {
                    let (outcome, text, rest, _) = go_on(&left, now, 3, &[]).await;
                    // What it awaited may have come before it was parked.
                    let calls = [calls, rest].concat();
                    tell(&Line { base: number, at, version: None, outcome, text, calls });
                }
            }
            engine.advance(TAKES).await;
        }
        let _ = engine.shutdown(Duration::ZERO).await;
    });
}

async fn go_on(
    image: &MemoryImage,
    now: SystemTime,
    build: u64,
    names: &[(&'static str, &'static str)],
) -> (&'static str, String, Vec<Vec<String>>, MemoryImage) {
    take_log();
    let builder = engine().image(image).starting_at(now).build(build);
    let engine = names.iter().fold(builder, |builder, (old, new)| builder.stand_in(old, new)).open().await;
    let mut calls = Vec::new();
    let (mut outcome, mut text) = ("endless", String::new());
    for _ in 0..ENOUGH {
        engine.idle().await;
        let turn = take_log();
        if !turn.is_empty() {
            calls.push(turn);
        }
        let description = engine.handle("it").describe().await.expect("it is there");
        match &description.status {
            Status::Running | Status::Waiting => {}
            Status::Completed => {
                outcome = "completed";
                text = description.result.as_ref().and_then(|text| text.as_str()).unwrap_or_default().to_owned();
                break;
            }
            Status::Parked(ParkReason::Incompatible { reason }) => {
                (outcome, text) = ("parked", reason.clone());
                break;
            }
            Status::Parked(_) => {
                (outcome, text) = ("parked otherwise", description.to_string());
                break;
            }
            _ => {
                (outcome, text) = ("ended otherwise", description.to_string());
                break;
            }
        }
        engine.advance(TAKES).await;
    }
    let left = image.fork();
    let _ = engine.shutdown(Duration::ZERO).await;
    (outcome, text, calls, left)
}
