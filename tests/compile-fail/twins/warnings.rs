#![warn(unused, clippy::all)]
use durable::{activity, workflow};

#[activity]
async fn act(n: u64) -> u64 {
    n + 1
}

#[workflow]
pub async fn variables(order: u64, unused_parameter: u64) -> u64 {
    let unused = act(order).await;
    let mut assigned = act(3).await;
    let kept = act(assigned).await;
    assigned = 5;
    kept
}

#[workflow]
pub async fn mutable(order: u64) -> u64 {
    let mut never_changed = order;
    never_changed + act(1).await
}

#[workflow]
pub async fn patterns(order: Option<u64>) -> u64 {
    for unused_item in [1, 2] {
        act(1).await;
    }
    match act(1).await {
        unused_binding => act(2).await,
    };
    if let Some(unused_part) = order {
        act(3).await;
    }
    let (first, unused_second) = (act(1).await, 2);
    first
}

#[workflow]
pub async fn results(order: u64) -> u64 {
    std::fs::read("x");
    act(order).await
}

#[workflow]
#[allow(unused_variables)]
pub async fn allowed(order: u64) -> u64 {
    let unused = act(order).await;
    #[allow(unused_must_use)]
    std::fs::read("x");
    1
}
