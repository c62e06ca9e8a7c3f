//! A module whose names are not those of the standard library: what the macros write must not take them for it.
#![allow(dead_code)]

use durable::{activity, workflow};

/// Not that one.
#[derive(Debug)]
pub struct Option;
/// Not that one.
#[derive(Debug)]
pub struct Result;
/// Not that one.
#[derive(Debug)]
pub struct Vec;
/// Not that one.
#[derive(Debug)]
pub struct String;
/// Not that one.
#[derive(Debug)]
pub struct Box;
/// Not that one.
pub trait Send {}
/// Not that one.
pub trait Clone {}
/// Not that one.
pub trait Into {}
/// Not that one.
pub trait Iterator {}
/// Not that one.
pub trait Future {}
/// Not that one.
#[derive(Debug)]
pub struct Poll;

#[allow(non_snake_case)]
fn Some(n: u64) -> u64 {
    n
}
#[allow(non_snake_case)]
fn Ok(n: u64) -> u64 {
    n
}
#[allow(non_upper_case_globals)]
const None: u64 = 1;
#[allow(non_snake_case)]
fn Err(n: u64) -> u64 {
    n
}

mod std {
    pub(super) fn module() -> u64 {
        1
    }
}
mod core {
    pub(super) fn module() -> u64 {
        1
    }
}
mod alloc {}
mod serde {}

macro_rules! vec {
    () => {
        1
    };
}
macro_rules! format {
    ($($any:tt)*) => {
        1
    };
}
macro_rules! panic {
    () => {
        1
    };
}
macro_rules! matches {
    () => {
        1
    };
}
macro_rules! unreachable {
    () => {
        1
    };
}
macro_rules! concat {
    () => {
        1
    };
}

/// Names of functions that the macros might call.
fn body(n: u64) -> u64 {
    n
}
fn suspend(n: u64) -> u64 {
    n
}
fn poll(n: u64) -> u64 {
    n
}

/// An activity beside all this.
#[activity(name = "hostile-step", retry(max_attempts = 2))]
pub async fn step(context: u64, args: &str, output: u64) -> u64 {
    context + args.len() as u64 + output + std::module() + core::module()
}

/// A workflow beside all this, with locals named as the macro's own.
#[workflow(name = "hostile")]
pub async fn surrounded(cx: u64, frame: u64, args: u64) -> u64 {
    let resume = step(cx, "a", frame).await;
    let value = body(resume) + suspend(1) + poll(args);
    let mut state = vec![] + format!("{}", cx) + panic!() + matches!() + unreachable!() + concat!();
    let future_1 = Some(value) + Ok(1) + Err(1) + None;
    let loaded = step(future_1, "b", state).await;
    for item in [loaded, 1, 2] {
        state += step(item, "c", args).await;
        if state > 1_000_000 {
            break;
        }
    }
    let point = state + loaded + frame;
    step(point, "d", value).await + std::module() + core::module()
}

/// The same without the prelude.
pub mod bare {
    #![no_implicit_prelude]

    use ::durable::{activity, sleep, workflow};

    /// An activity.
    #[activity(name = "bare-step")]
    pub async fn step(n: &u64) -> ::std::result::Result<u64, ::durable::Error> {
        if *n > 1_000 {
            return ::std::result::Result::Err(::durable::Error::msg("too much"));
        }
        ::std::result::Result::Ok(*n)
    }

    /// A workflow.
    ///
    /// # Errors
    /// If it is too much.
    #[workflow(name = "bare")]
    pub async fn counted(
        from: u64,
        list: &::std::vec::Vec<u64>,
    ) -> ::std::result::Result<u64, ::durable::Error> {
        let mut sum = step(&from).await?;
        for n in list {
            sum += step(n).await?;
        }
        while sum < 10 {
            sleep(::std::time::Duration::from_secs(1)).await;
            sum += step(&1).await?;
        }
        match step(&sum).await {
            ::std::result::Result::Ok(n) if n > 100 => ::std::result::Result::Ok(0),
            other => other,
        }
    }
}
