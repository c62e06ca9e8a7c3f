//! noticed: speaks of `__durable`
fn __durable_machine() {}

fn f() -> u64 {
    __durable_machine
    //~ error[E0308] at `__durable_machine`
}
