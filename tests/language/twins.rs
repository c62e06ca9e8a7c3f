//! One function, two compilations, one test.

/// Makes of each function a plain twin (in `plain`), a workflow (in `flow`) and a test that compares the two for the inputs
/// behind `for`. A function without inputs is a helper of the others.
macro_rules! twins {
    ($($(#[doc = $doc:literal])* async fn $name:ident($($args:tt)*) $(-> $ret:ty)? { $($body:tt)* } $(for $($input:tt),+;)?)*) => {
        mod plain {
            #[allow(unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use crate::vocabulary::stand_in::*;

            $(pub(super) async fn $name($($args)*) $(-> $ret)? { $($body)* })*
        }
        workflows! { $($name [$($args)*] [$($ret)?] [$($body)*] [$($($input),+)?])* }
    };
}

/// The same for functions that call themselves: the plain twin is boxed, which a workflow need not be.
macro_rules! recursive_twins {
    ($($(#[doc = $doc:literal])* async fn $name:ident($($args:tt)*) -> $ret:ty { $($body:tt)* } $(for $($input:tt),+;)?)*) => {
        mod plain {
            #[allow(unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use crate::vocabulary::stand_in::*;

            $(pub(super) fn $name($($args)*) -> std::pin::Pin<Box<dyn Future<Output = $ret>>> {
                Box::pin(async move { $($body)* })
            })*
        }
        workflows! { $($name [$($args)*] [$ret] [$($body)*] [$($($input),+)?])* }
    };
}

macro_rules! workflows {
    ($($name:ident [$($args:tt)*] [$($ret:ty)?] [$($body:tt)*] [$($input:tt),*])*) => {
        mod flow {
            #[allow(unused_imports)]
            use super::*;
            #[allow(unused_imports)]
            use crate::vocabulary::activities::*;
            use durable::workflow;

            $(
                #[workflow]
                pub(super) async fn $name($($args)*) $(-> $ret)? { $($body)* }
            )*
        }

        mod run {
            #[allow(unused_imports)]
            use super::*;

            $(twin_test! { $name [$($input),*] })*
        }
    };
}

macro_rules! twin_test {
    ($name:ident []) => {};
    ($name:ident [$($input:tt),+]) => {
        #[test]
        fn $name() {
            $(
                let input = stringify!($input);
                let compared = crate::compare::compare(|| super::plain::$name $input, || super::flow::$name $input);
                if let Err(difference) = compared {
                    panic!("{}{input}: {difference}", stringify!($name));
                }
            )+
        }
    };
}
