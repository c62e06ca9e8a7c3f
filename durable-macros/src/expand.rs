//! The compiler in four lines.

use crate::diagnostics::Errors;
use crate::parse::Options;
use crate::{borrows, configure, emit, home, layout, liveness, lower, parse, parts, resolve, select};
use proc_macro2::{TokenStream, TokenTree};
use syn::ItemImpl;

/// Compiles `#[workflow(options)] item`.
pub(crate) fn workflow(options: TokenStream, item: TokenStream) -> TokenStream {
    match is_impl(&item).then(|| syn::parse2::<ItemImpl>(item.clone())) {
        Some(Ok(block)) => home::expand(options, block),
        _ => function(options, item),
    }
}

/// Whether an item is an `impl` block, by its keyword; no parser is set to work on a function for that.
fn is_impl(item: &TokenStream) -> bool {
    let mut words = item.clone().into_iter().filter_map(|tree| match tree {
        TokenTree::Ident(ident) => Some(ident),
        _ => None,
    });
    words.find(|word| word == "impl" || word == "fn").is_some_and(|word| word == "impl")
}

fn function(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let options = Options::read(options, &mut errors);
    let Some(mut function) = parse::function(item.clone(), &mut errors) else {
        let mut tokens = errors.into_compile_errors();
        tokens.extend(item);
        return tokens;
    };
    // Before `configure`, which looks for conditions in the branches too.
    select::write_out(&mut function, &options.krate, &mut errors);
    let mut tokens = TokenStream::new();
    match configure::variants(&function) {
        Ok(variants) => {
            let refused = !errors.is_empty();
            tokens.extend(variants.into_iter().map(|variant| expand(&options, variant, refused)));
        }
        Err(error) => {
            errors.push_error(error);
            let parsed = parse::parse(options, function, &mut errors);
            tokens.extend(emit::emit_signature(&parsed));
        }
    }
    tokens.extend(errors.into_compile_errors());
    tokens
}

/// Compiles a function for one combination of its conditions. One that was `refused` keeps its signature.
fn expand(options: &Options, variant: configure::Variant, refused: bool) -> TokenStream {
    let mut errors = Errors::default();
    let when = variant.when;
    let parsed = parse::parse(options.clone(), variant.item, &mut errors);
    let signature = emit::emit_signature(&parsed);
    let compiled = match errors.check() {
        Ok(()) if refused => Ok(signature.clone()),
        Ok(()) => compile(parsed),
        Err(error) => Err(error),
    };
    let (errors, item) = match compiled {
        Ok(item) => (None, item),
        Err(error) => (Some(error), signature),
    };
    let mut tokens = TokenStream::new();
    for error in errors.into_iter().flatten() {
        tokens.extend([when.clone(), error.into_compile_error()]);
    }
    tokens.extend([when, item]);
    tokens
}

fn compile(mut workflow: parse::Workflow) -> syn::Result<TokenStream> {
    let (function, names) = resolve::resolve(&mut workflow)?;
    let function = parts::split(lower::lower(&workflow, function)?);
    let live = liveness::liveness(&function);
    borrows::check(&function, &live)?;
    let layout = layout::layout(&function, &live);
    Ok(emit::emit(&workflow, &function, &names, &live, &layout))
}
