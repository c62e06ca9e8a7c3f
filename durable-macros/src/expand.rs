//! The compiler in four lines.

use crate::{borrows, emit, layout, liveness, lower, parse, resolve};
use proc_macro2::TokenStream;

/// Compiles `#[workflow(options)] item`.
pub(crate) fn workflow(options: TokenStream, item: TokenStream) -> TokenStream {
    let parsed = syn::parse2(options).and_then(|options| parse::parse(options, syn::parse2(item)?));
    match parsed {
        Ok(parsed) => {
            let signature = emit::emit_signature(&parsed);
            compile(parsed).unwrap_or_else(|error| {
                let mut tokens = error.into_compile_error();
                tokens.extend(signature);
                tokens
            })
        }
        Err(error) => error.into_compile_error(),
    }
}

fn compile(mut workflow: parse::Workflow) -> syn::Result<TokenStream> {
    let (function, names) = resolve::resolve(&mut workflow)?;
    let function = lower::lower(&workflow, function)?;
    let live = liveness::liveness(&function);
    borrows::check(&function, &live)?;
    let layout = layout::layout(&function, &live);
    Ok(emit::emit(&workflow, &function, &names, &live, &layout))
}
