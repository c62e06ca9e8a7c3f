//! Writes the function: the user's code, in its structure, with dispatches, loads, saves and borrows made again.
//!
//! Markers become names here. The user's tokens keep their spans; what is made up is hygienic (`Span::call_site`), so that no
//! name of the user's can collide with it. The compiled body looks like this:
//!
//! ```text
//! let storable_1 = storable(cx); ..               // the witnesses: what the resume point needs is read here
//! 'pending: {
//!     let order; ..                               // what crosses a resume point
//!     let resume = resume_point()..;              // or out of here: a snapshot that can't be decoded; the frame knows why
//!     's1: {
//!         let future_1 = 'b3: {
//!             'r3: {
//!                 match resume { 1 => { order = (storable_1.0)(cx); break 'r3 } _ => {} }
//!                 ..user code..                   // a fresh start
//!                 break 'b3 begin(charge(&order.id), cx);
//!             }
//!             None                                // a resume; here borrows are made again too
//!         };
//!         ..match poll(future_1, 1) { Ready(v) => v, Pending => break 's1 }..
//!     }
//!     keep_all(&[&order]);                        // for all points that need it
//!     save();
//! }
//! match suspend().await {}                        // the one suspension, where nothing is left to be held
//! ```

mod body;
mod item;
mod names;
mod resume;
mod suspend;
mod text;

pub(crate) use body::made_up;
#[cfg(test)]
pub(crate) use item::{Body, emit_body};
pub(crate) use item::{emit, emit_signature};

#[cfg(test)]
mod tests;
