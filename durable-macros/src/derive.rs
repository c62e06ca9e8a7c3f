//! `#[derive(Signal)]`, `#[derive(Update)]`, `#[derive(Publish)]`: types that instances receive and show.
//!
//! Such a type is known by a name, which is stored; its content is serde's. So a derive writes one line, the trait with the name,
//! and for an update the type of the answer; and another one that registers the type, so that a build knows what messages it has. That the
//! type can be stored is asked by the trait.

use crate::diagnostics::{Errors, refusal};
use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Ident, LitStr, Path, Token, Type};

const PAGE: &str = "message";

/// Which of the three is derived.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Signal,
    Update,
    Publish,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Signal => "Signal",
            Self::Update => "Update",
            Self::Publish => "Publish",
        }
    }

    /// The name of its attribute.
    fn attribute(self) -> &'static str {
        match self {
            Self::Signal => "signal",
            Self::Update => "update",
            Self::Publish => "publish",
        }
    }

    /// A value of it, in a message.
    fn value(self) -> &'static str {
        match self {
            Self::Signal => "a signal",
            Self::Update => "an update",
            Self::Publish => "a published value",
        }
    }

    fn options(self) -> &'static str {
        match self {
            Self::Update => "`output`, `name` and `crate`",
            Self::Signal | Self::Publish => "`name` and `crate`",
        }
    }
}

/// Expands a derive.
pub(crate) fn expand(kind: Kind, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let item: DeriveInput = match syn::parse2(item) {
        Ok(item) => item,
        Err(error) => return error.into_compile_error(),
    };
    let options = Options::read(kind, &item, &mut errors);
    let named = is_named_type(kind, &item, &mut errors);
    let mut tokens = errors.into_compile_errors();
    if named {
        tokens.extend(implementation(kind, &item, &options));
    }
    tokens
}

fn implementation(kind: Kind, item: &DeriveInput, options: &Options) -> TokenStream {
    let (krate, ident) = (&options.krate, &item.ident);
    // What rustc says of the type, it says at its name.
    let span = Span::mixed_site().located_at(ident.span());
    let name = options.name.clone().unwrap_or_else(|| ident.unraw().to_string());
    let kind_name = Ident::new(kind.name(), span);
    let output = (kind == Kind::Update).then(|| {
        // A mistake that was reported is no second one where the update is sent.
        options.output.as_ref().map_or_else(
            || {
                quote!(
                    type Output = ();
                )
            },
            |output| quote!(type Output = #output;),
        )
    });
    // What waits for an instance can be looked at by its name, and a layout file describes what there is.
    let register = Ident::new(kind.attribute(), span);
    let registered = Ident::new(if kind == Kind::Publish { "Published" } else { "Message" }, span);
    let submit = quote_spanned! {span=>
        #krate::__private::inventory::submit! {
            #krate::__private::Registration::#registered(|| {
                use #krate::__private::NoMessage as _;
                #krate::__private::MessageType::<#ident>::#register()
            })
        }
    };
    quote_spanned! {span=>
        #[automatically_derived]
        impl #krate::__private::#kind_name for #ident {
            const NAME: &'static str = #name;
            #output
        }
        #submit
    }
}

/// A name is one type's.
fn is_named_type(kind: Kind, item: &DeriveInput, errors: &mut Errors) -> bool {
    let value = kind.value();
    if let Data::Union(data) = &item.data {
        let what = format!("{value} is stored, and a union can't be");
        errors.push(data.union_token.span, refusal(what, "write an enum", PAGE));
        return false;
    }
    if item.generics.params.is_empty() {
        return true;
    }
    let what = format!("{value} is found by its name, which says nothing of parameters of its type");
    let help = "write a type without them for each use, as in `struct Approve(Decision<u64>);`";
    errors.push(item.generics.params.span(), refusal(what, help, PAGE));
    false
}

/// What the attribute says: `#[update(output = Result<u64, CartError>, name = "add-item")]`.
struct Options {
    name: Option<String>,
    output: Option<Type>,
    /// Where the `durable` crate is found.
    krate: Path,
}

impl Options {
    /// Reads as many of them as are right.
    fn read(kind: Kind, item: &DeriveInput, errors: &mut Errors) -> Self {
        let mut options = Self { name: None, output: None, krate: syn::parse_quote!(::durable) };
        let mut sound = true;
        for attr in item.attrs.iter().filter(|attr| attr.path().is_ident(kind.attribute())) {
            let read = match &attr.meta {
                syn::Meta::List(list) => {
                    (|input: ParseStream<'_>| options.arguments(kind, input)).parse2(list.tokens.clone())
                }
                other => {
                    let name = kind.attribute();
                    let what = format!("`#[{name}]` says nothing without arguments");
                    let help = format!("write `#[{name}(name = \"..\")]`, or leave it out");
                    Err(syn::Error::new(other.span(), refusal(what, help, PAGE)))
                }
            };
            if let Err(error) = read {
                sound = false;
                errors.push_error(error);
            }
        }
        if sound && kind == Kind::Update && options.output.is_none() {
            let message = refusal(
                "an update is answered, and nothing says with what",
                "write `#[update(output = Result<u64, CartError>)]` above the type, or `output = ()`",
                PAGE,
            );
            errors.push(item.ident.span(), message);
        }
        options
    }

    fn arguments(&mut self, kind: Kind, input: ParseStream<'_>) -> syn::Result<()> {
        while !input.is_empty() {
            let key = input.call(Ident::parse_any)?;
            if !input.peek(Token![=]) {
                let what = format!("the option `{key}` has no value");
                let message = refusal(what, format!("write `{key} = ..`"), PAGE);
                return Err(syn::Error::new(key.span(), message));
            }
            input.parse::<Token![=]>()?;
            match key.to_string().as_str() {
                "crate" => self.krate = Path::parse_mod_style(input)?,
                "name" => self.name = Some(name(kind, &input.parse()?)?),
                "output" if kind == Kind::Update => self.output = Some(input.parse()?),
                other => {
                    let what = format!("unknown option `{other}`");
                    let help = format!("{} takes {}", kind.value(), kind.options());
                    return Err(syn::Error::new(key.span(), refusal(what, help, PAGE)));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    }
}

fn name(kind: Kind, literal: &LitStr) -> syn::Result<String> {
    let name = literal.value();
    if name.trim().is_empty() {
        let what = format!("the name of {} can't be empty: it is what is stored", kind.value());
        let message = refusal(what, "leave `name` out to take the type's", PAGE);
        return Err(syn::Error::new(literal.span(), message));
    }
    Ok(name)
}

#[cfg(test)]
mod tests;
