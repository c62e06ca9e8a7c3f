//! `#[activity]`: from a function to a call that can be stored.
//!
//! parse (`options`, `signature`) -> emit. Every mistake of the attribute and of the signature is
//! collected and reported at once, at the user's own tokens; the code is emitted beside the
//! errors whenever the signature allows it, so that the callers of the function stay sound.
//!
//! For `async fn charge(State(gateway): State<Gateway>, order: &OrderId, cents: u64) -> R` it emits
//!
//! ```text
//! fn charge(order: &OrderId, cents: u64) -> ActivityCall<impl Activity<Args = (OrderId, u64), Output = R> + use<>> {
//!     async fn charge(..) -> R { .. }        // the user's function, token for token
//!     struct DurableActivity;
//!     impl Activity for DurableActivity { .. }
//!     inventory::submit! { Registration::activity::<DurableActivity>() }
//!     ActivityCall::new((order, cents,))
//! }
//! ```
//!
//! What the output's type means (can it fail, what does its error say of retries) is deliberately
//! not read from its tokens: an alias of `Result` is a `Result`. The emitted code asks the type.

mod duration;
mod emit;
mod errors;
mod options;
mod signature;
#[cfg(test)]
mod tests;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{ItemFn, visit_mut::VisitMut};

use crate::fragments::Bracket;

use errors::Errors;
use options::Options;
use signature::Signature;

/// Expands `#[activity(args)] item`.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let mut out = error.into_compile_error();
            out.extend(item);
            return out;
        }
    };
    let mut errors = Errors::default();
    Bracket.visit_item_fn_mut(&mut function);
    let options = Options::parse(args, &mut errors);
    let signature = Signature::parse(&function, options.home.as_ref(), &mut errors);
    let mut out = match &signature {
        Some(signature) => emit::emit(&options, &function, signature),
        None => function.to_token_stream(),
    };
    out.extend(errors.into_compile_errors());
    out
}
