//! Nothing is committed that can't be read back: values of every kind as arguments, locals and
//! results of workflows and activities, over a crash; and what happens to a value that would change.

mod carried;
mod lossy;
mod types;
