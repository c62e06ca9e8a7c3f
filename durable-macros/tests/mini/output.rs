//! Stands for how the runtime asks the type of an output whether it can fail.

use std::marker::PhantomData;

pub struct CallError;

pub struct OutputKind<T>(PhantomData<fn() -> T>);

impl<T> OutputKind<T> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

pub struct Fallible<T, E>(PhantomData<fn() -> (T, E)>);
pub struct Infallible<T>(PhantomData<fn() -> T>);

pub trait ReturnsResult<T, E> {
    fn kind(&self) -> Fallible<T, E> {
        Fallible(PhantomData)
    }
}
impl<T, E> ReturnsResult<T, E> for &OutputKind<Result<T, E>> {}

pub trait ReturnsValue<T> {
    fn kind(&self) -> Infallible<T> {
        Infallible(PhantomData)
    }
}
impl<T> ReturnsValue<T> for OutputKind<T> {}

impl<T, E> Fallible<T, E> {
    pub fn failure(self, output: &Result<T, E>) -> Option<&E> {
        output.as_ref().err()
    }
}

impl<T> Infallible<T> {
    pub fn failure(self, _: &T) -> Option<&std::convert::Infallible> {
        None
    }
}

pub trait TellsCallError<O> {
    fn ended(&self, error: CallError) -> Option<O>;
}
impl<T, E: From<CallError>> TellsCallError<Result<T, E>> for &Fallible<T, E> {
    fn ended(&self, error: CallError) -> Option<Result<T, E>> {
        Some(Err(error.into()))
    }
}

pub trait HidesCallError<O> {
    fn ended(&self, _: CallError) -> Option<O> {
        None
    }
}
impl<T, E> HidesCallError<Result<T, E>> for Fallible<T, E> {}
impl<T> HidesCallError<T> for Infallible<T> {}

pub struct Stored<T>(PhantomData<fn() -> T>);

pub trait StoresOutput<T> {
    fn stored(&self) -> Option<Stored<T>>;
}
impl<T: super::Persist> StoresOutput<T> for &OutputKind<T> {
    fn stored(&self) -> Option<Stored<T>> {
        Some(Stored(PhantomData))
    }
}

pub trait LosesOutput<T> {
    fn stored(&self) -> Option<Stored<T>> {
        None
    }
}
impl<T> LosesOutput<T> for OutputKind<T> {}
