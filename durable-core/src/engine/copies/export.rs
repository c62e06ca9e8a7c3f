//! Exporting: an instance as JSON.

use serde_json::{Map, Value as Json, json};

use super::{
    Portable,
    exported::{Exact, Exported, MAX_EXPORT_BYTES, shallow, write},
    gather::Gathered,
};
use crate::{
    clock::to_ms,
    engine::{
        describe::Description,
        error::EngineError,
        handle::WorkflowHandle,
        history::read_chunk,
        inner::Inner,
        mail::{CONTROL, Placed},
        stack::waits_on,
    },
};

/// More messages than this are not exported with their instance.
const MOST_MESSAGES: usize = 10_000;

/// Why an instance was not exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// It is too large.
    #[error("instance `{id}` can't be exported: {what}, and up to {most} fit")]
    TooLarge {
        /// The id.
        id: String,
        /// What is too large.
        what: String,
        /// The limit.
        most: usize,
    },
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl<T> WorkflowHandle<T> {
    /// The instance as JSON, as it stands now: what people read of it (the frames with the value of every local, what is pending, its
    /// history), and its exact state with all that is needed to read it elsewhere. [`Engine::import`](crate::Engine::import) goes on with it,
    /// and [`testing::resume`](crate::testing::resume) makes a test of it. The instance itself is left alone.
    ///
    /// It holds all data of the instance, secrets included: treat it like the store. Nothing of it is changed while it runs, so
    /// pause it first if it is to go on elsewhere and not here.
    ///
    /// ```no_run
    /// # async fn f(engine: durable_core::Engine) -> Result<(), Box<dyn std::error::Error>> {
    /// let exported = engine.handle("order-1042").export().await?;
    /// std::fs::write("tests/order-1042.json", exported.to_string())?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`EngineError::Closed`] if it has ended: fork it at an earlier step, and export that. [`ExportError::TooLarge`] beyond 256 MiB, or 10,000
    /// messages that wait for it.
    pub async fn export(&self) -> Result<Exported, ExportError> {
        let handle = self.untyped();
        let exported = self.engine().inner.runtime.spawn_blocking(move || handle.export_now());
        exported.await.map_err(|_| EngineError::Stopped)?
    }
}

impl WorkflowHandle {
    /// The record, its mail and its history, as of one moment.
    fn export_now(&self) -> Result<Exported, ExportError> {
        let inner = &self.engine().inner;
        let portable = {
            let _commit = inner.commit.lock().expect("no code panics while it commits");
            let (source, slot, loaded) = self.live_source()?;
            let mut portable = inner.portable(&source, slot, loaded.state)?;
            portable.history = inner.history_of(source.number, &portable.history)?;
            portable.mail = inner.waiting(&portable)?;
            portable
        };
        let id = portable.id.clone();
        let unreadable = |reason| EngineError::Unreadable { id: id.clone(), reason };
        let layouts = Gathered::of(inner, &portable).map_err(unreadable)?.rows;
        let program = inner.ask(|store| store.program(portable.state.build)).map_err(EngineError::from)?;
        let exact = Exact {
            layouts: layouts.into_iter().collect(),
            program,
            readable: 0,
            exported_ms: inner.clock.now_ms(),
            portable,
        };
        let exported = write(inner.readable(&exact.portable), &exact);
        let exported = exported.map_err(|error| unreadable(error.to_string()))?;
        let bytes = exported.to_string().len();
        if bytes > MAX_EXPORT_BYTES {
            let what = format!("its JSON has {bytes} bytes");
            return Err(ExportError::TooLarge { id, what, most: MAX_EXPORT_BYTES });
        }
        Ok(exported)
    }
}

impl Inner {
    /// The history of a live run: its chunks, and the tail that is no chunk yet.
    fn history_of(&self, number: durable_store::Number, tail: &[u8]) -> Result<Vec<u8>, EngineError> {
        let chunks = self.ask(|store| store.history(number))?;
        let mut history: Vec<u8> = chunks.into_iter().flat_map(|(_, bytes)| bytes).collect();
        history.extend_from_slice(tail);
        Ok(history)
    }

    /// The messages that wait for an instance, in their order.
    fn waiting(&self, portable: &Portable) -> Result<Vec<Placed>, ExportError> {
        let id = &portable.id;
        let mailbox = self.ask(|store| store.mailbox(portable.slot)).map_err(EngineError::from)?;
        let mut all = Vec::new();
        for queue in mailbox.unwrap_or_default().queues.iter().filter(|queue| queue.queue != CONTROL) {
            let left = MOST_MESSAGES + 1 - all.len();
            let rows = self.ask(|store| store.mail(portable.slot, queue.queue, None, left));
            for row in rows.map_err(EngineError::from)? {
                let message = postcard::from_bytes(&row.bytes)
                    .map_err(|error| EngineError::Unreadable { id: id.clone(), reason: error.to_string() })?;
                all.push((row.queue, row.seq, message));
            }
            if all.len() > MOST_MESSAGES {
                let what = format!("more than {MOST_MESSAGES} messages wait for it");
                return Err(ExportError::TooLarge { id: id.clone(), what, most: MOST_MESSAGES });
            }
        }
        all.sort_by_key(|(_, seq, _)| *seq);
        Ok(all)
    }

    /// What people read of an instance. It depends on nothing but the instance, so that it can be made once more and compared.
    pub(super) fn readable(&self, portable: &Portable) -> Map<String, Json> {
        let loaded = portable.loaded();
        let state = &loaded.state;
        let frames = self.stack(&loaded);
        let waits = waits_on(&frames);
        let frames = frames.into_iter().map(|frame| {
            let locals: Map<_, _> = frame.locals.into_iter().collect();
            json!({
                "workflow": frame.workflow, "file": frame.file, "line": frame.line, "awaits": frame.awaits,
                "locals": locals, "depth": frame.depth, "task": frame.task,
            })
        });
        let frames: Vec<_> = frames.collect();
        let described = Description::of_live(self, portable.slot, &loaded);
        let activities = described.activities.iter().map(|activity| {
            json!({
                "activity": activity.activity, "attempt": activity.attempt, "last_error": activity.last_error,
                "idempotency_key": activity.idempotency_key, "args": activity.args, "progress": activity.progress,
            })
        });
        let timers = described.timers.iter().map(|time| Json::from(to_ms(*time)));
        let messages = portable.mail.iter().map(|(_, _, message)| Json::from(message.name.as_str()));
        let published: Map<_, _> = described.published.into_iter().collect();
        let tags: Map<_, _> =
            state.tags.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        let mut history = Vec::new();
        read_chunk(&portable.history, &mut history);
        let history = history.iter().map(|event| json!({ "at_ms": event.at_ms, "event": event.to_string() }));
        let readable = json!({
            "id": portable.id,
            "workflow": portable.workflow,
            "status": state.status().to_string(),
            "started_ms": portable.started_ms,
            "deadline_ms": state.deadline_ms,
            "step": state.steps,
            "waits_on": waits,
            "frames": frames,
            "activities": activities.collect::<Vec<_>>(),
            "timers_ms": timers.collect::<Vec<_>>(),
            "children": described.children,
            "messages": messages.collect::<Vec<_>>(),
            "tags": tags,
            "published": published,
            "history": history.collect::<Vec<_>>(),
        });
        match shallow(readable, 0) {
            Json::Object(readable) => readable,
            _ => Map::new(),
        }
    }
}
