//! The dependencies that the engine's builder was given, by type.

use std::{
    any::{Any, TypeId, type_name},
    collections::HashMap,
    fmt,
    ops::Deref,
    sync::Arc,
};

/// A dependency of an activity: a client, a pool, a configuration. Given with `.state(..)` to the
/// engine's builder, shared by all attempts, and never stored.
///
/// ```
/// # struct Gateway;
/// # use durable_core::State;
/// async fn charge(State(gateway): State<Gateway>, cents: u64) { /* gateway: Arc<Gateway> */ }
/// ```
pub struct State<T: ?Sized>(pub Arc<T>);

impl<T: ?Sized> Clone for State<T> {
    fn clone(&self) -> Self {
        State(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&&*self.0).finish()
    }
}

/// A dependency that an activity needs and the engine was not given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no state of type `{type_name}`: give it to the engine's builder with `.state(..)`")]
pub struct MissingState {
    /// The type.
    pub type_name: &'static str,
}

/// The dependencies of an engine, at most one of each type.
#[derive(Clone, Default)]
pub struct States {
    // Each value is an `Arc<T>` under the id of `T`, so that `T` may be a trait object.
    by_type: HashMap<TypeId, (&'static str, Arc<dyn Any + Send + Sync>)>,
}

impl States {
    /// Adds a dependency; replaces one of the same type.
    pub fn insert<T: Send + Sync + 'static>(&mut self, state: T) {
        self.insert_arc(Arc::new(state));
    }

    /// Adds a dependency that is already shared, or a trait object: `Arc<dyn Gateway>`.
    pub fn insert_arc<T: ?Sized + Send + Sync + 'static>(&mut self, state: Arc<T>) {
        self.by_type.insert(TypeId::of::<T>(), (type_name::<T>(), Arc::new(state)));
    }

    /// The dependency of this type.
    pub fn get<T: ?Sized + Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        let (_, state) = self.by_type.get(&TypeId::of::<T>())?;
        state.downcast_ref::<Arc<T>>().map(Arc::clone)
    }

    /// The dependency of this type as an activity takes it.
    #[doc(hidden)]
    pub fn require<T: ?Sized + Send + Sync + 'static>(&self) -> Result<State<T>, MissingState> {
        self.get().map(State).ok_or(MissingState { type_name: type_name::<T>() })
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.by_type.values().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    trait Gateway: Send + Sync {
        fn name(&self) -> &'static str;
    }
    struct Real;
    impl Gateway for Real {
        fn name(&self) -> &'static str {
            "real"
        }
    }

    #[test]
    fn a_state_is_found_by_its_type_and_a_missing_one_is_named() {
        let mut states = States::default();
        states.insert(7_u32);
        assert_eq!(states.get::<u32>().as_deref(), Some(&7));
        let missing = states.require::<String>().unwrap_err();
        assert_eq!(
            missing.to_string(),
            "no state of type `alloc::string::String`: give it to the engine's builder with `.state(..)`"
        );
    }

    #[test]
    fn a_trait_object_is_a_state() {
        let mut states = States::default();
        states.insert_arc::<dyn Gateway>(Arc::new(Real));
        let State(gateway) = states.require::<dyn Gateway>().unwrap();
        assert_eq!(gateway.name(), "real");
        assert!(states.get::<Real>().is_none());
    }
}
