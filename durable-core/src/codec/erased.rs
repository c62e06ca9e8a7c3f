//! Values without their types: what the rest of the codec works on.
//!
//! A user's crate compiles, for each of its types, the few functions of this module and one instance each of the type's
//! `Serialize` (for [`Emitter`]) and `Deserialize` (for [`Decoder`]). Everything else of the codec is compiled once, here.
//!
//! For the types of [`popular`](crate::popular) not even that: they are compiled in this crate. rustc looks for an
//! instance in the crates before only if the function is never inlined (in debug builds always), so everything that a user's crate
//! names with a type is `#[inline(never)]`.

use std::any::{Any, TypeId, type_name};

use serde::Serialize;

use super::Persist;
use super::decoder::Decoder;
use super::emitter::Emitter;
use super::error::{Fault, Misfit};
use super::plain::Plain;

/// A value that can be written.
pub trait Emit {
    #[doc(hidden)]
    fn emit(&self, emitter: Emitter<'_>) -> Result<(), Fault>;
}

impl<T: Serialize> Emit for T {
    #[inline(never)]
    fn emit(&self, emitter: Emitter<'_>) -> Result<(), Fault> {
        self.serialize(emitter)
    }
}

/// A place for a value of one type.
pub trait Slot: Any {
    #[doc(hidden)]
    fn read(&mut self, decoder: Decoder<'_, '_>) -> Result<(), Misfit>;
    #[doc(hidden)]
    fn clear(&mut self);
    /// What was read.
    #[doc(hidden)]
    fn value(&self) -> Option<&dyn Emit>;
}

impl<T: Persist> Slot for Option<T> {
    #[inline(never)]
    fn read(&mut self, decoder: Decoder<'_, '_>) -> Result<(), Misfit> {
        match T::deserialize(decoder) {
            Ok(value) => {
                *self = Some(value);
                Ok(())
            }
            Err(misfit) => Err(misfit),
        }
    }

    #[inline(never)]
    fn clear(&mut self) {
        *self = None;
    }

    #[inline(never)]
    fn value(&self) -> Option<&dyn Emit> {
        match self {
            Some(value) => Some(value),
            None => None,
        }
    }
}

/// A type that values are read as.
#[derive(Clone, Copy, Debug)]
pub struct TypeOf {
    pub(crate) id: fn() -> TypeId,
    pub(crate) name: fn() -> &'static str,
    /// An empty slot: an `Option` of the type.
    pub(crate) slot: fn() -> Box<dyn Slot>,
    /// The value, if it is of this type.
    pub(crate) emit: fn(&dyn Any) -> Option<&dyn Emit>,
    /// How it is read and written without a look at its layout, if it has a way of its own.
    pub(crate) plain: Option<Plain>,
}

impl TypeOf {
    /// Its name, for people.
    pub(crate) fn type_name(&self) -> &'static str {
        (self.name)()
    }

    /// The type `T`.
    pub const fn of<T: Persist>() -> &'static Self {
        &TypeOf { id: id::<T>, name: name::<T>, slot: slot::<T>, emit: emit::<T>, plain: None }
    }

    /// The same of a type that has a way of its own to be read and written.
    pub(crate) const fn with_plain(self, plain: Plain) -> Self {
        TypeOf { plain: Some(plain), ..self }
    }
}

// Functions and no closures, of which each is two: itself and a shim.

#[inline(never)]
fn id<T: Persist>() -> TypeId {
    TypeId::of::<T>()
}

#[inline(never)]
fn name<T: Persist>() -> &'static str {
    type_name::<T>()
}

#[inline(never)]
fn slot<T: Persist>() -> Box<dyn Slot> {
    Box::new(None::<T>)
}

#[inline(never)]
fn emit<T: Persist>(value: &dyn Any) -> Option<&dyn Emit> {
    match value.downcast_ref::<T>() {
        Some(value) => Some(value),
        None => None,
    }
}
