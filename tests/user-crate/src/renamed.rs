//! The dependency under another name.

/// Where it stands.
pub mod engines {
    pub use durable as durably;
}

use engines::durably::{activity, workflow};
use serde::{Deserialize, Serialize};

/// A box.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Parcel(u64);

/// An activity.
#[activity(crate = crate::renamed::engines::durably)]
pub async fn weigh(n: u64) -> u64 {
    n
}

/// A workflow.
#[workflow(crate = crate::renamed::engines::durably)]
pub async fn weighed(n: u64) -> u64 {
    weigh(n).await
}

#[workflow(crate = crate::renamed::engines::durably)]
impl Parcel {
    /// The block says it for its functions.
    #[workflow]
    pub async fn weighs(self) -> Self {
        Self(Self::reweigh(weighed(self.0).await).await)
    }

    /// An activity.
    #[activity]
    pub async fn reweigh(n: u64) -> u64 {
        n
    }
}
