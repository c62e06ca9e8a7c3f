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

pub(crate) mod duration;
mod emit;
mod errors;
mod options;
mod signature;
#[cfg(test)]
mod tests;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{ItemFn, visit_mut::VisitMut};

use crate::diagnostics::refusal;
use crate::fragments::Bracket;

use errors::Errors;
use options::Options;
use signature::Signature;

/// Expands `#[activity(args)] item`.
pub(crate) fn expand(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut function: ItemFn = match syn::parse2(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let mut out = no_function(&item).unwrap_or(error).into_compile_error();
            out.extend(item);
            return out;
        }
    };
    let mut errors = Errors::default();
    Bracket.visit_item_fn_mut(&mut function);
    let options = Options::parse(args, &mut errors);
    let signature = Signature::parse(&mut function, options.home.as_ref(), &mut errors);
    let mut out = if let Some(signature) = &signature {
        emit::emit(&options, &function, signature)
    } else {
        // Refused already: rustc need not say it again.
        (function.sig.constness, function.sig.variadic) = (None, None);
        function.to_token_stream()
    };
    out.extend(errors.into_compile_errors());
    out
}

/// What is wrong with an item that is no function with a body; of any other, syn says where it can't be read.
fn no_function(item: &TokenStream) -> Option<syn::Error> {
    let is_function =
        item.clone().into_iter().any(|tree| matches!(&tree, TokenTree::Ident(ident) if ident == "fn"));
    let is_declared = matches!(item.clone().into_iter().last(), Some(TokenTree::Punct(_)));
    let (what, help) = match (is_function, is_declared) {
        (true, false) => return None,
        (true, true) => (
            "an activity has a body: it can't be a function that a trait declares",
            "write a function, or one of an `impl` block of the type's own",
        ),
        (false, _) => ("`#[activity]` stands on a function", "move it there"),
    };
    let first = item.clone().into_iter().next();
    Some(syn::Error::new_spanned(first, refusal(what, help, "activity-function")))
}
