//! The compiler in four lines.

use crate::diagnostics::Errors;
use crate::home::{self, Home};
use crate::parse::Options;
use crate::{emit, layout, liveness, lower, parse, resolve};
use proc_macro2::TokenStream;
use syn::{ItemImpl, Path};

/// Compiles `#[workflow(options)] item`.
pub(crate) fn workflow(options: TokenStream, item: TokenStream) -> TokenStream {
    match syn::parse2::<ItemImpl>(item.clone()) {
        Ok(block) => home::expand(options, block),
        Err(_) => function(options, item, None, None),
    }
}

/// Compiles a function; in an `impl` block if there is one around it.
pub(crate) fn function(
    options: TokenStream,
    item: TokenStream,
    home: Option<&Home>,
    krate: Option<&Path>,
) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::read(options, krate, &mut errors);
    let Some(parsed) = parse::parse(options, item.clone(), home.cloned(), &mut errors) else {
        let mut tokens = errors.into_compile_errors();
        tokens.extend(item);
        return tokens;
    };
    let signature = emit::emit_signature(&parsed);
    errors.check().and_then(|()| compile(parsed)).unwrap_or_else(|error| {
        let mut tokens = error.into_compile_error();
        tokens.extend(signature);
        tokens
    })
}

fn compile(mut workflow: parse::Workflow) -> syn::Result<TokenStream> {
    let (function, names) = resolve::resolve(&mut workflow)?;
    let function = lower::lower(&workflow, function)?;
    let live = liveness::liveness(&function);
    let layout = layout::layout(&function, &live);
    Ok(emit::emit(&workflow, &function, &names, &live, &layout))
}
