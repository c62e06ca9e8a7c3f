//! Importing: an exported instance goes on here.

use std::{
    future::{Future, IntoFuture},
    pin::Pin,
};

use durable_store::Batch;
use serde_json::{Map, Value as Json};

use super::{
    Copied,
    carry::As,
    exported::{Exact, Exported, Unread, VERSION, difference, hash, read},
};
use crate::{
    engine::{
        Engine,
        error::{EngineError, StartError},
        handle::WorkflowHandle,
        history::HistoryKind,
        inner::Inner,
        start::{check_id, check_tags},
    },
    frame::Frames,
};

/// Why an instance was not imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is no export, or a damaged one.
    #[error("this is not an exported instance: {reason}")]
    NotAnExport {
        /// Why not.
        reason: String,
    },
    /// It was written by a newer version of this library.
    #[error(
        "this was exported in version {found} of the format, and this build reads up to {supported}: import it with a newer build"
    )]
    Newer {
        /// Its version.
        found: u64,
        /// The newest that is read.
        supported: u64,
    },
    /// What people read of it was edited, which would come to nothing.
    #[error(
        "`{what}` was edited in the JSON, which is not what is imported: import it as it was exported, and edit the instance then"
    )]
    Edited {
        /// What was edited, by its place in the JSON.
        what: String,
    },
    /// An instance can't go on from there without what it was left without.
    #[error("instance `{id}` can't be imported: {reason}")]
    Impossible {
        /// The exported instance's id.
        id: String,
        /// Why not.
        reason: String,
    },
    /// The instance was not started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// An import that is being described; awaiting it makes it.
#[must_use = "nothing is imported until this is awaited"]
#[derive(Debug)]
pub struct Import {
    engine: Engine,
    exported: Exported,
    id: Option<String>,
    paused: bool,
}

impl Engine {
    /// Goes on with an instance that was [exported](WorkflowHandle::export), here or elsewhere, under its id or another one. A parked one is
    /// tried by this build.
    ///
    /// It is read as any stored instance is: a build with a changed workflow goes on with it or parks it with the reason. Calls that were
    /// pending are made with the idempotency keys that they had, or with others under another id. Its children are started again, messages that
    /// waited for it still do, timers fire when they were due. Nobody gets the answers to updates that were not answered. Tokens for its
    /// [`external`](crate::external) operations are new ones.
    ///
    /// ```no_run
    /// # async fn f(engine: durable_core::Engine) -> Result<(), Box<dyn std::error::Error>> {
    /// let text = std::fs::read_to_string("order-1042.json")?;
    /// let handle = engine.import(text).id("order-1042-again").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// See [`ImportError`]; [`StartError::Exists`] if the id is in use.
    pub fn import(&self, exported: impl Into<Exported>) -> Import {
        Import { engine: self.clone(), exported: exported.into(), id: None, paused: false }
    }
}

impl Import {
    /// The id of the instance here. Default: the one that it had.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// It is paused from the beginning: [`resume`](WorkflowHandle::resume) lets it go on. Default: as it was exported.
    pub fn paused(mut self) -> Self {
        self.paused = true;
        self
    }
}

impl IntoFuture for Import {
    type Output = Result<WorkflowHandle, ImportError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Import { engine, exported, id, paused } = self;
            let inner = engine.inner.clone();
            // It may be long.
            let read = inner.runtime.clone().spawn_blocking(move || inner.read_export(exported, id, paused));
            let (id, from, copied) = read.await.map_err(|_| EngineError::Stopped)??;
            match engine.begin_copy(id, copied).await? {
                Ok(handle) => Ok(handle),
                Err(reason) => Err(ImportError::Impossible { id: from, reason }),
            }
        })
    }
}

impl Inner {
    /// The copy that an export is to become, with the ids that it has here and had there. The layouts that it needs are stored then: they are
    /// named by their content, so that a crash leaves nothing wrong behind.
    fn read_export(
        &self,
        exported: Exported,
        id: Option<String>,
        paused: bool,
    ) -> Result<(String, String, Copied), ImportError> {
        let json = exported.0.map_err(|reason| ImportError::NotAnExport { reason })?;
        let (readable, exact) = read(json).map_err(|unread| match unread {
            Unread::NotAnExport(reason) => ImportError::NotAnExport { reason },
            Unread::Newer(found) => ImportError::Newer { found, supported: VERSION },
        })?;
        if let Some((id, _)) = exact.layouts.iter().find(|(id, row)| !Frames::is_row(*id, row)) {
            let reason = format!("layout {id:016x} is not what its id was made of");
            return Err(ImportError::NotAnExport { reason });
        }
        exact.portable.check().map_err(|reason| ImportError::NotAnExport { reason })?;
        check_tags(&exact.portable.state.tags)?;
        let from = exact.portable.id.clone();
        let id = id.unwrap_or_else(|| from.clone());
        check_id(&id)?;
        self.add_rows(&exact)?;
        self.is_unedited(&readable, &exact)?;
        let kind = HistoryKind::Imported { from: from.clone(), step: exact.portable.state.steps };
        let how = As::Import { paused, exported_ms: exact.exported_ms };
        let copied = exact.portable.carry(self, &id, how, kind);
        let copied = copied.map_err(|reason| ImportError::Impossible { id: from.clone(), reason })?;
        Ok((id, from, copied))
    }

    fn add_rows(&self, exact: &Exact) -> Result<(), ImportError> {
        let mut batch = Batch::default();
        for (id, row) in &exact.layouts {
            match self.ask(|store| store.layout(*id)).map_err(EngineError::from)? {
                None => batch.layouts.push((*id, row.clone())),
                Some(stored) if stored == *row => {}
                Some(_) => {
                    let reason = format!("layout {id:016x} is another one here");
                    return Err(ImportError::NotAnExport { reason });
                }
            }
        }
        let build = exact.portable.state.build;
        if let Some(program) = &exact.program
            && self.ask(|store| store.program(build)).map_err(EngineError::from)?.is_none()
        {
            batch.programs.push((build, program.clone()));
        }
        let _commit = self.commit.lock().expect("no code panics while it commits");
        Ok(self.ask(|store| store.commit(&batch)).map_err(EngineError::from)?)
    }

    /// What people read is what the exact state says.
    fn is_unedited(&self, given: &Map<String, Json>, exact: &Exact) -> Result<(), ImportError> {
        if hash(given) == exact.readable {
            return Ok(());
        }
        let mut given = given.clone();
        given.retain(|name, _| name != "format" && name != "version");
        let made = Json::Object(self.readable(&exact.portable));
        match difference(&Json::Object(given), &made) {
            Some(what) => Err(ImportError::Edited { what }),
            None => Ok(()),
        }
    }
}
