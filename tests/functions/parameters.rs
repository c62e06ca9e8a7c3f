//! Parameters of every form.

use serde::{Deserialize, Serialize};
use std::path::Path;

use super::{echo, echo_text, run};
use durable::prelude::*;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Point {
    x: u64,
    y: u64,
}

#[workflow]
async fn borrowed(text: &str, list: &[u64], path: &Path, point: &Point, fixed: &'static str) -> String {
    let said = echo_text(text).await;
    let mut sum = 0;
    for n in list {
        sum += echo(*n).await;
    }
    format!("{said} {sum} {} {} {fixed}", path.display(), point.x)
}

#[workflow]
async fn patterns(
    Point { x, y: up }: Point,
    (a, mut b): (u64, u64),
    _: String,
    [first, .., last]: [u64; 3],
    mut n: u64,
    &(p, q): &(u64, u64),
    whole @ (Some(_) | None): Option<u64>,
) -> u64
where
    Option<u64>: Clone,
{
    b += echo(a).await;
    n += echo(first).await;
    x + up + b + last + n + p + q + whole.unwrap_or(0)
}

#[workflow]
#[allow(clippy::too_many_arguments)]
async fn sixteen(
    a: u64,
    b: u64,
    c: u64,
    d: u64,
    e: u64,
    f: u64,
    g: u64,
    h: u64,
    i: u64,
    j: u64,
    k: u64,
    l: u64,
    m: u64,
    n: u64,
    o: u64,
    p: u64,
) -> u64 {
    let one = echo(a).await;
    let sum = one + b + c + d + e + f + g + h;
    sum + i + j + k + l + echo(m).await + n + o + p
}

#[workflow]
async fn with_attributes(#[allow(unused_variables)] unused: u64, #[allow(unused_mut)] mut kept: u64) -> u64 {
    echo(1).await + kept
}

/// What is taken over an await is what a borrow of the argument sees.
#[workflow]
async fn changed(mut list: Vec<u64>) -> Vec<u64> {
    for item in list.iter_mut() {
        *item += echo(1).await;
    }
    list
}

#[tokio::test]
async fn references_are_cloned_at_the_call() {
    let made = move || {
        let (text, list) = (String::from("hi"), vec![1, 2, 3]);
        borrowed(&text, &list, Path::new("a/b"), &Point { x: 1, y: 2 }, "f")
    };
    assert_eq!(run!(made()), "hi 6 a/b 1 f");
}

#[tokio::test]
async fn patterns_take_arguments_apart() {
    let made = move || patterns(Point { x: 1, y: 2 }, (3, 4), "_".into(), [5, 6, 7], 8, &(9, 10), Some(11));
    assert_eq!(run!(made()), 1 + 2 + 7 + 7 + 13 + 9 + 10 + 11);
}

#[tokio::test]
async fn sixteen_parameters_and_no_more() {
    assert_eq!(run!(sixteen(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16)), 136);
    let engine = durable::testing::engine().open().await;
    let _ = engine.handle("a").of(sixteen);
}

#[tokio::test]
async fn attributes_of_parameters_are_kept() {
    assert_eq!(run!(with_attributes(1, 2)), 3);
    assert_eq!(run!(changed(vec![1, 2])), [2, 3]);
}
