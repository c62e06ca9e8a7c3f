//! Who may take the process down: instances whose step overflows the stack, aborts, or eats the memory.
//!
//! No `catch` sees such an end, so it is found out by the next process. Before a worker runs user code it writes into a side file beside the
//! store who is stepped now (`file`), and takes that back afterwards. Whoever still stands in it at an opening is *suspected*: the process
//! ended in the middle of one of these steps. The suspects are stepped alone, each while no other step is made, and what came for them is committed
//! before, so that nothing which set the step off is lost. If the process ends in a step that was made alone, that one is parked.
//!
//! Invariants:
//! - One end of the process is no more than a suspicion: somebody may have killed it. Parked is only who was stepped alone when it ended a second time.
//! - Whoever has survived a step alone is not suspected any more.
//! - The file is best effort: an engine that can't write it works, and says so. Deleting it while no engine runs forgets the suspicions.
//!
//! Deliberately absent: attempts of activities. They run side by side for as long as they like, so that being under way when the process
//! ends says nothing.

mod file;

use std::{
    collections::BTreeSet,
    io,
    path::Path,
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
};

use durable_store::{Batch, Error as StoreError, Number, Slot};

pub(super) use file::{ANY_STEP, CELLS, Cell, REGIONS, Suspect};

use super::{
    advance::{Event, advance},
    inner::Inner,
    mail::MailView,
    state::ParkReason,
};
use file::{Found, LIST, Region, SideFile};

/// Who is suspected, and who is stepped.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    file: Option<SideFile>,
    /// Which build it is that steps.
    build: u64,
    /// Whether anybody is suspected. What counts is under the lock.
    any: AtomicBool,
    /// Nothing is written any more: the file may be another engine's.
    closed: AtomicBool,
    failed: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// What the last process left.
    found: Found,
    suspected: BTreeSet<Suspect>,
    /// The workers that make steps, as far as that matters to others: while anybody is suspected.
    stepping: BTreeSet<usize>,
    alone: Option<usize>,
}

impl Suspects {
    /// With the side file at `path`, if it can be used.
    pub(super) fn at(path: Option<&Path>, build: u64) -> Self {
        let Some(path) = path else { return Suspects::default() };
        match SideFile::open(path) {
            Ok((file, found)) => {
                let state = Mutex::new(State { found, ..State::default() });
                Suspects { file: Some(file), build, state, ..Suspects::default() }
            }
            Err(error) => {
                log::warn!(
                    target: "durable",
                    "the side file {} can't be used ({error}): a workflow that takes the process down is not singled out",
                    path.display()
                );
                Suspects::default()
            }
        }
    }

    /// Marks a batch of steps, until what it gives is dropped.
    pub(super) fn batch(&self, region: Option<usize>, cells: impl FnOnce() -> Vec<Cell>) -> Marked<'_> {
        let cells = if self.file.is_some() { cells() } else { Vec::new() };
        let region = region.filter(|_| !cells.is_empty());
        // While nobody is suspected nobody is to be waited for.
        let gated = region.is_some() && self.any();
        if let Some(region) = region {
            if gated {
                let mut state = self.lock();
                while state.alone.is_some() {
                    state = self.changed.wait(state).expect(LOCK);
                }
                state.stepping.insert(region);
            }
            self.write(|file| file.write(region, self.build, false, cells.into_iter()));
        }
        Marked { suspects: self, region, gated }
    }

    /// Waits until no other step is made, and lets none begin until what it gives is dropped. Whose step it is for is said by [`Marked::alone`].
    pub(super) fn alone(&self, region: Option<usize>) -> Marked<'_> {
        let region = region.filter(|_| self.file.is_some());
        if let Some(region) = region {
            let mut state = self.lock();
            while state.alone.is_some() || !state.stepping.is_empty() {
                state = self.changed.wait(state).expect(LOCK);
            }
            state.alone = Some(region);
        }
        Marked { suspects: self, region, gated: true }
    }

    /// A worker does not come back from its step, for now: the others wait for it no longer, and of its batch only that one is still stepped.
    pub(super) fn give_up(&self, region: Option<usize>, who: Suspect) {
        let Some(region) = region else { return };
        let mut state = self.lock();
        if state.alone != Some(region) {
            self.write(|file| {
                file.write(region, self.build, false, std::iter::once(Cell { who, steps: ANY_STEP }))
            });
        }
        state.leave(region);
        self.changed.notify_all();
    }

    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    pub(super) fn is_suspected(&self, who: Suspect) -> bool {
        self.any() && self.lock().suspected.contains(&who)
    }

    /// Suspects somebody, of what is known from before.
    pub(super) fn suspect(&self, who: Suspect) {
        if self.file.is_some() {
            self.change(|suspected| suspected.insert(who));
        }
    }

    /// It has survived a step alone, or has ended.
    pub(super) fn clear(&self, who: Suspect) {
        self.change(|suspected| suspected.remove(&who));
    }

    /// What was suspected by its id is there now.
    pub(super) fn started(&self, id: Suspect, who: Suspect) {
        self.change(|suspected| suspected.remove(&id) && suspected.insert(who));
    }

    fn change(&self, change: impl FnOnce(&mut BTreeSet<Suspect>) -> bool) {
        let mut state = self.lock();
        if change(&mut state.suspected) {
            self.keep(&state);
        }
    }

    /// Writes down who is suspected.
    fn keep(&self, state: &State) {
        self.any.store(!state.suspected.is_empty(), Ordering::Relaxed);
        let cells: Vec<_> =
            state.suspected.iter().take(CELLS).map(|who| Cell { who: *who, steps: ANY_STEP }).collect();
        self.write(|file| file.write(LIST, self.build, false, cells.into_iter()));
    }

    fn write(&self, write: impl FnOnce(&SideFile) -> io::Result<()>) {
        let Some(file) = self.file.as_ref().filter(|_| !self.closed.load(Ordering::SeqCst)) else { return };
        if let Err(error) = write(file)
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            log::warn!(target: "durable", "the side file of suspects can't be written: {error}");
        }
    }

    /// The engine has stopped. With nobody suspected and nobody in the middle of a step nothing is left of the file.
    pub(super) fn close(&self, in_step: bool) {
        if !self.closed.swap(true, Ordering::SeqCst)
            && !in_step
            && !self.any()
            && let Some(file) = &self.file
        {
            file.remove();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect(LOCK)
    }
}

const LOCK: &str = "no code panics while it holds this lock";

impl State {
    fn leave(&mut self, region: usize) {
        self.stepping.remove(&region);
        self.alone = self.alone.filter(|alone| *alone != region);
    }
}

/// Stands for steps that are being made.
#[must_use = "what is marked is marked until this is dropped"]
pub(super) struct Marked<'a> {
    suspects: &'a Suspects,
    region: Option<usize>,
    gated: bool,
}

impl Marked<'_> {
    /// Marks the step of a suspect, made while no other is.
    pub(super) fn alone(&self, cell: Cell) {
        if let Some(region) = self.region {
            let Suspects { build, .. } = *self.suspects;
            self.suspects.write(|file| file.write(region, build, true, std::iter::once(cell)));
        }
    }
}

impl Drop for Marked<'_> {
    fn drop(&mut self) {
        let Some(region) = self.region else { return };
        self.suspects.write(|file| file.clear(region));
        if self.gated {
            self.suspects.lock().leave(region);
            self.suspects.changed.notify_all();
        }
    }
}

/// At an opening, before anything is stepped: judges what the last process left in the side file.
///
/// A crash inside leaves the file as it was until who is suspected is written down; who was parked is not parked twice.
pub(super) fn judge(inner: &Inner) {
    let suspects = &inner.suspects;
    let found = std::mem::take(&mut suspects.lock().found);
    let Some((list, regions)) = found.regions.split_last() else { return };
    // Under another build it may do something else.
    let was_alone = |region: &Region| region.alone && region.build == inner.build;
    let marked: Vec<(Cell, bool)> = regions
        .iter()
        .flat_map(|region| region.cells.iter().map(move |cell| (*cell, was_alone(region))))
        .collect();
    let mut suspected: BTreeSet<_> =
        list.cells.iter().chain(marked.iter().map(|(cell, _)| cell)).map(|cell| cell.who).collect();
    if let [(cell, true)] = &marked[..] {
        match park(inner, *cell) {
            Ok(true) => drop(suspected.remove(&cell.who)),
            Ok(false) => {}
            Err(error) => {
                inner.report(&format!("a workflow that took the process down can't be parked: {error}"));
            }
        }
    }
    suspected.retain(|who| match who {
        Suspect::Instance { slot, number } => {
            inner.store.owner(*slot).is_ok_and(|owner| owner == Some(*number))
        }
        Suspect::Start { .. } => true,
    });
    if !marked.is_empty() {
        report(inner, &suspected);
    } else if found.was_there && list.cells.is_empty() {
        inner.report("the last process did not stop by itself, and made no step when it ended; attempts of activities that it cut off are made again");
    }
    let mut state = suspects.lock();
    state.suspected = suspected;
    suspects.keep(&state);
    drop(state);
    for region in 0..REGIONS {
        suspects.write(|file| file.clear(region));
    }
}

fn report(inner: &Inner, suspected: &BTreeSet<Suspect>) {
    const MOST_NAMED: usize = 10;
    if suspected.is_empty() {
        return;
    }
    let names = suspected.iter().take(MOST_NAMED).map(|who| match who {
        Suspect::Instance { slot, number } => format!("instance `{}`", inner.id_of_run(*slot, *number)),
        Suspect::Start { .. } => "one that was being started".into(),
    });
    let names: Vec<_> = names.collect();
    inner.report(&format!(
        "the last process ended while it made a step of {}{}: each of them makes its next step alone",
        names.join(", "),
        if suspected.len() > MOST_NAMED { ", and others" } else { "" },
    ));
}

/// Parks whoever was stepped alone when the process ended, if it stands where it stood then.
fn park(inner: &Inner, cell: Cell) -> Result<bool, StoreError> {
    let Suspect::Instance { slot, number } = cell.who else { return Ok(false) };
    let Some(instance) = inner.store.instance(slot)? else { return Ok(false) };
    let Ok(loaded) = inner.load(slot, instance) else { return Ok(false) };
    if loaded.number != number || loaded.state.steps != cell.steps || loaded.state.parked.is_some() {
        return Ok(false);
    }
    let id = loaded.id.clone();
    let event = Event::Park { reason: ParkReason::ProcessDied };
    let advanced =
        advance(inner, slot, Box::new(loaded), MailView::default(), &mut std::iter::once(event), false);
    inner.store.commit(&Batch { transitions: vec![advanced.transition], ..Batch::default() })?;
    inner.report(&format!("instance `{id}` is parked: {}", ParkReason::ProcessDied));
    Ok(true)
}

impl Inner {
    /// An instance's id, for people; of one that is not there, where it was.
    pub(super) fn id_of_run(&self, slot: Slot, number: Number) -> String {
        let found = self.store.instance(slot).ok().flatten().filter(|instance| instance.number == number);
        found.map_or_else(|| format!("in slot {}", slot.0), |instance| instance.id)
    }
}
