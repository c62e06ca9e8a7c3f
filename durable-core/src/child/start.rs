//! Starting an instance from inside another that is not its child.

use std::{fmt, task::Poll};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Call;
use crate::{
    compose::leaf::Leaf,
    context::{Completion, Context, NewOperation, StepFailure, Wait},
    error::CallError,
    future::{DurableFuture, IntoDurableFuture},
    workflow::{RootWorkflow, WorkflowCall},
};

/// Starts an instance under this id, which is not this one's child: it lives on its own. The start is committed with the step and
/// carried out once. An instance of the same workflow that is there already counts as started, as
/// [`Engine::start`](crate::Engine::start) has it; one of another workflow is [`CallError::IdInUse`].
///
/// Awaiting it waits until the instance is there.
pub fn start<W: RootWorkflow>(id: impl Into<String>, call: WorkflowCall<W>) -> StartedInstance {
    let state = match Call::new(id.into(), call, None).into_new() {
        Ok(new) => Ok(Leaf::new(NewOperation::Start(new))),
        Err(failure) => Err(Some(failure)),
    };
    StartedInstance(state)
}

/// The start of an instance from inside another; see [`start`].
#[must_use = "nothing is started until this is awaited"]
pub struct StartedInstance(Result<Leaf, Option<StepFailure>>);

impl DurableFuture for StartedInstance {
    type Output = Result<(), CallError>;

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let completion = match &mut self.0 {
            Ok(leaf) => leaf.poll("the start of an instance", cx),
            Err(failure) => {
                failure.take().into_iter().for_each(|failure| cx.fail(failure));
                None
            }
        };
        match completion {
            None => Poll::Pending,
            Some(Completion::Error(error)) => Poll::Ready(Err(error)),
            Some(_) => Poll::Ready(Ok(())),
        }
    }

    fn quiet(&self) -> Option<Wait> {
        self.0.as_ref().ok()?.quiet()
    }
}

#[diagnostic::do_not_recommend]
impl IntoDurableFuture for StartedInstance {
    type Output = Result<(), CallError>;
    type IntoFuture = Self;

    fn into_durable(self) -> Self {
        self
    }
}

impl fmt::Debug for StartedInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StartedInstance").finish_non_exhaustive()
    }
}

impl Serialize for StartedInstance {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Ok(leaf) => serializer.serialize_bytes(&leaf.to_bytes()),
            Err(_) => Err(serde::ser::Error::custom("the arguments of a workflow can't be stored")),
        }
    }
}

impl<'de> Deserialize<'de> for StartedInstance {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = durable_store::bytes::deserialize(deserializer)?;
        Leaf::from_bytes(&bytes).map(|leaf| StartedInstance(Ok(leaf))).map_err(serde::de::Error::custom)
    }
}
