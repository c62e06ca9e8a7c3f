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

pub struct Says<O> {
    pub failed: Option<fn(&O) -> bool>,
    pub from_call_error: Option<fn(CallError) -> O>,
}

impl<O> Says<O> {
    pub const fn nothing() -> Self {
        Self { failed: None, from_call_error: None }
    }
}

pub struct Ended<O> {
    #[allow(dead_code)]
    pub stored: Option<Stored<O>>,
    pub says: Says<O>,
}

pub trait TellsCallError<O> {
    fn says(&self) -> Says<O>;
}
impl<T, E: From<CallError>> TellsCallError<Result<T, E>> for &Fallible<T, E> {
    fn says(&self) -> Says<Result<T, E>> {
        Says { failed: Some(Result::is_err), from_call_error: Some(|error| Err(error.into())) }
    }
}

pub trait HidesCallError<O> {
    fn says(&self) -> Says<O>;
}
impl<T, E> HidesCallError<Result<T, E>> for Fallible<T, E> {
    fn says(&self) -> Says<Result<T, E>> {
        Says { failed: Some(Result::is_err), from_call_error: None }
    }
}
impl<T> HidesCallError<T> for Infallible<T> {
    fn says(&self) -> Says<T> {
        Says::nothing()
    }
}

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
