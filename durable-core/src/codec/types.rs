//! What is known of each Rust type in this process.

use std::any::TypeId;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use super::LayoutId;
use super::layout::{Conflict, Layout};
use super::tree::Tree;
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
        })
    }

    /// The layout to read what is stored under `layout`, if that is known to agree.
    pub(super) fn reads(&self, layout: LayoutId) -> Option<&Layout> {
        match self.relations.get(&layout) {
            Some(Relation::Agrees) => self.verified.as_deref(),
            Some(Relation::Differs) | None => None,
        }
    }

    /// Whether it is known not to.
    pub(super) fn differs(&self, layout: LayoutId) -> bool {
        self.relations.get(&layout) == Some(&Relation::Differs)
    }

    pub(super) fn relate(&self, stored: &Layout) -> Relation {
        match &self.verified {
            Some(verified) if !verified.agrees(stored) => Relation::Differs,
            _ => Relation::Agrees,
        }
    }

    /// It was found to be another type's.
    pub(super) fn with_difference(&self, layout: LayoutId) -> Self {
        let mut known = self.clone();
        known.relations.insert(layout, Relation::Differs);
        known
    }

    pub(super) fn with_relation(&self, layout: LayoutId, stored: &Layout) -> Self {
        let mut known = self.clone();
        known.relations.insert(layout, self.relate(stored));
        known
    }
}

fn identified(layout: Layout) -> (LayoutId, Arc<Layout>) {
    (LayoutId::of(&layout.to_bytes()), Arc::new(layout))
}

/// The registry. One read lock and one reference count per encoded value.
#[derive(Debug, Default)]
pub(super) struct TypeMap(RwLock<HashMap<TypeId, Arc<Known>, BuildHasherDefault<AsIs>>>);

impl TypeMap {
    #[inline]
    pub(super) fn get(&self, id: TypeId) -> Option<Arc<Known>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Installs `new` if `old` is still what is known; else the caller looks again.
    pub(super) fn replace(&self, id: TypeId, old: &Arc<Known>, new: Known) -> bool {
        let mut types = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if types.get(&id).is_some_and(|current| !Arc::ptr_eq(current, old)) {
            return false;
        }
        types.insert(id, Arc::new(new));
        true
    }
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
