//! Generic workflows, called inline.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::fmt::Display;

use super::{echo, run};
use durable::{Persist, prelude::*};

/// The bounds of its plain twin, no `'static` besides.
#[workflow]
async fn shown<T: Display + Clone + Serialize + DeserializeOwned>(value: T) -> String {
    let first = value.clone();
    echo(1).await;
    format!("{first}{value}")
}

#[workflow]
async fn wrapped<T, E>(value: Result<T, E>) -> Option<T>
where
    T: Persist,
    E: Persist,
{
    echo(1).await;
    value.ok()
}

#[workflow]
async fn filled<const N: usize, T>(value: T) -> Vec<T>
where
    T: Persist + Copy,
{
    let mut all = Vec::new();
    while all.len() < N {
        echo(1).await;
        all.push(value);
    }
    all
}

trait Shape {
    const SIDES: u64;
    fn name() -> String;
}

struct Square;

impl Shape for Square {
    const SIDES: u64 = 4;
    fn name() -> String {
        "square".into()
    }
}

/// A type parameter that no value has.
#[workflow]
async fn described<S: Shape>() -> (String, u64) {
    let sides = echo(S::SIDES).await;
    (S::name(), sides)
}

#[derive(Clone, Default, Debug, PartialEq, Serialize, Deserialize)]
struct Page<T> {
    items: Vec<T>,
}

/// One generic calls another.
#[workflow]
async fn page_of<T: Persist + Clone + Display>(items: Vec<T>) -> (Page<T>, String) {
    let mut text = String::new();
    for item in &items {
        text += &shown(item.clone()).await;
    }
    (Page { items }, text)
}

#[workflow]
async fn several_instantiations() -> (String, String, Option<u8>, usize, (String, u64)) {
    let a = shown(1).await;
    let b = shown("b".to_owned()).await;
    let c = wrapped::<u8, String>(Ok(3)).await;
    let d = filled::<2, _>('x').await.len() + filled::<3, u8>(1).await.len();
    let e = described::<Square>().await;
    (a, b, c, d, e)
}

#[workflow]
async fn generic_calls_generic() -> (Page<u8>, String) {
    page_of(vec![1, 2]).await
}

#[tokio::test]
async fn a_generic_workflow_is_called_with_any_types() {
    let expected = ("11".to_owned(), "bb".to_owned(), Some(3), 5, ("square".to_owned(), 4));
    assert_eq!(run!(several_instantiations()), expected);
}

#[tokio::test]
async fn a_generic_workflow_calls_another() {
    assert_eq!(run!(generic_calls_generic()), (Page { items: vec![1, 2] }, "1122".to_owned()));
}
