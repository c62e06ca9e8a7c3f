//! What is known of each Rust type in this process.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use super::layout::{Conflict, Layout};
use super::plain::Plain;
use super::tree::Tree;
use super::{LayoutId, TypeOf};
use crate::hashing::ByNumber;

/// How a stored layout stands to what was verified for a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// They read the same bytes the same way: the verified layout reads what uses verified shapes only.
    Agrees,
    /// The type is another one today: by name.
    Differs,
}

/// What is known of one type: immutable, replaced as a whole.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The shapes that were decoded as this type and came back the same.
    verified: Option<Arc<Layout>>,
    /// The layout that values are written under. Its shapes include all of `verified`, and after a restart those of the
    /// layout found in the store, so that a type keeps its layout id instead of building up a chain of them.
    written: Option<(LayoutId, Arc<Layout>)>,
    /// Values are written by name: there was one that has no layout or was not read back by it.
    named: bool,
    relations: HashMap<LayoutId, Relation, ByNumber>,
    /// The layout of `relations` that nearly every value comes under: the one that is written, if it agrees.
    usual: Option<LayoutId>,
}

impl Known {
    /// The verified layout to walk, and the id to store beside the bytes.
    #[inline]
    pub(super) fn positional(&self) -> Option<(&LayoutId, &Arc<Layout>)> {
        match (&self.verified, &self.written) {
            (Some(verified), Some((id, _))) if !self.named => Some((id, verified)),
            _ => None,
        }
    }

    /// The layout that values are written under.
    pub(super) fn written(&self) -> Option<&(LayoutId, Arc<Layout>)> {
        self.written.as_ref()
    }

    pub(super) fn is_named(&self) -> bool {
        self.named
    }

    /// The same, but written by name from now on.
    pub(super) fn named(&self) -> Self {
        Self { named: true, ..self.clone() }
    }

    /// With the shapes of `tree`, which has just passed (or is about to pass) its trial. `stored` is the layout it was
    /// read under, which becomes the one that is written if it says enough.
    pub(super) fn grown(
        &self,
        tree: &Tree,
        stored: Option<(LayoutId, &Arc<Layout>)>,
    ) -> Result<Self, Conflict> {
        let unknown = Layout::unknown();
        let verified = self.verified.as_deref().unwrap_or(&unknown).grown(tree)?;
        let written = match (&self.written, stored) {
            (Some((id, layout)), _) if layout.covers(&verified) => (*id, Arc::clone(layout)),
            (_, Some((id, layout))) if layout.covers(&verified) => (id, Arc::clone(layout)),
            (Some((_, layout)), _) => match layout.grown(tree) {
                Ok(wider) if wider.covers(&verified) => identified(wider),
                // The layout in the store is not today's type after all.
                _ => identified(verified.clone()),
            },
            (None, _) => identified(verified.clone()),
        };
        Ok(Self {
            verified: Some(Arc::new(verified)),
            written: Some(written),
            named: self.named,
            relations: HashMap::default(),
            usual: None,
        })
    }

    /// The layout to read what is stored under `layout`, if that is known to agree.
    #[inline]
    pub(super) fn reads(&self, layout: LayoutId) -> Option<&Layout> {
        if self.usual == Some(layout) {
            return self.verified.as_deref();
        }
        match self.relations.get(&layout) {
            Some(Relation::Agrees) => self.verified.as_deref(),
            Some(Relation::Differs) | None => None,
        }
    }

    /// Whether it is known not to.
    pub(super) fn differs(&self, layout: LayoutId) -> bool {
        self.relations.get(&layout) == Some(&Relation::Differs)
    }

    /// The layout that values are written under and read by, if no value of the type can have a shape that it does not know, going by
    /// what is unknown in it.
    fn complete(&self) -> Option<LayoutId> {
        self.usual
            .filter(|_| !self.named && self.verified.as_ref().is_some_and(|layout| layout.is_complete()))
    }

    pub(super) fn relate(&self, stored: &Layout) -> Relation {
        match &self.verified {
            Some(verified) if !verified.agrees(stored) => Relation::Differs,
            _ => Relation::Agrees,
        }
    }

    /// It was found to be another type's.
    pub(super) fn with_difference(&self, layout: LayoutId) -> Self {
        self.related(layout, Relation::Differs)
    }

    pub(super) fn with_relation(&self, layout: LayoutId, stored: &Layout) -> Self {
        self.related(layout, self.relate(stored))
    }

    fn related(&self, layout: LayoutId, relation: Relation) -> Self {
        let mut known = self.clone();
        known.relations.insert(layout, relation);
        let written = known.written.as_ref().map(|(id, _)| *id);
        known.usual = written.filter(|id| known.relations.get(id) == Some(&Relation::Agrees));
        known
    }
}

fn identified(layout: Layout) -> (LayoutId, Arc<Layout>) {
    (LayoutId::of(&layout.to_bytes()), Arc::new(layout))
}

/// The registry. A thread keeps what it has found: the lock, and the count of references that all threads share, are for what it meets for
/// the first time or has to look up again because something has changed.
#[derive(Debug)]
pub(super) struct TypeMap {
    types: RwLock<HashMap<TypeId, Arc<Known>, BuildHasherDefault<AsIs>>>,
    /// Drawn anew at each change. No two registries ever have the same one.
    version: AtomicU64,
}

static VERSIONS: AtomicU64 = AtomicU64::new(1);

fn new_version() -> u64 {
    VERSIONS.fetch_add(1, Ordering::Relaxed)
}

impl Default for TypeMap {
    fn default() -> Self {
        TypeMap { types: RwLock::default(), version: AtomicU64::new(new_version()) }
    }
}

impl TypeMap {
    pub(super) fn get(&self, id: TypeId) -> Option<Arc<Known>> {
        self.types.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// The same from what this thread has found before, as long as nothing has changed.
    #[inline]
    pub(super) fn find(&self, id: TypeId, of: &TypeOf) -> Option<Found> {
        // Before the look into the map: what is found there is no older.
        let version = self.version.load(Ordering::Acquire);
        match FOUND.try_with(|found| Some(found.borrow().get(version, id)?.known.clone())) {
            Ok(Some(known)) => Some(known),
            _ => self.find_anew(version, id, of),
        }
    }

    /// What changes whenever what is known of any type does.
    #[inline]
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// How values of the type are read and written without a look at their layout, and which that is, if this thread has found that before.
    #[inline]
    pub(super) fn plain(&self, id: TypeId) -> Option<(LayoutId, Plain)> {
        let version = self.version.load(Ordering::Acquire);
        FOUND.try_with(|found| found.borrow().get(version, id)?.plain).ok().flatten()
    }

    #[cold]
    fn find_anew(&self, version: u64, id: TypeId, of: &TypeOf) -> Option<Found> {
        let known = Rc::new(self.get(id)?);
        // A thread that is past its locals keeps nothing.
        let _ = FOUND.try_with(|found| found.borrow_mut().keep(version, id, &known, of));
        Some(known)
    }

    /// Installs `new` if `old` is still what is known; else the caller looks again.
    pub(super) fn replace(&self, id: TypeId, old: &Arc<Known>, new: Known) -> bool {
        let mut types = self.types.write().unwrap_or_else(PoisonError::into_inner);
        if types.get(&id).is_some_and(|current| !Arc::ptr_eq(current, old)) {
            return false;
        }
        types.insert(id, Arc::new(new));
        self.change();
        true
    }

    /// Nothing that was found before is right any more.
    pub(super) fn change(&self) {
        self.version.store(new_version(), Ordering::Release);
    }
}

/// So many types a thread keeps at most, of the registry that it has used last.
const KEPT: usize = 64;

thread_local! {
    static FOUND: RefCell<Finds> = const { RefCell::new(Finds { version: 0, types: Vec::new() }) };
}

/// What is known of a type, as a thread keeps it: whoever uses it counts in the thread alone.
#[allow(
    clippy::redundant_allocation,
    reason = "the inner count is shared with other threads, which would wait for each other at each value"
)]
pub(super) type Found = Rc<Arc<Known>>;

/// What a thread has found in a registry.
struct Finds {
    version: u64,
    /// Each at the place that its hash says, of `KEPT` or none at all.
    types: Vec<Option<Kept>>,
}

#[derive(Clone)]
struct Kept {
    id: TypeId,
    known: Found,
    plain: Option<(LayoutId, Plain)>,
}

impl Finds {
    #[inline]
    fn get(&self, version: u64, id: TypeId) -> Option<&Kept> {
        match self.types.get(place(id)) {
            Some(Some(kept)) if kept.id == id && self.version == version => Some(kept),
            _ => None,
        }
    }

    fn keep(&mut self, version: u64, id: TypeId, known: &Found, of: &TypeOf) {
        if self.version != version {
            self.version = version;
            self.types.clear();
        }
        self.types.resize(KEPT, None);
        let plain = known.complete().and_then(|layout| Some((layout, of.plain.or_else(|| Plain::of(id))?)));
        self.types[place(id)] = Some(Kept { id, known: known.clone(), plain });
    }
}

#[inline]
fn place(id: TypeId) -> usize {
    let mut hash = AsIs::default();
    id.hash(&mut hash);
    hash.0 as usize % KEPT
}

/// A `TypeId` is a hash already.
#[derive(Default)]
struct AsIs(u64);

impl Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_le_bytes(word);
        }
    }
    fn write_u64(&mut self, word: u64) {
        self.0 ^= word;
    }
}
