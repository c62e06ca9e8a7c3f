//! What a person can do to instances from outside, one or many: end them, hold them back, let them go on.
//!
//! Each instance does what it is asked in a transition of its own. An operation on many is no transaction: if it fails half-way, part of
//! them have done it, and asking again is safe.

use durable_store::{Number, Slot};
use tokio::sync::oneshot;

use super::{
    Engine,
    advance::{Command, Event},
    error::EngineError,
    handle::WorkflowHandle,
    inner::Inner,
    list::Filter,
};

impl<T> WorkflowHandle<T> {
    /// Asks the instance to end. A workflow that waits for [`cancelled`](crate::cancelled) deals with that itself. Any other is not
    /// stepped any more: its activities are told and waited for, its children are told as their
    /// [`OnClose`](crate::OnClose) says, its compensations run, and it closes as [`Status::Cancelled`](crate::Status::Cancelled). Asking twice is asking
    /// once. A paused instance ends when it is resumed; a parked one ends at once.
    ///
    /// Returns when the request is durable, which is before the end; await [`result`](WorkflowHandle::result) for that.
    ///
    /// ```no_run
    /// # async fn f(engine: durable_core::Engine) -> Result<(), durable_core::EngineError> {
    /// engine.handle("order-1042").cancel("the customer called").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`EngineError::Closed`] if it has ended.
    pub async fn cancel(&self, why: impl Into<String>) -> Result<(), EngineError> {
        self.command(Command::Cancel { why: why.into() }).await
    }

    /// Holds the instance back: it is not stepped and none of its activities begins, until [`resume`](WorkflowHandle::resume).
    /// Attempts that run come to their end, and what they give is kept, as are timers that fire and messages that arrive.
    /// Survives restarts.
    ///
    /// # Errors
    /// [`EngineError::Closed`] if it has ended.
    pub async fn pause(&self) -> Result<(), EngineError> {
        self.command(Command::Pause).await
    }

    /// Lets a paused instance go on. One that is not paused is left as it is.
    ///
    /// # Errors
    /// [`EngineError::Closed`] if it has ended.
    pub async fn resume(&self) -> Result<(), EngineError> {
        self.command(Command::Resume).await
    }
}

impl Engine {
    /// [`cancel`](WorkflowHandle::cancel)s every open instance that the filter lets through, and gives how many that were. The filter's
    /// limit counts only if one was set.
    ///
    /// ```no_run
    /// # async fn f(engine: durable_core::Engine) -> Result<(), durable_core::EngineError> {
    /// use durable_core::Filter;
    /// let ended = engine.cancel_all(Filter::new().tag("tenant", "acme"), "the tenant left").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`EngineError::Store`] or [`EngineError::Broken`] if the store fails half-way: ask again.
    pub async fn cancel_all(&self, filter: Filter, why: impl Into<String>) -> Result<u64, EngineError> {
        let why = why.into();
        self.command_all(filter, &|| Command::Cancel { why: why.clone() }).await
    }

    /// [`terminate`](WorkflowHandle::terminate)s every open instance that the filter lets through; as [`cancel_all`](Engine::cancel_all).
    ///
    /// # Errors
    /// As [`cancel_all`](Engine::cancel_all).
    pub async fn terminate_all(&self, filter: Filter, why: impl Into<String>) -> Result<u64, EngineError> {
        let why = why.into();
        self.command_all(filter, &|| Command::Terminate { why: why.clone() }).await
    }

    /// [`pause`](WorkflowHandle::pause)s every open instance that the filter lets through; as [`cancel_all`](Engine::cancel_all).
    ///
    /// # Errors
    /// As [`cancel_all`](Engine::cancel_all).
    pub async fn pause_all(&self, filter: Filter) -> Result<u64, EngineError> {
        self.command_all(filter, &|| Command::Pause).await
    }

    /// [`resume`](WorkflowHandle::resume)s every open instance that the filter lets through; as [`cancel_all`](Engine::cancel_all).
    ///
    /// # Errors
    /// As [`cancel_all`](Engine::cancel_all).
    pub async fn resume_all(&self, filter: Filter) -> Result<u64, EngineError> {
        self.command_all(filter, &|| Command::Resume).await
    }

    /// [`retry_now`](WorkflowHandle::retry_now) for every open instance that the filter lets through; as [`cancel_all`](Engine::cancel_all).
    ///
    /// # Errors
    /// As [`cancel_all`](Engine::cancel_all).
    pub async fn retry_all(&self, filter: Filter) -> Result<u64, EngineError> {
        self.command_all(filter, &|| Command::RetryNow).await
    }

    /// A page at a time: as many instances as one page has share their commits.
    async fn command_all(&self, filter: Filter, command: &dyn Fn() -> Command) -> Result<u64, EngineError> {
        let mut done = 0;
        let mut after = None;
        let mut left = filter.most();
        while left > 0 {
            let (inner, of) = (self.inner.clone(), filter.clone());
            let page = self.inner.runtime.spawn_blocking(move || inner.open_page(&of, after));
            let Some((last, page)) = page.await.map_err(|_| EngineError::Stopped)?? else { break };
            after = Some(last);
            let page: Vec<_> =
                page.into_iter().take(left).map(|(slot, loaded)| (slot, loaded.number)).collect();
            left -= page.len();
            for answer in self.inner.post_commands(page, command)? {
                match answer.await {
                    Ok(Ok(())) => done += 1,
                    // It has ended since: then it is none of those.
                    Ok(Err(EngineError::NotFound { .. } | EngineError::Closed { .. })) => {}
                    Ok(Err(error)) => return Err(error),
                    Err(_) => self.inner.refuse(&self.inner.lock())?,
                }
            }
        }
        Ok(done)
    }
}

type Answer = oneshot::Receiver<Result<(), EngineError>>;

impl Inner {
    fn post_commands(
        &self,
        to: Vec<(Slot, Number)>,
        command: &dyn Fn() -> Command,
    ) -> Result<Vec<Answer>, EngineError> {
        let mut shared = self.lock();
        self.refuse(&shared)?;
        let mut answers = Vec::with_capacity(to.len());
        for (slot, number) in to {
            let (reply, answer) = oneshot::channel();
            self.post(&mut shared, slot, number, Event::Command { command: command(), reply });
            answers.push(answer);
        }
        Ok(answers)
    }
}
