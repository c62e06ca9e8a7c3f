//! A `#[workflow]` called from another, and from itself.

use std::time::Duration;

use crate::vocabulary::{Fault, Machine, Order};

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
enum Tree {
    Leaf(i64),
    Node(Box<Tree>, Box<Tree>),
}

fn tree(depth: i64) -> Tree {
    if depth == 0 {
        Tree::Leaf(depth + 3)
    } else {
        Tree::Node(Box::new(tree(depth - 1)), Box::new(Tree::Leaf(depth)))
    }
}

twins! {
    async fn helper_sum(a: i64, b: i64) -> i64 {
        let first = get(a).await;
        let second = get(b).await;
        first + second
    } for (1, 2);

    async fn helper_checked(n: i64) -> Result<i64, Fault> {
        let value = attempt(n).await?;
        Ok(attempt(value + 1).await? * 10)
    } for (1), (7), (5);

    async fn helper_borrowing(order: &Order, factor: i64) -> i64 {
        let mut total = 0;
        for item in &order.items {
            total += price(item).await * factor;
        }
        total
    }

    async fn helper_without_suspension(n: i64) -> i64 {
        n + 1000
    } for (1);

    async fn nested_call(n: i64) -> i64 {
        let before = get(n).await;
        let inner = helper_sum(n, before).await;
        let none = helper_without_suspension(inner).await;
        before + inner * 1000 + get(inner).await + none
    } for (1), (2);

    async fn nested_call_in_a_loop(n: i64) -> i64 {
        let mut total = 0;
        for i in 0..n {
            total += helper_sum(i, total).await;
            if total > 100 {
                total = helper_sum(helper_sum(1, i).await, get(i).await).await;
            }
        }
        total
    } for (0), (2), (4);

    async fn nested_call_that_fails(n: i64) -> Result<String, Fault> {
        let mut out = { let end = helper_checked(n).await?; vec![end] };
        for i in 1..3 {
            out.push(helper_checked(n + i).await?);
        }
        let last = helper_checked(out[0]).await.unwrap_or(-1);
        out.push(last);
        Ok(format!("{out:?}"))
    } for (1), (2), (3), (7), (8);

    async fn nested_call_with_a_borrow(n: i64) -> String {
        let order = order(n).await;
        let once = helper_borrowing(&order, 1).await;
        let twice = helper_borrowing(&order, get(once).await).await;
        format!("{once} {twice} {}", order.name)
    } for (0), (2);

    async fn three_deep(n: i64) -> Result<i64, Fault> {
        let a = nested_call(n).await;
        let text = nested_call_that_fails(n).await?;
        Ok(a + say(&text).await.len() as i64 + nested_call_in_a_loop(2).await)
    } for (1), (7);

    async fn with_a_timer(n: i64) -> i64 {
        let a = get(n).await;
        sleep(Duration::from_secs(2)).await;
        for i in 0..2 {
            sleep(Duration::from_millis(500 * (i + 1))).await;
        }
        a + get(a).await
    } for (1);
}

mod recursion {
    use super::*;

    recursive_twins! {
        async fn factorial(n: i64) -> i64 {
            let kept = get(n).await;
            if n <= 1 {
                return kept;
            }
            let rest = factorial(n - 1).await;
            kept + rest * n
        } for (0), (1), (4);

        async fn walk(tree: Tree) -> Result<i64, Fault> {
            match tree {
                Tree::Leaf(value) => attempt(value).await,
                Tree::Node(left, right) => {
                    let left = walk(*left).await?;
                    let right = walk(*right).await?;
                    Ok(add(left, right).await)
                }
            }
        } for (tree(0)), (tree(3)), (Tree::Node(Box::new(tree(2)), Box::new(Tree::Leaf(7))));

        async fn is_even(n: i64) -> bool {
            if n == 0 { flag(n).await } else { get(n).await > 0 && is_odd(n - 1).await }
        } for (0), (3), (4);

        async fn is_odd(n: i64) -> bool {
            if n == 0 {
                return false;
            }
            get(-1).await;
            is_even(n - 1).await
        } for (3);

        async fn drive(state: Machine, depth: i64) -> Result<Vec<String>, Fault> {
            match step(state).await? {
                Machine::Done(mut trace) => {
                    trace.push(format!("depth {depth}"));
                    Ok(trace)
                }
                running => {
                    let mut trace = drive(running, depth + 1).await?;
                    trace.push(say(&depth.to_string()).await);
                    Ok(trace)
                }
            }
        } for (Machine::Running { left: 2, trace: vec![] }, 0), (Machine::Running { left: 13, trace: vec![] }, 5);
    }
}
