//! Functions and tuples of any usual number of parameters: Rust has no other way to speak of them.

/// Calls a macro once with each list of type parameters, from none to sixteen, the most that serde writes
/// as one tuple.
macro_rules! for_each_arity {
    ($each:ident) => {
        $each!();
        for_each_arity!(@ $each [] P1 P2 P3 P4 P5 P6 P7 P8 P9 P10 P11 P12 P13 P14 P15 P16);
    };
    (@ $each:ident [$($done:ident)*] $next:ident $($rest:ident)*) => {
        $each!($($done)* $next);
        for_each_arity!(@ $each [$($done)* $next] $($rest)*);
    };
    (@ $each:ident [$($done:ident)*]) => {};
}
