//! Workflows that call themselves, without boxing.

use super::{echo, run};
use durable::{Persist, prelude::*, testing};

#[workflow]
async fn factorial(n: u64) -> u64 {
    if n == 0 {
        return 1;
    }
    echo(n).await * factorial(n - 1).await
}

#[workflow]
async fn is_even(n: u64) -> bool {
    if n == 0 { true } else { is_odd(echo(n).await - 1).await }
}

#[workflow]
async fn is_odd(n: u64) -> bool {
    if n == 0 { false } else { is_even(n - 1).await }
}

/// Generic, and its result is inferred from itself.
#[workflow]
async fn countdown<T: Persist + Clone>(n: u64, item: T) -> Vec<T> {
    let mut all = if n == 0 { Vec::new() } else { countdown(n - 1, item.clone()).await };
    echo(n).await;
    all.push(item);
    all
}

#[workflow]
async fn counts() -> usize {
    countdown(3, "x".to_owned()).await.len() + countdown(1, 1_u8).await.len()
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Tree {
    value: u64,
    children: Vec<Tree>,
}

#[workflow]
impl Tree {
    #[workflow]
    async fn sum(self) -> u64 {
        let mut sum = echo(self.value).await;
        for child in self.children {
            sum += child.sum().await;
        }
        sum
    }
}

/// Any error inside, one that is stored outside.
#[workflow]
async fn descends(n: u64) -> Result<u64, durable::Error> {
    if n == 0 {
        durable::bail!("at the bottom");
    }
    Ok(descends(echo(n).await - 1).await? + 1)
}

#[tokio::test]
async fn a_workflow_calls_itself() {
    assert_eq!(run!(factorial(5)), 120);
    assert!(run!(is_even(4)));
    assert_eq!(run!(counts()), 6);
    let leaf = |value| Tree { value, children: Vec::new() };
    assert_eq!(run!(Tree { value: 1, children: vec![leaf(2), leaf(3)] }.sum()), 6);
    assert!(run!(descends(3)).unwrap_err().to_string().contains("at the bottom"));
}

#[tokio::test]
async fn a_recursion_without_end_parks_and_says_so() {
    let engine = testing::engine().open().await;
    let handle = engine.start("deep", factorial(1_000)).await.unwrap();
    let error = handle.result().await.unwrap_err().to_string();
    assert!(error.contains("64 calls deep") && error.contains("factorial"), "{error}");
}
