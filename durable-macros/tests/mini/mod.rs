//! A miniature of the engine's side of the contract: enough to run compiled workflows with a restore at every suspension.
//!
//! An operation suspends at its first poll and is ready at its second; what it did is in a log. The same operations can be
//! awaited in plain async code, which is the oracle.

mod output;
mod selected;

pub use __private::WorkflowCall;
#[allow(unused_imports)]
pub use durable_macros::select;
#[allow(unused_imports)]
pub use selected::{Ticks, ticks};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::cell::RefCell;
use std::future::{Future, IntoFuture, Ready};
use std::marker::PhantomData;
use std::task::{Context, Poll, Waker};

thread_local! {
    static LOG: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static PLAIN: RefCell<bool> = const { RefCell::new(false) };
}

/// What runs behind the generated code.
pub mod __private {
    use super::{Call, Persist};
    pub use super::{output::*, selected::*};
    use serde::{Deserialize, Serialize};
    use std::any::Any;
    use std::convert::Infallible;
    use std::future::Future;
    use std::marker::PhantomData;
    pub use std::option::Option::{None, Some};
    pub use std::task::Poll::Ready;
    use std::task::{Context, Poll, Waker};

    pub struct WorkflowMeta {
        pub name: &'static str,
        #[allow(dead_code)]
        pub was: &'static [&'static str],
        #[allow(dead_code)]
        pub args: &'static [&'static [&'static str]],
        pub function: &'static str,
        pub file: &'static str,
        pub line: u32,
        pub deadline_ms: Option<u64>,
        #[allow(dead_code)]
        pub migrate: Option<&'static ()>,
        pub first: &'static [u32],
        pub points: &'static Points,
    }

    pub struct PointMeta {
        pub name: Option<&'static str>,
        pub callee: &'static str,
        pub path: &'static str,
        pub binding: &'static str,
        pub args: &'static str,
        pub line: u32,
        pub column: u32,
        pub vars: &'static str,
        pub witnesses: &'static [u8],
        pub next: &'static [u8],
    }

    pub struct Points(&'static str, std::sync::OnceLock<Vec<PointMeta>>);

    impl Points {
        pub const fn new(text: &'static str) -> Self {
            Self(text, std::sync::OnceLock::new())
        }
    }

    impl std::ops::Deref for Points {
        type Target = [PointMeta];

        fn deref(&self) -> &[PointMeta] {
            self.1.get_or_init(|| self.0.lines().map(PointMeta::read).collect())
        }
    }

    impl PointMeta {
        fn read(line: &'static str) -> Self {
            let fields: Vec<&'static str> = line.split('\t').collect();
            let [callee, path, binding, args, at_line, column, vars, witnesses, next, more @ ..] = &*fields
            else {
                panic!("not a point: {line:?}")
            };
            let bytes = |field: &str, wide: bool| {
                let numbers = field.split_terminator(' ').map(|number| number.parse::<u16>().unwrap());
                let bytes =
                    numbers.flat_map(|number| number.to_le_bytes().into_iter().take(1 + usize::from(wide)));
                &*bytes.collect::<Vec<u8>>().leak()
            };
            Self {
                name: more.iter().find_map(|field| field.strip_prefix('n')),
                callee,
                path,
                binding,
                args,
                line: at_line.parse().unwrap(),
                column: column.parse().unwrap(),
                vars,
                witnesses: bytes(witnesses, true),
                next: bytes(next, false),
            }
        }
    }

    pub trait Workflow: 'static {
        type Args: Persist;
        type Output;
        const META: &'static WorkflowMeta;
        fn poll(frame: &mut Frame<'_>, args: Option<Self::Args>) -> Poll<Self::Output>;
        fn ended() -> Ended<Self::Output>;
    }

    pub trait RootWorkflow: Workflow<Output: Persist> {
        #[allow(dead_code)]
        const REGISTRATION: Registration;
    }

    /// A called workflow: its arguments, or its snapshot.
    #[derive(Serialize, Deserialize)]
    #[serde(bound = "")]
    pub struct WorkflowCall<D: Workflow> {
        args: Option<D::Args>,
        point: u32,
        snapshot: Vec<u8>,
        _workflow: PhantomData<fn() -> D>,
    }

    impl<D: Workflow> WorkflowCall<D> {
        pub fn new(args: D::Args) -> Self {
            Self { args: Some(args), point: 0, snapshot: Vec::new(), _workflow: PhantomData }
        }
    }

    impl<D: Workflow> WorkflowCall<D> {
        pub const META: &'static WorkflowMeta = D::META;
    }

    /// What the output of a call says of failure.
    pub fn failed<D: Workflow>(_: &WorkflowCall<D>, output: &D::Output) -> bool {
        D::ended().says.failed.is_some_and(|failed| failed(output))
    }

    /// The output of a call that ended without one.
    pub fn from_call_error<D: Workflow>(_: &WorkflowCall<D>) -> Option<D::Output> {
        D::ended().says.from_call_error.map(|from_call_error| from_call_error(CallError))
    }

    /// The metadata of a call.
    pub fn meta_of<D: Workflow>(_: &WorkflowCall<D>) -> &'static WorkflowMeta {
        D::META
    }

    pub trait DurableFuture: Persist {
        type Output;
        fn poll(&mut self) -> Poll<Self::Output>;
    }

    pub trait IntoDurableFuture {
        type Output;
        type IntoFuture: DurableFuture<Output = Self::Output>;
        fn into_durable(self) -> Self::IntoFuture;
    }

    impl<F: DurableFuture> IntoDurableFuture for F {
        type Output = F::Output;
        type IntoFuture = F;
        fn into_durable(self) -> F {
            self
        }
    }

    impl<D: Workflow> DurableFuture for WorkflowCall<D> {
        type Output = D::Output;
        fn poll(&mut self) -> Poll<D::Output> {
            let mut saved = None;
            let mut frame = Frame {
                begins_at: self.point,
                polled: 0,
                input: &self.snapshot,
                writers: Vec::new(),
                kept: Vec::new(),
                awaited: Vec::new(),
                saved: &mut saved,
            };
            let result = D::poll(&mut frame, self.args.take());
            if result.is_pending() {
                (self.point, self.snapshot) = saved.expect("a pending workflow has saved itself");
            }
            result
        }
    }

    impl<T: Persist> DurableFuture for Call<T> {
        type Output = T;
        fn poll(&mut self) -> Poll<T> {
            self.poll_operation()
        }
    }

    pub struct Frame<'a> {
        begins_at: u32,
        polled: u32,
        input: &'a [u8],
        writers: Vec<Writer>,
        kept: Vec<Vec<u8>>,
        awaited: Vec<u8>,
        saved: &'a mut Option<(u32, Vec<u8>)>,
    }

    /// Writes a value, if it is of the writer's type.
    type Writer = fn(&dyn Any) -> Option<Vec<u8>>;

    fn write<T: Persist>(value: &T) -> Vec<u8> {
        postcard::to_stdvec(value).expect("a test's value is serializable")
    }

    fn read<T: Persist>(input: &mut &[u8]) -> Option<T> {
        let (value, rest) = postcard::take_from_bytes(input).ok()?;
        *input = rest;
        Some(value)
    }

    impl Frame<'_> {
        pub fn resume_point(&mut self) -> Option<u32> {
            Some(self.begins_at)
        }

        pub fn poll<F: DurableFuture>(&mut self, future: Option<F>, point: u32) -> Poll<F::Output> {
            self.polled = point;
            let mut future = future.or_else(|| read(&mut self.input)).expect("a future is stored");
            let polled = future.poll();
            self.awaited = write(&future);
            polled
        }

        pub fn keep_all(&mut self, vars: &[&dyn Any]) {
            for var in vars {
                let written = self.writers.iter().find_map(|write| write(*var));
                self.kept.push(written.expect("a variable's type is known"));
            }
        }

        pub fn point(&self) -> u32 {
            self.polled
        }

        pub fn save(&mut self) {
            assert!(self.input.is_empty() || self.begins_at != 0, "a snapshot is read to its end");
            self.kept.reverse();
            let mut bytes = self.kept.concat();
            bytes.append(&mut self.awaited);
            *self.saved = Some((self.polled, bytes));
        }
    }

    pub struct Copied<'a, T>(pub &'a T);

    pub trait CopiedByClone<T> {
        fn copied(&self) -> T;
    }

    impl<T: Clone> CopiedByClone<T> for Copied<'_, T> {
        fn copied(&self) -> T {
            self.0.clone()
        }
    }

    pub trait CopiedByCodec<T> {
        fn copied(&self) -> T;
    }

    impl<T: Persist> CopiedByCodec<T> for &Copied<'_, T> {
        fn copied(&self) -> T {
            read(&mut &*write(self.0)).expect("it was encoded as this type")
        }
    }

    /// The proof that a variable can be stored.
    pub struct Storable<T>(pub fn(&mut Frame<'_>) -> T);

    impl<T> Clone for Storable<T> {
        fn clone(&self) -> Self {
            *self
        }
    }

    impl<T> Copy for Storable<T> {}

    pub trait NoText {
        fn is_no_text(&self) {}
    }

    impl<T> NoText for Storable<T> {}

    pub fn storable<T: Persist>(frame: &mut Frame<'_>) -> Storable<T> {
        frame.writers.push(|value| value.downcast_ref::<T>().map(write));
        Storable(|frame| read(&mut frame.input).expect("a variable is stored"))
    }

    // What differs in words alone is one here.
    #[allow(unused_imports)]
    pub use {
        storable as storable_guard, storable as storable_channel, storable as storable_closure,
        storable as storable_dyn, storable as storable_error, storable as storable_future,
        storable as storable_handle, storable as storable_instant, storable as storable_iterator,
        storable as storable_join_handle, storable as storable_pointer, storable as storable_ref,
    };

    pub const fn argument<T: Persist>() -> usize {
        0
    }
    #[allow(unused_imports)]
    pub use {argument as outcome, argument as outcome_error};

    pub trait Checked<const CHECK: usize> {
        type Same: ?Sized;
    }

    impl<T: ?Sized, const CHECK: usize> Checked<CHECK> for T {
        type Same = T;
    }

    pub fn into_durable<F: IntoDurableFuture<IntoFuture = D>, D>(future: F) -> D {
        future.into_durable()
    }

    pub fn begin<F: IntoDurableFuture<IntoFuture = D>, D>(future: F, _: &mut Frame<'_>) -> Option<D> {
        Some(future.into_durable())
    }

    pub fn suspend() -> std::future::Pending<Infallible> {
        std::future::pending()
    }

    pub fn poll_once<T>(machine: impl Future<Output = T>) -> Poll<T> {
        std::pin::pin!(machine).poll(&mut Context::from_waker(Waker::noop()))
    }

    pub trait Steps: Persist {
        type Item;
        fn next_step(&mut self) -> Option<Self::Item>;
    }

    pub trait IntoSteps {
        type Item;
        type Steps: Steps<Item = Self::Item>;
        fn into_steps(self) -> Self::Steps;
    }

    #[derive(Serialize, Deserialize)]
    pub struct Rest<T>(std::collections::VecDeque<T>);

    impl<T: Persist> Steps for Rest<T> {
        type Item = T;
        fn next_step(&mut self) -> Option<T> {
            self.0.pop_front()
        }
    }

    impl<I: IntoIterator<Item: Persist>> IntoSteps for I {
        type Item = I::Item;
        type Steps = Rest<I::Item>;
        fn into_steps(self) -> Self::Steps {
            Rest(self.into_iter().collect())
        }
    }

    pub fn into_steps<I: IntoSteps>(iterable: I) -> I::Steps {
        iterable.into_steps()
    }

    pub fn ordered<I: IntoIterator>(iterable: I) -> I::IntoIter {
        iterable.into_iter()
    }

    /// The iterator before its current item, of which it has given `count`.
    pub fn ordered_at<I: IntoIterator>(iterable: I, count: usize) -> I::IntoIter {
        let mut iterator = iterable.into_iter();
        for _ in 1..count {
            iterator.next();
        }
        iterator
    }

    pub fn listed<I: IntoIterator>(iterable: I) -> I::IntoIter {
        iterable.into_iter()
    }

    pub fn listed_at<I: IntoIterator>(iterable: I, count: usize) -> I::IntoIter {
        ordered_at(iterable, count)
    }

    /// A look-up in something of the standard library.
    pub fn viewed<T: ?Sized>(_: &T) {}

    pub struct Registration;

    impl Registration {
        pub const fn workflow<D: RootWorkflow>() -> Self {
            Self
        }
    }

    pub mod inventory {
        macro_rules! submit {
            ($registration:expr) => {
                const _: $crate::mini::__private::Registration = {
                    #[allow(unused_imports)]
                    use $crate::mini::__private as __p;
                    $registration
                };
            };
        }
        pub(crate) use submit;
    }
}

/// What can be stored.
pub trait Persist: Serialize + DeserializeOwned + 'static {}
impl<T: Serialize + DeserializeOwned + 'static> Persist for T {}

/// An operation with a prepared result.
#[derive(Serialize, Deserialize)]
pub struct Call<T> {
    started: bool,
    what: String,
    result: Vec<u8>,
    _type: PhantomData<fn() -> T>,
}

impl<T: Persist> Call<T> {
    pub fn new(what: String, result: &T) -> Self {
        let result = postcard::to_stdvec(result).expect("a test's value is serializable");
        Self { started: false, what, result, _type: PhantomData }
    }

    fn result(&self) -> T {
        postcard::from_bytes(&self.result).expect("it was encoded as this type")
    }

    fn poll_operation(&mut self) -> Poll<T> {
        assert!(!PLAIN.with_borrow(|plain| *plain), "a durable poll in plain code");
        if !std::mem::replace(&mut self.started, true) {
            log(&self.what);
            // An operation of this name is done before it is awaited.
            if !self.what.starts_with("ready") {
                return Poll::Pending;
            }
        }
        Poll::Ready(self.result())
    }
}

impl<T: Persist> IntoFuture for Call<T> {
    type Output = T;
    type IntoFuture = Ready<T>;
    fn into_future(self) -> Ready<T> {
        assert!(PLAIN.with_borrow(|plain| *plain), "an await was left in a compiled workflow");
        log(&self.what);
        std::future::ready(self.result())
    }
}

/// Notes an effect.
pub fn log(what: &str) {
    LOG.with_borrow_mut(|log| log.push(what.to_owned()));
}

fn take_log() -> Vec<String> {
    LOG.take()
}

/// Runs plain async code over operations that are ready at once or after some polls.
pub fn run_plain<T>(future: impl Future<Output = T>) -> (T, Vec<String>) {
    PLAIN.set(true);
    let mut future = std::pin::pin!(future);
    for _ in 0..1_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            PLAIN.set(false);
            return (value, take_log());
        }
    }
    panic!("plain code waits for what never comes")
}

/// Runs a compiled workflow, with an encode, a drop and a decode at every suspension.
pub fn run_compiled<D: __private::Workflow>(mut call: WorkflowCall<D>) -> (D::Output, Vec<String>) {
    use __private::DurableFuture;
    loop {
        let bytes = postcard::to_stdvec(&call).expect("a snapshot is serializable");
        drop(call);
        call = postcard::from_bytes(&bytes).expect("a snapshot decodes as what it was");
        if let Poll::Ready(value) = call.poll() {
            return (value, take_log());
        }
    }
}
