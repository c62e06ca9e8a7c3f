//! Lists of instances.

use std::time::{Duration, SystemTime};

use durable_store::Slot;

use super::{
    Engine,
    error::EngineError,
    state::{ClosedState, Loaded, Status},
};
use crate::clock::from_ms;

/// At most so many instances are listed unless a limit is set.
const DEFAULT_LIMIT: usize = 1_000;
/// How many records are read at once.
const PAGE: usize = 1_000;

/// Which instances to list. Without a condition: all of them.
#[derive(Clone, Debug)]
#[must_use = "a filter does nothing until it is given to `list`"]
pub struct Filter {
    workflow: Option<String>,
    status: Option<u8>,
    tags: Vec<(String, String)>,
    waiting_longer_than: Option<Duration>,
    limit: Option<usize>,
}

impl Default for Filter {
    fn default() -> Self {
        Filter::new()
    }
}

impl Filter {
    /// All instances, open and closed, up to 1,000 of them.
    pub fn new() -> Self {
        Filter { workflow: None, status: None, tags: Vec::new(), waiting_longer_than: None, limit: None }
    }

    /// Only instances of the workflow of this stored name.
    pub fn workflow(mut self, name: impl Into<String>) -> Self {
        self.workflow = Some(name.into());
        self
    }

    /// Only instances of this status. For `Parked` the reason does not matter; see also [`parked`](Filter::parked).
    pub fn status(mut self, status: impl Into<StatusKind>) -> Self {
        self.status = Some(status.into().0);
        self
    }

    /// Only parked instances.
    pub fn parked(mut self) -> Self {
        self.status = Some(PARKED);
        self
    }

    /// Only instances that were started with this tag.
    pub fn tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push((key.into(), value.into()));
        self
    }

    /// Only open instances that have stood at the same place for longer than this.
    pub fn waiting_longer_than(mut self, duration: Duration) -> Self {
        self.waiting_longer_than = Some(duration);
        self
    }

    /// At most so many. Default: 1,000 in a list, and no limit where something is done to all of them.
    pub fn limit(mut self, most: usize) -> Self {
        self.limit = Some(most);
        self
    }

    /// The limit where something is done to all instances.
    pub(super) fn most(&self) -> usize {
        self.limit.unwrap_or(usize::MAX)
    }

    /// The limit of a list.
    fn most_listed(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }
}

const PARKED: u8 = 3;

/// A kind of status, without a reason.
#[derive(Clone, Copy, Debug)]
pub struct StatusKind(u8);

impl From<Status> for StatusKind {
    fn from(status: Status) -> Self {
        StatusKind(status.code())
    }
}

/// `Status::Parked` itself, without a reason.
impl<F: Fn(super::ParkReason) -> Status> From<F> for StatusKind {
    fn from(_: F) -> Self {
        StatusKind(PARKED)
    }
}

/// An instance in a list.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    /// The instance's id.
    pub id: String,
    /// The stored name of its workflow.
    pub workflow: String,
    /// Where it stands.
    pub status: Status,
    /// When it was started.
    pub started: SystemTime,
    /// When it ended.
    pub closed: Option<SystemTime>,
    /// Since when it has stood where it stands.
    pub since: Option<SystemTime>,
    /// Since when a step of it has been made that takes long; see [`EngineBuilder::step_timeout`](crate::EngineBuilder::step_timeout).
    pub stepping_since: Option<SystemTime>,
    /// Tags given at the start.
    pub tags: Vec<(String, String)>,
}

impl Engine {
    /// Lists instances, open ones first.
    ///
    /// ```no_run
    /// # async fn f(engine: durable_core::Engine) -> Result<(), Box<dyn std::error::Error>> {
    /// use durable_core::{Filter, Status};
    /// for stuck in engine.list(Filter::new().workflow("fulfil").status(Status::Parked)).await? {
    ///     println!("{}: {}", stuck.id, stuck.status);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`EngineError::Store`] if the store can't be read.
    pub async fn list(&self, filter: Filter) -> Result<Vec<Summary>, EngineError> {
        let inner = self.inner.clone();
        let listed = self.inner.runtime.spawn_blocking(move || {
            let mut found = Vec::new();
            inner.list_open(&filter, &mut found)?;
            if filter.waiting_longer_than.is_none() {
                inner.list_closed(&filter, &mut found)?;
            }
            Ok(found)
        });
        listed.await.map_err(|_| EngineError::Stopped)?
    }
}

/// Open instances and where they stand.
type OpenPage = Vec<(Slot, Loaded)>;

impl super::inner::Inner {
    /// A page of open instances after a slot, as far as the filter lets them through, and the last slot that was looked at.
    pub(super) fn open_page(
        &self,
        filter: &Filter,
        after: Option<Slot>,
    ) -> Result<Option<(Slot, OpenPage)>, EngineError> {
        let now_ms = self.clock.now_ms();
        let page = self.ask(|store| store.scan(after, PAGE))?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        let last = *last;
        let mut found = Vec::new();
        for (slot, instance) in page {
            let skip = filter.workflow.as_ref().is_some_and(|name| *name != instance.workflow)
                || filter.status.is_some_and(|status| status != instance.status);
            if skip {
                continue;
            }
            let loaded = match self.load(slot, instance) {
                Ok(loaded) => loaded,
                Err(reason) => {
                    self.report(&reason);
                    continue;
                }
            };
            let state = &loaded.state;
            let waited_ms = u128::from(now_ms.saturating_sub(state.since_ms));
            if filter.tags.iter().all(|tag| state.tags.contains(tag))
                && filter.waiting_longer_than.is_none_or(|longer| waited_ms > longer.as_millis())
            {
                found.push((slot, loaded));
            }
        }
        Ok(Some((last, found)))
    }

    fn list_open(&self, filter: &Filter, found: &mut Vec<Summary>) -> Result<(), EngineError> {
        let mut after = None;
        while found.len() < filter.most_listed() {
            let Some((last, page)) = self.open_page(filter, after)? else { break };
            after = Some(last);
            let room = filter.most_listed() - found.len();
            found.extend(page.into_iter().take(room).map(|(_, loaded)| Summary {
                status: loaded.state.status(),
                started: from_ms(loaded.started_ms),
                closed: None,
                since: Some(from_ms(loaded.state.since_ms)),
                stepping_since: self.lanes.stepping_since(loaded.number).map(from_ms),
                tags: loaded.state.tags,
                id: loaded.id,
                workflow: loaded.workflow,
            }));
        }
        Ok(())
    }

    fn list_closed(&self, filter: &Filter, found: &mut Vec<Summary>) -> Result<(), EngineError> {
        let mut after = None;
        loop {
            let page = self.ask(|store| store.scan_closed(after, PAGE))?;
            let Some(last) = page.last() else { return Ok(()) };
            after = Some(last.number);
            for closed in page {
                if found.len() >= filter.most_listed() {
                    return Ok(());
                }
                let skip = filter.workflow.as_ref().is_some_and(|name| *name != closed.workflow)
                    || filter.status.is_some_and(|status| status != closed.status);
                if skip {
                    continue;
                }
                let state: ClosedState = match postcard::from_bytes(&closed.state) {
                    Ok(state) => state,
                    Err(error) => {
                        self.report(&format!(
                            "the record of instance `{}` can't be read: {error}",
                            closed.id
                        ));
                        continue;
                    }
                };
                if filter.tags.iter().all(|tag| state.tags.contains(tag)) {
                    found.push(Summary {
                        status: closed_status(closed.status),
                        started: from_ms(closed.started_ms),
                        closed: Some(from_ms(closed.closed_ms)),
                        since: None,
                        stepping_since: None,
                        tags: state.tags,
                        id: closed.id,
                        workflow: closed.workflow,
                    });
                }
            }
        }
    }
}

fn closed_status(code: u8) -> Status {
    [Status::Completed, Status::Failed, Status::Cancelled]
        .into_iter()
        .find(|status| status.code() == code)
        .unwrap_or(Status::Terminated)
}
