//! Attribute and signature: what the user wrote, checked for what a workflow can't be.

use crate::diagnostics::{self, Errors, refusal};
use proc_macro2::Span;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{FnArg, Ident, ItemFn, LitStr, Pat, Path, ReturnType, Token, Type};

/// The arguments of `#[workflow(..)]`.
pub(crate) struct Options {
    pub(crate) name: Option<String>,
    /// Where the `durable` crate is found.
    pub(crate) krate: Path,
}

/// A workflow as written.
pub(crate) struct Workflow {
    pub(crate) options: Options,
    pub(crate) item: ItemFn,
    pub(crate) params: Vec<Param>,
    pub(crate) output: Type,
}

/// A parameter of a workflow.
pub(crate) struct Param {
    pub(crate) pat: Pat,
    pub(crate) ty: Type,
    /// For `&T`: the `T`.
    pub(crate) referent: Option<Type>,
}

/// Reads the attribute and the function.
pub(crate) fn parse(options: Options, item: ItemFn) -> syn::Result<Workflow> {
    let mut errors = Errors::default();
    let sig = &item.sig;
    if sig.asyncness.is_none() {
        errors.push(sig.fn_token.span, diagnostics::NOT_ASYNC);
    }
    if let Some(token) = &sig.constness {
        errors.push(token.span, diagnostics::CONST_FN);
    }
    if let Some(token) = &sig.unsafety {
        errors.push(token.span, diagnostics::UNSAFE_FN);
    }
    if let Some(abi) = &sig.abi {
        errors.push(abi.span(), diagnostics::OTHER_ABI);
    }
    if let Some(variadic) = &sig.variadic {
        errors.push(variadic.span(), diagnostics::VARIADIC);
    }
    for param in &sig.generics.params {
        if let syn::GenericParam::Lifetime(lifetime) = param {
            errors.push(lifetime.span(), diagnostics::LIFETIME);
        }
    }
    let output = match &sig.output {
        ReturnType::Default => syn::parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    match &output {
        Type::Never(never) => errors.push(never.span(), diagnostics::NEVER),
        Type::ImplTrait(ty) => errors.push(ty.span(), diagnostics::IMPL_RESULT),
        _ => {}
    }
    let params = sig.inputs.iter().filter_map(|input| param(input, &mut errors)).collect();
    errors.check()?;
    Ok(Workflow { options, item, params, output })
}

fn param(input: &FnArg, errors: &mut Errors) -> Option<Param> {
    let input = match input {
        FnArg::Receiver(receiver) => {
            errors.push(receiver.span(), diagnostics::SELF_PARAMETER);
            return None;
        }
        FnArg::Typed(input) => input,
    };
    let referent = match &*input.ty {
        Type::Reference(reference) if reference.mutability.is_some() => {
            errors.push(reference.span(), diagnostics::MUT_PARAMETER);
            None
        }
        Type::Reference(reference) => Some((*reference.elem).clone()),
        Type::ImplTrait(ty) => {
            errors.push(ty.span(), diagnostics::IMPL_PARAMETER);
            None
        }
        _ => None,
    };
    Some(Param { pat: (*input.pat).clone(), ty: (*input.ty).clone(), referent })
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut options = Options { name: None, krate: syn::parse_quote!(::durable) };
        while !input.is_empty() {
            if input.peek(Token![crate]) {
                input.parse::<Token![crate]>()?;
                input.parse::<Token![=]>()?;
                options.krate = Path::parse_mod_style(input)?;
            } else {
                let key: Ident = input.parse()?;
                input.parse::<Token![=]>()?;
                match key.to_string().as_str() {
                    "name" => options.name = Some(workflow_name(&input.parse()?)?),
                    // Refused, not ignored: a deadline that never comes would be worse than an error.
                    "deadline" => {
                        duration_ms(&input.parse()?)?;
                        return Err(unsupported(&key));
                    }
                    "migrate" => {
                        input.parse::<Path>()?;
                        return Err(unsupported(&key));
                    }
                    other => {
                        let what = format!("unknown option `{other}`");
                        let message = refusal(what, "a workflow takes `name` and `crate`", OPTION_PAGE);
                        return Err(syn::Error::new(key.span(), message));
                    }
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

const OPTION_PAGE: &str = "workflow-option";

fn unsupported(key: &Ident) -> syn::Error {
    let message = refusal(format!("`{key}` is not supported yet"), "leave it out", OPTION_PAGE);
    syn::Error::new(key.span(), message)
}

fn workflow_name(literal: &LitStr) -> syn::Result<String> {
    let name = literal.value();
    if name.trim().is_empty() {
        let message = refusal(
            "a workflow's name can't be empty: it is what is stored",
            "leave `name` out to take the function's",
            OPTION_PAGE,
        );
        return Err(syn::Error::new(literal.span(), message));
    }
    Ok(name)
}

/// Reads a duration as attributes write it: `250ms`, `30s`, `5min`, `1h`, `30d`.
pub(crate) fn duration_ms(literal: &LitStr) -> syn::Result<u64> {
    let text = literal.value();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = match &text[digits..] {
        "ms" => Some(1),
        "s" => Some(1_000),
        "min" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    };
    let number = text[..digits].parse::<u64>().ok();
    number.zip(unit).and_then(|(number, unit)| number.checked_mul(unit)).ok_or_else(|| {
        let message = refusal(
            format!("`{text}` is not a duration"),
            "write a whole number and ms, s, min, h or d, as in `30s`",
            OPTION_PAGE,
        );
        syn::Error::new(literal.span(), message)
    })
}

/// Takes `#[resume("name")]` off a statement.
pub(crate) fn take_resume_name(
    attrs: &mut Vec<syn::Attribute>,
    errors: &mut Errors,
) -> Option<(String, Span)> {
    let position = attrs.iter().position(|attr| attr.path().is_ident("resume"))?;
    let attr = attrs.remove(position);
    match attr.parse_args::<LitStr>() {
        Ok(literal) if !literal.value().trim().is_empty() => Some((literal.value(), attr.span())),
        _ => {
            errors.push(attr.span(), diagnostics::RESUME_NAME);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let read = |text: &str| duration_ms(&LitStr::new(text, Span::call_site())).ok();
        assert_eq!(read("250ms"), Some(250));
        assert_eq!(read("30s"), Some(30_000));
        assert_eq!(read("5min"), Some(300_000));
        assert_eq!(read("1h"), Some(3_600_000));
        assert_eq!(read("30d"), Some(2_592_000_000));
        for wrong in [
            "",
            "30",
            "s",
            "1.5s",
            "30 s",
            "-1s",
            "1w",
            "5m",
            "99999999999999999999d",
            "9999999999999999d",
            "é",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
