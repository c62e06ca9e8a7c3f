//! The arguments of `#[workflow(..)]`.

use crate::diagnostics::{Errors, refusal};
use crate::home::Home;
use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprPath, Ident, Lit, LitStr, Path, Token};

/// The arguments of `#[workflow(..)]`.
#[derive(Clone)]
pub(crate) struct Options {
    pub(crate) name: Option<String>,
    /// The names that it was stored under before.
    pub(crate) was: Vec<String>,
    /// The function that makes snapshots of other builds ones of this.
    pub(crate) migrate: Option<Expr>,
    /// How long an instance may take.
    pub(crate) deadline_ms: Option<u64>,
    /// Where the `durable` crate is found.
    pub(crate) krate: Path,
    /// The `impl` block around the function, as its attribute says.
    pub(crate) home: Option<Home>,
}

impl Options {
    /// Reads as many of the arguments as are right.
    pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self {
            name: None,
            was: Vec::new(),
            migrate: None,
            deadline_ms: None,
            krate: syn::parse_quote!(::durable),
            home: None,
        };
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
                    "was" => self.was.push(workflow_name(&input.parse()?)?),
                    "deadline" => self.deadline_ms = Some(duration_ms(&input.parse()?)?),
                    "migrate" => self.migrate = Some(Expr::Path(input.parse::<ExprPath>()?)),
                    other => {
                        let what = format!("unknown option `{other}`");
                        let message = refusal(
                            what,
                            "a workflow takes `name`, `was`, `migrate`, `deadline` and `crate`",
                            PAGE,
                        );
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

fn duration_ms(literal: &LitStr) -> syn::Result<u64> {
    crate::activity::duration::parse(&literal.value())
        .map_err(|(what, help)| syn::Error::new(literal.span(), refusal(what, help, PAGE)))
}
