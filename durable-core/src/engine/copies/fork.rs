//! Forking: a new instance stands where another one stood after an earlier step.

use std::fmt;

use durable_store::{Number, Slot};
use tokio::sync::oneshot;

use super::{Copied, Portable, carry::As};
use crate::{
    codec::{Bytes, Encoded, LayoutId},
    engine::{
        Engine,
        error::{EngineError, StartError},
        handle::WorkflowHandle,
        history::HistoryKind,
        inner::Inner,
        kept::{Kept, Source},
        mail::{Message, Placed},
        start::{OnExisting, Requester, StartRequest, check_id},
        state::{Address, Held, InstanceState},
    },
};

/// A step of which no snapshot is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotKept {
    /// The instance's id.
    pub id: String,
    /// The step that was asked for.
    pub step: u64,
    /// The steps whose snapshots are kept.
    pub kept: Vec<u64>,
    /// How many are kept of an instance.
    pub most: u32,
}

impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotKept { id, step, kept, most } = self;
        write!(f, "no snapshot of instance `{id}` after step {step} is kept: ")?;
        if kept.is_empty() {
            f.write_str("none is")?;
        } else {
            let kept: Vec<_> = kept.iter().map(u64::to_string).collect();
            write!(f, "there are those after steps {}", kept.join(", "))?;
        }
        write!(
            f,
            "; how many are kept is said by `keep_snapshots` on the engine's builder, which is {most} now"
        )
    }
}

/// Why an instance was not forked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForkError {
    /// No snapshot of that step is kept.
    #[error("{0}")]
    NotKept(NotKept),
    /// Another instance can't go on from there.
    #[error("instance `{id}` can't be forked after step {step}: {reason}")]
    Impossible {
        /// The instance's id.
        id: String,
        /// The step.
        step: u64,
        /// Why not.
        reason: String,
    },
    /// The new instance was not started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl<T> WorkflowHandle<T> {
    /// Starts a new instance under `id` that stands where this one stood after a step, and goes on from there by this build. This one is
    /// left alone, whether it runs or has ended: terminate it if the fork takes its place.
    ///
    /// [`snapshots`](WorkflowHandle::snapshots) lists the steps at which that is possible. The fork has the original's variables, published
    /// values and tags of that moment. What was under way then is done anew by the fork: activities are called with idempotency keys of
    /// their own, children are started under the fork's id, timers fire when they were due, and its deadline counts from now. Compensations
    /// that were pushed stand for the fork too. Nobody waits for the fork: updates that were not answered are answered by the original, and
    /// messages that waited for the original still do, and a variable that holds the original's id does so still. Tokens that the original has given away complete the original; the fork has its own.
    ///
    /// ```no_run
    /// # async fn f(engine: durable_core::Engine) -> Result<(), Box<dyn std::error::Error>> {
    /// // The discount was computed in step 3, and wrongly.
    /// let wrong = engine.handle("order-1042");
    /// let right = wrong.fork_at(2, "order-1042-again").await?;
    /// wrong.terminate("forked as order-1042-again").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`ForkError::NotKept`] names the steps that are kept; [`ForkError::Impossible`] says what the fork could not be given;
    /// [`StartError::Exists`] if the id is in use.
    pub async fn fork_at(&self, step: u64, id: impl Into<String>) -> Result<WorkflowHandle<T>, ForkError> {
        let id = id.into();
        check_id(&id)?;
        let (handle, to) = (self.untyped(), id.clone());
        let copied = self.engine().inner.runtime.spawn_blocking(move || handle.copy_at(step, &to));
        let copied = copied.await.map_err(|_| EngineError::Stopped)??;
        match self.engine().begin_copy(id, copied).await? {
            Ok(handle) => Ok(handle),
            Err(reason) => Err(ForkError::Impossible { id: self.id().to_owned(), step, reason }),
        }
    }
}

impl WorkflowHandle {
    /// What a fork begins as: what is kept and what is held, as of one moment.
    fn copy_at(&self, step: u64, id: &str) -> Result<Copied, ForkError> {
        let inner = &self.engine().inner;
        let _commit = inner.commit.lock().expect("no code panics while it commits");
        let source = self.source()?;
        let mut kept = inner.kept(source.number).map_err(EngineError::from)?;
        let Some(at) = kept.iter().position(|(_, kept)| kept.step == step) else {
            return Err(ForkError::NotKept(inner.not_kept(&source.id, &kept, step)));
        };
        let taken: Vec<_> = kept.iter_mut().flat_map(|(_, kept)| std::mem::take(&mut kept.taken)).collect();
        let (_, kept) = kept.swap_remove(at);
        let impossible = |reason| ForkError::Impossible { id: source.id.clone(), step, reason };
        let slot = kept.slot;
        let mut portable = inner.portable(&source, slot, kept.into_state())?;
        portable.mail = inner
            .held(&source, &portable.state, taken)
            .map_err(EngineError::from)?
            .ok_or_else(|| impossible(HELD.to_owned()))?;
        let kind = HistoryKind::Forked { from: source.id.clone(), step };
        let mut copied = portable.carry(inner, id, As::Fork, kind).map_err(impossible)?;
        copied.original = Some(Address { slot, number: source.number, operation: step });
        Ok(copied)
    }
}

/// Why neither a fork nor a rewound instance can go on with a message that was taken out of its mailbox.
pub(crate) const HELD: &str =
    "it held a message there for a composition (a join, a select) that has been completed with it since";

impl Engine {
    /// Starts a copy. Why there can be none, if its workflow is not here.
    pub(super) async fn begin_copy<T>(
        &self,
        id: String,
        copied: Copied,
    ) -> Result<Result<WorkflowHandle<T>, String>, StartError> {
        let inner = &self.inner;
        let Some((workflow, _)) = inner.registry.workflows.get_key_value(copied.workflow.as_str()) else {
            return Ok(Err(format!("workflow `{}` is not in this build", copied.workflow)));
        };
        let (reply, answer) = oneshot::channel();
        {
            let mut shared = inner.lock();
            inner.refuse(&shared).map_err(StartError::from)?;
            shared.starts.push_back(StartRequest {
                id: id.clone(),
                workflow,
                // It has begun.
                args: Encoded { layout: LayoutId::NAMED, bytes: Bytes::default() },
                on_existing: OnExisting::Fail,
                tags: Vec::new(),
                messages: Vec::new(),
                deadline_ms: None,
                delay_ms: None,
                copied: Some(Box::new(copied)),
                by: Requester::Caller(reply),
            });
            inner.wake_worker(&mut shared);
        }
        let started = answer.await.map_err(|_| StartError::from(EngineError::Stopped))??;
        Ok(Ok(WorkflowHandle::new(self.clone(), id, Some(started))))
    }
}

impl Inner {
    pub(crate) fn not_kept(&self, id: &str, kept: &[(u32, Kept)], step: u64) -> NotKept {
        let kept = kept.iter().map(|(_, kept)| kept.step).collect();
        NotKept { id: id.into(), step, kept, most: self.settings.keep_snapshots }
    }

    /// An instance that is to be carried elsewhere, without its mail.
    pub(super) fn portable(
        &self,
        source: &Source,
        slot: Slot,
        state: InstanceState,
    ) -> Result<Portable, EngineError> {
        let of = (source.id.clone(), source.workflow.clone(), source.started_ms);
        let mut portable = Portable::new(of, (source.number, slot), state);
        portable.find_attached(self)?;
        Ok(portable)
    }

    /// The messages that a composition holds, if all of them are still there or among those that were taken since.
    fn held(
        &self,
        source: &Source,
        state: &InstanceState,
        taken: Vec<Placed>,
    ) -> Result<Option<Vec<Placed>>, durable_store::Error> {
        let is_held =
            |(queue, seq, _): &Placed| state.held.iter().any(|held| (held.queue, held.seq) == (*queue, *seq));
        let mut all: Vec<_> = taken.into_iter().filter(is_held).collect();
        for Held { queue, seq, .. } in &state.held {
            if all.iter().any(|(_, found, _)| found == seq) {
                continue;
            }
            let Some(slot) = source.slot else { return Ok(None) };
            match self.message(slot, source.number, *queue, *seq)? {
                Some(message) => all.push((*queue, *seq, message)),
                None => return Ok(None),
            }
        }
        Ok(Some(all))
    }

    /// A message that waits for an instance.
    pub(crate) fn message(
        &self,
        slot: Slot,
        number: Number,
        queue: u64,
        seq: u64,
    ) -> Result<Option<Message>, durable_store::Error> {
        if self.ask(|store| store.owner(slot))? != Some(number) {
            return Ok(None);
        }
        let rows = self.ask(|store| store.mail(slot, queue, seq.checked_sub(1), 1))?;
        let row = rows.into_iter().find(|row| row.seq == seq);
        Ok(row.and_then(|row| postcard::from_bytes(&row.bytes).ok()))
    }
}
