//! How instances begin and end otherwise than by themselves: cancelled, paused, past their deadline, started by one another,
//! completed from outside, forgotten.

mod cancel;
mod children;
mod deadline;
mod edit;
mod load;
mod pause;
mod races;
mod retention;
mod reviewed;
mod scenarios;
mod tokens;
