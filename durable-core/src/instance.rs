//! The instance that a workflow runs as.

use std::time::SystemTime;

use crate::context::ambient;

/// What a workflow can know of its instance.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceInfo {
    /// Its id.
    pub id: String,
    /// The stored name of the workflow that it was started with.
    pub workflow: String,
    /// The id of the instance that started it, if one did.
    pub parent: Option<String>,
    /// When it was started.
    pub started: SystemTime,
}

impl InstanceInfo {
    /// Of a step that no instance makes.
    pub(crate) fn nowhere() -> Self {
        let started = SystemTime::UNIX_EPOCH;
        InstanceInfo { id: String::new(), workflow: String::new(), parent: None, started }
    }
}

/// The instance that the calling workflow runs as.
///
/// ```no_run
/// # fn in_a_workflow() -> String {
/// let invoice = format!("invoice-{}", durable_core::instance().id);
/// # invoice }
/// ```
///
/// # Panics
/// Outside of a workflow.
pub fn instance() -> InstanceInfo {
    ambient::with("instance()", |scratch| (*scratch.info).clone())
}
