//! `#[workflow]` on functions of `impl` blocks.

use serde::{Deserialize, Serialize};
use std::fmt::Debug;

use super::{echo, run};
use durable::prelude::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    qty: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Pair(u64, u64);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Light {
    Red,
    Green { since: u64 },
}

#[workflow]
impl Order {
    const FEE: u64 = 3;

    fn helper(qty: u64) -> u64 {
        qty * 2
    }

    fn total(&self) -> u64 {
        self.id + self.qty
    }

    /// `Self` in the parameters, the result and the body.
    #[workflow]
    async fn fulfil_order(order: Order, other: Option<Self>) -> Result<Self, String> {
        let fee = echo(Self::FEE).await;
        let Self { id, qty } = order;
        let known = other.unwrap_or(Self { id, ..Self::fallback() });
        let doubled = Self::helper(qty) + echo(known.id).await;
        println!("{}", Self::FEE);
        if doubled == 0 {
            return Err(format!("nothing in {id}"));
        }
        Ok(Self { id, qty: doubled + fee })
    }

    /// Called with a method call's syntax.
    #[workflow(name = "consumed order")]
    pub(crate) async fn consume(mut self, more: u64) -> u64 {
        self.qty += echo(more).await;
        let add = |n: u64| n + self.id;
        let with_id = add(1);
        echo(1).await;
        println!("{}", self.qty);
        self.total() + with_id
    }

    #[workflow]
    async fn boxed_self(self: Box<Self>) -> u64 {
        echo(1).await + self.qty
    }

    /// An activity whose types mention `Self`.
    #[activity]
    async fn price_of(order: &Self, State(fee): State<u64>) -> Result<Self, durable::Error> {
        Ok(Self { qty: order.qty * *fee + Self::helper(1), ..order.clone() })
    }

    #[activity]
    fn blocking_helper(qty: u64) -> u64 {
        Self::helper(qty)
    }

    #[workflow]
    async fn uses_activities(order: Self) -> Result<Self, durable::Error> {
        let priced = Self::price_of(&order).await?;
        let more = Order::blocking_helper(priced.qty).await;
        Ok(Self { qty: more, ..priced })
    }

    fn fallback() -> Self {
        Self { id: 0, qty: 0 }
    }
}

#[workflow]
impl Pair {
    #[workflow]
    async fn swapped(Self(a, b): Self) -> Self {
        let a = echo(a).await;
        let make = Self;
        let pair = make(b, a);
        echo(0).await;
        match pair {
            Self(x, y) if x == y => Self(0, 0),
            other => other,
        }
    }
}

#[workflow]
impl Light {
    #[workflow]
    async fn switched(self) -> Self {
        match self {
            Self::Red => Self::Green { since: echo(7).await },
            Self::Green { .. } => Self::Red,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stack<T> {
    items: Vec<T>,
}

#[workflow]
impl<T: Clone + Debug + Serialize + serde::de::DeserializeOwned> Stack<T>
where
    T: PartialEq,
{
    #[workflow]
    async fn pushed<U>(mut self, item: T, note: U) -> (Self, U)
    where
        U: Serialize + serde::de::DeserializeOwned,
    {
        for _ in 0..2 {
            echo(1).await;
            self.items.push(item.clone());
        }
        if self.items.first() == Some(&item) {
            echo(2).await;
        }
        (Self { items: self.items }, note)
    }
}

#[workflow]
async fn calls_generic_block() -> (Stack<String>, u8) {
    let stack = Stack { items: vec!["a".to_owned()] };
    stack.pushed("b".to_owned(), 5).await
}

/// Without `Self` the attribute of the function is enough.
struct Plain;

impl Plain {
    #[workflow]
    async fn alone(n: u64) -> u64 {
        echo(n).await + Plain::five()
    }

    #[activity]
    async fn activity_alone(n: u64) -> u64 {
        n + 1
    }

    #[workflow]
    async fn both(n: u64) -> u64 {
        Plain::activity_alone(Plain::alone(n).await).await
    }

    fn five() -> u64 {
        5
    }
}

#[tokio::test]
async fn self_is_the_type_of_the_block() {
    fn order() -> Order {
        Order { id: 1, qty: 2 }
    }
    assert_eq!(run!(Order::fulfil_order(order(), None)), Ok(Order { id: 1, qty: 8 }));
    assert_eq!(run!(Order::fulfil_order(order(), Some(order()))), Ok(Order { id: 1, qty: 8 }));
    assert_eq!(run!(Pair::swapped(Pair(1, 2))), Pair(2, 1));
    assert_eq!(run!(Light::Red.switched()), Light::Green { since: 7 });
}

#[tokio::test]
async fn self_by_value_is_an_argument() {
    assert_eq!(run!(Order { id: 1, qty: 2 }.consume(3)), 8);
    assert_eq!(run!(Box::new(Order { id: 1, qty: 2 }).boxed_self()), 3);
}

#[tokio::test]
async fn activities_of_a_block_know_self_too() {
    let engine = durable::testing::engine().state(10_u64).open().await;
    let handle = engine.start("a", Order::uses_activities(Order { id: 1, qty: 2 })).await.unwrap();
    assert_eq!(handle.result().await.unwrap().unwrap(), Order { id: 1, qty: 44 });
}

#[tokio::test]
async fn a_block_may_be_generic() {
    let (stack, note) = run!(calls_generic_block());
    assert_eq!((stack.items.len(), note), (3, 5));
}

#[tokio::test]
async fn a_function_that_does_not_say_self_needs_no_attribute_on_its_block() {
    assert_eq!(run!(Plain::both(1)), 7);
}

#[tokio::test]
async fn a_function_of_a_block_is_named_by_its_path_and_stored_by_its_name() {
    let engine = durable::testing::engine().open().await;
    let started = engine.start("a", Order { id: 1, qty: 2 }.consume(3)).await.unwrap();
    started.result().await.unwrap();
    assert_eq!(engine.handle("a").of(Order::consume).describe().await.unwrap().workflow, "consumed order");
}
