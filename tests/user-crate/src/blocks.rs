//! Functions of `impl` blocks, generic ones, ones that macros write, and functions in every place.

use durable::{Persist, activity, workflow};
use serde::{Deserialize, Serialize};

use crate::activities::{ping, price};

/// A shelf.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// What stands in it.
    pub skus: Vec<String>,
}

#[workflow]
impl Shelf {
    const SPACE: usize = 3;

    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self { skus: Vec::new() }
    }

    /// What it is worth.
    #[workflow(name = "worth-of-a-shelf")]
    pub async fn worth(self) -> u64 {
        let mut cents = 0;
        for sku in &self.skus {
            cents += price(sku).await;
        }
        cents
    }

    /// With one more in it, if there is space.
    #[workflow]
    pub async fn with(mut self, sku: &str, others: Self) -> Option<Self> {
        if self.skus.len() + others.skus.len() >= Self::SPACE {
            return None;
        }
        let cents = self.clone().worth().await;
        if cents > 0 {
            ping().await;
        }
        self.skus.push(sku.to_owned());
        Some(Self { skus: self.skus })
    }

    /// Looks at one.
    #[activity]
    pub async fn looked_at(shelf: &Self) -> usize {
        shelf.skus.len().min(Self::SPACE)
    }
}

impl Default for Shelf {
    fn default() -> Self {
        Self::new()
    }
}

/// A pair.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Pair<T>(pub T, pub T);

#[workflow]
impl<T: Persist + PartialEq> Pair<T> {
    /// The other way round.
    #[workflow]
    pub async fn swapped<const TIMES: usize>(self) -> Self {
        let mut pair = self;
        for _ in 0..TIMES {
            ping().await;
            pair = Self(pair.1, pair.0);
        }
        pair
    }
}

/// The larger one.
#[workflow]
pub async fn larger<T>(a: T, b: T) -> T
where
    T: Persist + PartialOrd,
{
    ping().await;
    if a < b { b } else { a }
}

/// Calls itself, and generic ones.
#[workflow]
pub async fn descends(n: u32) -> u32 {
    if n == 0 {
        return Pair(1, 2).swapped::<1>().await.0;
    }
    let n = larger(n, 1).await;
    descends(n - 1).await
}

const fn count(_: u32) {}

macro_rules! workflows {
    ($($(#[$attr:meta])* $vis:vis $name:ident($x:ident: $ty:ty) -> $out:ty $body:block)*) => {
        $($(#[$attr])* #[workflow] $vis async fn $name($x: $ty) -> $out {
            let x = 1_u32;
            ping().await;
            count(x);
            $body
        })*
    };
}

workflows! {
    /// Written by a macro.
    pub written(x: u32) -> u32 {
        let next = descends(x).await;
        next + x
    }
    /// So is this.
    pub(crate) written_too(text: &str) -> String {
        price(text).await.to_string()
    }
}

/// With attributes of all kinds.
#[workflow(name = "with-attributes")]
#[must_use]
#[inline]
#[doc(alias = "attributes")]
#[cfg(not(any()))]
#[allow(clippy::needless_pass_by_value)]
#[track_caller]
pub async fn decorated(#[allow(unused_variables)] unused: u32, text: String) -> usize {
    ping().await;
    text.len()
}

/// Not there.
#[workflow]
#[cfg(any())]
pub async fn removed(unknown: Unknown) -> Unknown {
    unknown
}

/// Old.
#[deprecated = "use `larger`"]
#[workflow]
pub async fn old(n: u32) -> u32 {
    if n == 0 { 0 } else { old(n - 1).await }
}

mod inner {
    use super::{ping, workflow};

    /// Seen here and there.
    #[workflow(name = "in-path")]
    pub(in crate::blocks) async fn in_path() -> u32 {
        ping().await;
        1
    }
}

/// Workflows where other items may stand.
#[workflow]
pub async fn everywhere() -> u32 {
    #[workflow]
    async fn in_a_workflow(n: u32) -> u32 {
        ping().await;
        n
    }
    let text = written_too("a").await;
    in_a_workflow(inner::in_path().await).await + u32::from(text.is_empty())
}

const _: () = {
    #[workflow]
    #[allow(dead_code)]
    async fn in_a_constant() {
        ping().await;
    }
};

/// A function with workflows in it.
pub fn surrounding() -> durable::WorkflowCall<impl durable::RootWorkflow<Output = u32>> {
    #[workflow]
    async fn in_a_function(n: u32) -> u32 {
        ping().await;
        n
    }
    in_a_function(1)
}
