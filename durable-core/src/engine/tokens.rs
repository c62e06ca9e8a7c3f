//! Completing an operation from outside, by its token.

use durable_store::Number;
use tokio::sync::oneshot;

use super::{
    Engine,
    advance::Event,
    error::{CompleteError, EngineError},
};
use crate::{codec::Persist, external::Token};

impl Engine {
    /// Gives a value to the [`external`](crate::external) operation that this token is for. When it returns, the value is durable and is given to
    /// the workflow once, whether it waits already or not. A token counts once.
    ///
    /// ```no_run
    /// # async fn f(engine: durable_core::Engine, link: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// let token: durable_core::Token<bool> = link.parse()?;
    /// engine.complete(&token, true).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`CompleteError`]. After [`CompleteError::Engine`] ask again: [`CompleteError::Used`] then means that it was done.
    pub async fn complete<T: Persist>(&self, token: &Token<T>, value: T) -> Result<(), CompleteError> {
        let inner = &self.inner;
        let to = token.address();
        let value = inner.codec.encode(&value)?;
        let owner = inner.ask(|store| store.owner(to.slot)).map_err(EngineError::from)?;
        if owner != Some(to.number) {
            return Err(self.not_there(to.number));
        }
        let (reply, answer) = oneshot::channel();
        {
            let mut shared = inner.lock();
            inner.refuse(&shared)?;
            let secret = token.secret();
            let event = Event::Complete { operation: to.operation, secret, value, reply };
            inner.post(&mut shared, to.slot, to.number, event);
        }
        match answer.await {
            Ok(Ok(completing)) => completing.map_err(|refused| match refused {
                NotCompleted::Used => CompleteError::Used,
                NotCompleted::Unknown => CompleteError::Unknown,
            }),
            Ok(Err(EngineError::NotFound { .. } | EngineError::Closed { .. })) => {
                Err(self.not_there(to.number))
            }
            Ok(Err(error)) => Err(error.into()),
            Err(_) => {
                inner.refuse(&inner.lock())?;
                Err(EngineError::Stopped.into())
            }
        }
    }

    /// Why there is no such run.
    fn not_there(&self, number: Number) -> CompleteError {
        match self.inner.ask(|store| store.closed(number)) {
            Ok(Some(closed)) => CompleteError::Closed { id: closed.id },
            Ok(None) => CompleteError::Unknown,
            Err(error) => EngineError::from(error).into(),
        }
    }
}

/// Why an operation was not completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotCompleted {
    Used,
    Unknown,
}
