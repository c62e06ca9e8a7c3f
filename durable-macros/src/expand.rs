//! The compiler in four lines.

use crate::{borrows, configure, emit, layout, liveness, lower, parse, parts, resolve};
use proc_macro2::TokenStream;

/// Compiles `#[workflow(options)] item`.
pub(crate) fn workflow(options: &TokenStream, item: TokenStream) -> TokenStream {
    match syn::parse2(item).and_then(|item| configure::variants(&item)) {
        Ok(variants) => variants.into_iter().map(|variant| expand(options, variant)).collect(),
        Err(error) => error.into_compile_error(),
    }
}

fn expand(options: &TokenStream, variant: configure::Variant) -> TokenStream {
    let when = variant.when;
    let mistakes = |error: syn::Error| -> TokenStream {
        error.into_iter().flat_map(|error| [when.clone(), error.into_compile_error()]).collect()
    };
    match syn::parse2(options.clone()).and_then(|options| parse::parse(options, variant.item)) {
        Ok(parsed) => {
            let signature = emit::emit_signature(&parsed);
            let (mut tokens, item) = match compile(parsed) {
                Ok(item) => (TokenStream::new(), item),
                Err(error) => (mistakes(error), signature),
            };
            tokens.extend([when.clone(), item]);
            tokens
        }
        Err(error) => mistakes(error),
    }
}

fn compile(mut workflow: parse::Workflow) -> syn::Result<TokenStream> {
    let (function, names) = resolve::resolve(&mut workflow)?;
    let function = parts::split(lower::lower(&workflow, function)?);
    let live = liveness::liveness(&function);
    borrows::check(&function, &live)?;
    let layout = layout::layout(&function, &live);
    Ok(emit::emit(&workflow, &function, &names, &live, &layout))
}
