//! An activity named by its function: `mock(charge)`, `calls(charge)`, `.register(charge)`.

use super::{Activity, ActivityCall};

/// A function that was annotated with `#[activity]`. `P` is the tuple of its parameters as the
/// caller gives them; it is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an activity",
    label = "a function annotated with `#[activity]` is expected here"
)]
pub trait ActivityFn<P> {
    /// The activity.
    type Activity: Activity;
}

macro_rules! activity_fn {
    ($($param:ident)*) => {
        impl<F, A, $($param,)*> ActivityFn<($($param,)*)> for F
        where
            F: Fn($($param),*) -> ActivityCall<A>,
            A: Activity,
        {
            type Activity = A;
        }
    };
}

for_each_arity!(activity_fn);
