//! Values that an instance shows to everybody.

use super::Publish;
use crate::{
    codec::{self, Emit, TypeOf},
    context::{StepFailure, ambient},
};

/// Shows a value to everybody who has the instance's id, in place of the last one of its type: `handle.published::<Progress>()`. It is
/// committed with this step, and stays to be read after the end. Reading it runs no code of the workflow.
///
/// # Panics
/// Outside of a workflow.
pub fn publish<P: Publish>(value: &P) {
    show(P::NAME, TypeOf::of::<P>(), value);
}

fn show(name: &'static str, of: &TypeOf, value: &dyn Emit) {
    // The user's `Serialize` runs before the step is borrowed.
    let encoded = codec::current(|codec| codec.encode_as(of, value));
    ambient::with("publish", |scratch| match encoded {
        Ok(value) if value.bytes.len() <= scratch.limits.message_bytes => {
            scratch.rare.published.retain(|(other, _)| other != name);
            scratch.rare.published.push((name.to_owned(), value));
        }
        Ok(value) => {
            let (what, bytes) = (format!("the published `{name}`"), value.bytes.len());
            let most = scratch.limits.message_bytes;
            scratch.rare.failure.get_or_insert(StepFailure::ValueTooLarge { what, bytes, most });
        }
        Err(error) => {
            let what = format!("the published `{name}`");
            scratch.rare.failure.get_or_insert(StepFailure::Encode { what, error });
        }
    });
}
