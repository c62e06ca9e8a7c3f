//! Writes the function: the user's code, in its structure, with dispatches, loads, saves and borrows made again.
//!
//! Markers become names here. The user's tokens keep their spans; what is made up is hygienic (`Span::call_site`), so that no
//! name of the user's can collide with it. The compiled body looks like this:
//!
//! ```text
//! let order; ..                                   // what crosses a resume point
//! 'bad: {
//!     let point = 's0: {
//!         let future_1 = 'b3: {
//!             'r3: {
//!                 match resume { 1 => { order = load; break 'r3 } _ => {} }
//!                 ..user code..                   // a fresh start
//!                 let future_1 = Some(into_durable(charge(&order.id)));
//!                 break 'b3 future_1;
//!             }
//!             None                                // a resume; here borrows are made again too
//!         };
//!         ..match poll(future_1) { Ready(v) => v, Pending => break 's0 1 }..
//!     };
//!     match save(point, &[&order]).await {}       // for all points that save the same
//! }
//! match suspend().await {}                        // a snapshot that can't be decoded; the frame knows why
//! ```

mod body;
mod item;
mod names;
mod resume;
mod suspend;

pub(crate) use body::made_up;
#[cfg(test)]
pub(crate) use item::{Body, emit_body};
pub(crate) use item::{emit, emit_signature};

#[cfg(test)]
mod tests;
