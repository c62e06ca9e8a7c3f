//! The arguments of `#[workflow(..)]`.

use crate::diagnostics::{Errors, refusal};
use crate::home::Home;
use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Lit, LitStr, Path, Token};

/// The arguments of `#[workflow(..)]`.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) name: Option<String>,
    /// Where the `durable` crate is found.
    pub(crate) krate: Path,
    /// The `impl` block around the function, as its attribute says.
    pub(crate) home: Option<Home>,
}

impl Options {
    /// Reads as many of the arguments as are right.
    pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self { name: None, krate: syn::parse_quote!(::durable), home: None };
        let read = |input: ParseStream<'_>| {
            if let Err(error) = options.arguments(input) {
                errors.push_error(error);
                // What follows a mistake is not read.
                input.step(|cursor| {
                    let mut rest = *cursor;
                    while let Some((_, next)) = rest.token_tree() {
                        rest = next;
                    }
                    Ok(((), rest))
                })?;
            }
            Ok(())
        };
        if let Err(error) = read.parse2(tokens) {
            errors.push_error(error);
        }
        options
    }

    fn arguments(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        while !input.is_empty() {
            if input.peek(Token![crate]) {
                input.parse::<Token![crate]>()?;
                input.parse::<Token![=]>()?;
                self.krate = Path::parse_mod_style(input)?;
            } else if input.parse::<Option<Token![impl]>>()?.is_some() {
                self.home = Some(input.parse()?);
            } else {
                let key: Ident = input.parse()?;
                if !input.peek(Token![=]) {
                    let what = format!("the option `{key}` has no value");
                    let message = refusal(what, format!("write `{key} = ..`"), PAGE);
                    return Err(syn::Error::new(key.span(), message));
                }
                input.parse::<Token![=]>()?;
                match key.to_string().as_str() {
                    "name" => self.name = Some(workflow_name(&input.parse()?)?),
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
                        let message = refusal(what, "a workflow takes `name` and `crate`", PAGE);
                        return Err(syn::Error::new(key.span(), message));
                    }
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }
}

const PAGE: &str = "workflow-option";

fn unsupported(key: &Ident) -> syn::Error {
    let message = refusal(format!("`{key}` is not supported yet"), "leave it out", PAGE);
    syn::Error::new(key.span(), message)
}

fn workflow_name(literal: &Lit) -> syn::Result<String> {
    let Lit::Str(literal) = literal else {
        let message = refusal("a workflow's name is a string", "write `name = \"..\"`", PAGE);
        return Err(syn::Error::new(literal.span(), message));
    };
    let name = literal.value();
    if name.trim().is_empty() {
        let message = refusal(
            "a workflow's name can't be empty: it is what is stored",
            "leave `name` out to take the function's",
            PAGE,
        );
        return Err(syn::Error::new(literal.span(), message));
    }
    Ok(name)
}

/// Reads a duration as attributes write it: `250ms`, `30s`, `5min`, `1h`, `30d`.
fn duration_ms(literal: &LitStr) -> syn::Result<u64> {
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
            PAGE,
        );
        syn::Error::new(literal.span(), message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proc_macro2::Span;

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
