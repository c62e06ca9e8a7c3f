//! What a build would do to the instances of a store, without doing it.
//!
//! Each instance is loaded as a step would load it, with its values read as today's types, and then left alone: what it awaits is
//! looked at and not polled, and nothing is committed. So the report is not an estimate from layouts but what was found for each instance.
//!
//! Deliberately absent: results that nobody awaits yet, behind handles in locals: their types are the locals'.

mod copy;
mod parts;
mod report;

use std::sync::Arc;

use durable_store::{Error as StoreError, Instance, Mailbox, Slot, Store};

pub(crate) use copy::Copied;
pub use report::{CheckGroup, CheckOutcome, CheckReport};
use report::{Found, Tally};

use super::{
    Engine,
    error::{EngineError, OpenError},
    inner::Inner,
    state::Loaded,
};
use crate::{
    context::{Inspection, OperationId, StepFailure},
    registry::Machine,
};

/// How many records are read at once.
const PAGE: usize = 1_000;

impl Engine {
    /// What this build does with each instance that is in flight: whether it resumes as it is, after its values were converted, or not.
    /// Nothing is touched. `Engine::builder().path(..).check()` does the same before a deploy, without opening the store.
    ///
    /// ```no_run
    /// # async fn deploy(engine: durable_core::Engine) -> Result<(), durable_core::EngineError> {
    /// let report = engine.check().await?;
    /// println!("{report}");
    /// # Ok(()) }
    /// ```
    pub async fn check(&self) -> Result<CheckReport, EngineError> {
        let inner = self.inner.clone();
        let checked = self.inner.runtime.spawn_blocking(move || inner.check()).await;
        Ok(checked.map_err(|_| EngineError::Stopped)??)
    }
}

impl Inner {
    /// Looks at all live instances.
    pub(crate) fn check(&self) -> Result<CheckReport, StoreError> {
        let mut tally = Tally::default();
        let mut after = None;
        loop {
            let page = self.ask(|store| store.scan(after, PAGE))?;
            let Some((last, _)) = page.last() else { break };
            let mail = self.mail_between(after, *last)?;
            after = Some(*last);
            for (slot, instance) in page {
                self.check_one(slot, instance, mail.get(&slot), &mut tally);
            }
        }
        Ok(tally.report())
    }

    fn check_one(&self, slot: Slot, instance: Instance, mail: Option<&Mailbox>, tally: &mut Tally) {
        let (id, workflow) = (instance.id.clone(), instance.workflow.clone());
        let mut loaded = match self.load(slot, instance) {
            Ok(loaded) => loaded,
            Err(reason) => {
                return tally.add(id, workflow, "its record".into(), Found::strands(reason));
            }
        };
        let place = self.place(&loaded);
        let mut found = mail.map_or_else(Found::resumes, |mail| self.check_mail(slot, mail));
        for id in loaded.machines().map(|(id, ..)| id).collect::<Vec<_>>() {
            found = self.check_machine(slot, &mut loaded, id).and(found);
        }
        for operation in loaded.state.operations.iter() {
            found = found.and(self.check_operation(&operation.kind));
        }
        tally.add(id, workflow, place, found);
    }

    /// Where an instance stands, in the words of the build that took its snapshot.
    fn place(&self, loaded: &Loaded) -> String {
        let Machine::At(image) = &loaded.state.machine else { return "its start".into() };
        let Ok(known) = self.frames.get(image.layout) else { return "an unknown resume point".into() };
        match self.saved_at(loaded.state.build, &known) {
            Some(place) => format!("{place} {}", known.point()),
            None => known.point().to_string(),
        }
    }

    /// Loads a machine, and looks at what it awaits.
    fn check_machine(&self, slot: Slot, loaded: &mut Loaded, id: OperationId) -> Found {
        let ran = match self.look_at_machine(slot, loaded, id, Inspection::default()) {
            Ok(ran) => ran,
            Err(reason) => return Found::strands(reason),
        };
        if let Err(caught) = ran.moved {
            let reason = format!("its values can't be loaded: {} ({})", caught.message, caught.place);
            return Found::strands(reason);
        }
        match (ran.failure, ran.found) {
            (Some(failure), _) => {
                let reason = if ran.stuck.is_some() { failure.of_a_frame() } else { failure.to_string() };
                match failure {
                    StepFailure::Decode { what, .. } => Found::strands(reason).over(what),
                    _ => Found::strands(reason),
                }
            }
            (None, Some(Inspection { migrated, .. })) if !migrated.is_empty() => {
                Found::migrates(migrated.into_iter().map(|migrated| migrated.workflow.to_owned()).collect())
            }
            (None, Some(found)) if !found.converted.is_empty() => Found::converts(found.converted),
            _ => Found::resumes(),
        }
    }
}

impl super::EngineBuilder {
    /// What this build would do with each instance in flight of the store at the builder's path, which may be open in another process: a
    /// copy of it is looked at. Give the builder the same states as for [`open`](Self::open), so that missing ones show.
    ///
    /// The copy is made beside the store and removed again; it takes as much room as the store does.
    ///
    /// ```no_run
    /// # async fn before_the_deploy() -> Result<(), durable_core::OpenError> {
    /// let report = durable_core::Engine::builder().path("orders.redb").check().await?;
    /// print!("{report}");
    /// std::process::exit(report.exit_code());
    /// # }
    /// ```
    ///
    /// # Errors
    /// See [`OpenError`]; a store to which its engine writes so much that no consistent copy can be made is an error too.
    pub async fn check(mut self) -> Result<CheckReport, OpenError> {
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| OpenError::NoRuntime)?;
        let registry = self.registry()?;
        let opening = runtime.clone();
        let checked = runtime.spawn_blocking(move || {
            let copied = Copied::of(self.path.as_deref().ok_or(OpenError::NoStore)?)?;
            let store: Arc<dyn Store> = Arc::new(copied.open()?);
            self.path = None;
            let inner = self.assemble(store.clone(), registry, opening)?;
            let report = inner.check();
            store.close();
            Ok::<_, OpenError>(report?)
        });
        checked.await.map_err(|_| OpenError::NoRuntime)?
    }
}
