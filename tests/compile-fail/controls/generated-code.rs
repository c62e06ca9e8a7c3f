//! noticed: speaks of `__private`
use durable::__private::Workflow;

struct Mine;
impl Workflow for Mine {}
//~ error[E0046] at `impl Workflow for Mine`
fn f() -> durable::__private::Frame<'static> { 1 }
//~ error[E0308] at `1`
