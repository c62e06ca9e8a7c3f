//! Workflows that a `macro_rules` macro writes, with its hygiene.

use super::{echo, run};
use durable::prelude::*;

macro_rules! workflow_of {
    ($vis:vis $name:ident($($param:ident: $ty:ty),*) -> $out:ty $body:block) => {
        #[workflow]
        $vis async fn $name($($param: $ty),*) -> $out $body
    };
}

workflow_of!(pub(crate) from_a_block(a: u64, b: Vec<u64>) -> u64 {
    let mut sum = echo(a).await;
    for n in b {
        sum += echo(n).await;
    }
    sum
});

/// The macro's `x` and the caller's are two.
macro_rules! two_names {
    ($name:ident, $x:ident, $value:expr) => {
        #[workflow]
        async fn $name($x: u64) -> (u64, u64, String) {
            let x = 100;
            let one = echo($x + 1).await;
            let mut total = x + $x;
            total += echo($value).await;
            let text = format!("{x}");
            if let Some(x) = Some(total) {
                echo(x + $x).await;
            }
            (one + x, total + $x, text)
        }
    };
}

two_names!(hygienic, x, { x * 2 });

/// Fragments stand in groups without delimiters.
macro_rules! fragments {
    ($name:ident, $a:expr, $p:pat, $t:ty, $s:stmt, $lit:literal, $path:path) => {
        #[workflow]
        async fn $name(first: $t) -> $t {
            let n = $a * 2;
            let $p = echo(n).await;
            $s;
            let mut sum = $lit;
            'outer: loop {
                for _ in 0..3 {
                    sum += $path(n).await;
                    if sum > 20 {
                        break 'outer;
                    }
                }
            }
            sum + first
        }
    };
}

fragments!(of_fragments, 1 + 2, _ignored, u64, let _unused = 5, 1, super::written_by_macros::echo);

macro_rules! whole {
    ($($item:item)*) => { $(#[workflow] $item)* };
}

whole! {
    async fn whole_item(n: u64) -> u64 {
        echo(n).await
    }
}

macro_rules! bodies {
    ($($name:ident => { $($body:tt)* })*) => {
        $(#[workflow] async fn $name(n: u64) -> u64 { echo(n).await; $($body)* })*
    };
}

bodies! {
    token_body => { echo(5).await }
}

macro_rules! block_of {
    ($ty:ident, $name:ident) => {
        #[workflow]
        impl $ty {
            #[workflow]
            async fn $name(self, other: Self) -> Self {
                let n = echo(self.0).await;
                Self(n + other.0)
            }
        }
    };
}

#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Number(u64);

block_of!(Number, added);

#[tokio::test]
async fn a_macro_writes_workflows() {
    assert_eq!(run!(from_a_block(1, vec![2, 3])), 6);
    assert_eq!(run!(of_fragments(1)), 26);
    assert_eq!(run!(whole_item(2)), 2);
    assert_eq!(run!(token_body(2)), 5);
    assert_eq!(run!(Number(1).added(Number(2))), Number(3));
}

macro_rules! activity_of {
    ($name:ident, $value:expr, $n:ty, $text:ty) => {
        #[activity]
        async fn $name(n: $n, text: $text) -> u64 {
            $value * n + text.len() as u64
        }
    };
}

activity_of!(times_three, 1 + 2, u64, &str);

macro_rules! typed_by_fragments {
    ($name:ident, $n:ty, $text:ty) => {
        #[workflow]
        async fn $name(n: $n, text: $text) -> u64 {
            times_three(n, text).await
        }
    };
}

typed_by_fragments!(calls_times_three, u64, &str);

#[tokio::test]
async fn an_operand_that_a_macro_was_given_holds_together() {
    assert_eq!(run!(calls_times_three(2, "abc")), 9);
}

#[tokio::test]
async fn two_names_of_a_macro_and_its_caller_are_two_variables() {
    assert_eq!(run!(hygienic(7)), (108, 128, "100".to_owned()));
}
