//! What a build would do to the instances of a store, without doing it.
//!
//! Each instance is loaded as a step would load it, with its values read as today's types, and then left alone: what it awaits is
//! looked at and not polled, and nothing is committed. So the report is not an estimate from layouts but what was found for each instance.
//!
//! Deliberately absent: messages that wait in mailboxes. One that can't be read parks its receiver when it takes it.

mod copy;
mod report;

use std::{collections::HashMap, sync::Arc};

use durable_store::{Error as StoreError, Instance, Slot, Store};

pub(crate) use copy::Copied;
pub use report::{CheckGroup, CheckOutcome, CheckReport};
use report::{Found, Tally};

use super::{
    Engine,
    dry::Unloaded,
    error::{EngineError, OpenError},
    inner::Inner,
    state::{Loaded, MAIN, OperationKind},
};
use crate::{
    activity::ActivityEntry,
    context::{Inspection, OperationId, StepFailure},
    program::Program,
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
        let mut programs = HashMap::new();
        let mut after = None;
        loop {
            let page = self.ask(|store| store.scan(after, PAGE))?;
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            for (slot, instance) in page {
                self.check_one(slot, instance, &mut programs, &mut tally);
            }
        }
        Ok(tally.report())
    }

    fn check_one(
        &self,
        slot: Slot,
        instance: Instance,
        programs: &mut HashMap<u64, Program>,
        tally: &mut Tally,
    ) {
        let (id, workflow) = (instance.id.clone(), instance.workflow.clone());
        let loaded = match self.load(slot, instance) {
            Ok(loaded) => loaded,
            Err(reason) => {
                return tally.add(id, workflow, "its record".into(), Found::strands(reason));
            }
        };
        let place = self.place(&loaded, programs);
        let mut found = self.check_machine(&loaded, MAIN, &loaded.workflow, &loaded.state.machine);
        for operation in loaded.state.operations.iter() {
            let part = match &operation.kind {
                OperationKind::Task(task) => {
                    self.check_machine(&loaded, operation.id, &task.workflow, &task.machine)
                }
                OperationKind::Activity(activity) => {
                    let entry = self.registry.activities.get(activity.name.as_str());
                    self.check_activity(&activity.name, entry)
                }
                _ => continue,
            };
            found = found.and(part);
        }
        tally.add(id, workflow, place, found);
    }

    /// Where an instance stands, in the words of the build that took its snapshot.
    fn place(&self, loaded: &Loaded, programs: &mut HashMap<u64, Program>) -> String {
        let Machine::At(image) = &loaded.state.machine else { return "its start".into() };
        let Ok(known) = self.frames.get(image.layout) else { return "an unknown resume point".into() };
        let program = programs.entry(loaded.state.build).or_insert_with(|| {
            let bytes = self.store.program(loaded.state.build).ok().flatten().unwrap_or_default();
            postcard::from_bytes(&bytes).unwrap_or_default()
        });
        match program.place(&known) {
            Some((file, line)) => format!("{file}:{line} {}", known.point()),
            None => known.point().to_string(),
        }
    }

    fn check_activity(&self, name: &str, entry: Option<&Arc<ActivityEntry>>) -> Found {
        let Some(entry) = entry else {
            return Found::strands(format!("activity `{name}` is not in this build"));
        };
        match (entry.missing_state)(&self.states) {
            Some(missing) => Found::strands(format!("activity `{name}`: {missing}")),
            None => Found::resumes(),
        }
    }

    /// Loads a machine, and looks at what it awaits.
    fn check_machine(&self, loaded: &Loaded, id: OperationId, workflow: &str, machine: &Machine) -> Found {
        let Some(entry) = self.registry.workflows.get(workflow) else {
            return Found::strands(format!("workflow `{workflow}` is not in this build"));
        };
        let looked = self.look(loaded, id, entry, machine.clone(), Inspection::default());
        let Inspection { converted, migrated, .. } = looked.found;
        match looked.failure {
            Some(Unloaded::Failed(StepFailure::Decode { what, error })) => {
                Found::strands(format!("{what}: {error}")).over(what)
            }
            Some(failure) => Found::strands(failure.to_string()),
            None if !migrated.is_empty() => {
                Found::migrates(migrated.into_iter().map(|migrated| migrated.workflow.to_owned()).collect())
            }
            None if !converted.is_empty() => Found::converts(converted),
            None => Found::resumes(),
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
