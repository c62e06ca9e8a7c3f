//! The parameters of an activity: which are supplied by the engine, which are stored, and as what.

use proc_macro2::Span;
use quote::{ToTokens, format_ident};
use syn::{
    FnArg, GenericArgument, GenericParam, Ident, ItemFn, Pat, PatType, PathArguments, ReturnType, Type,
    TypeReference, visit::Visit, visit_mut::VisitMut,
};

use super::errors::Errors;
use crate::diagnostics::{self, refusal};
use crate::home::Home;
use crate::parse::take_was;
use crate::stored::{Borrowed, Owning, UsesSelf, owned, pretty};

/// serde writes no longer tuples.
const MAX_STORED: usize = 16;

pub(super) struct Signature {
    pub(super) params: Vec<Param>,
    pub(super) output: Type,
    pub(super) blocking: bool,
    /// A parameter is refused: callers see the function in its repaired shape, and it never runs.
    pub(super) broken: bool,
}

pub(super) struct Param {
    pub(super) kind: Kind,
    /// The user takes it by reference.
    pub(super) by_ref: bool,
}

pub(super) enum Kind {
    /// `State<T>`: holds `T`.
    State(Box<Type>),
    /// `ActivityContext`.
    Context,
    Stored(Box<Stored>),
}

pub(super) struct Stored {
    /// The name in the outer function.
    pub(super) name: Ident,
    /// The name under which it is stored.
    pub(super) written: String,
    /// The name under which it was stored before.
    pub(super) was: Option<String>,
    /// The type in the outer function.
    pub(super) given: Type,
    /// The owned type in the stored arguments.
    pub(super) owned: Type,
}

impl Signature {
    /// `None` if the function can't be an activity in any shape; the errors then say why.
    /// Takes `#[was("..")]` off the parameters.
    pub(super) fn parse(function: &mut ItemFn, home: Option<&Home>, errors: &mut Errors) -> Option<Self> {
        let was = function.sig.inputs.iter_mut().map(|input| was(input, errors)).collect::<Vec<_>>();
        let sig = &function.sig;
        let found_before = errors.len();
        let mut possible = qualifiers(sig, errors);
        let mut this = UsesSelf(None);
        this.visit_item_fn(function);
        if let (Some(at), None) = (this.0, home) {
            errors.at(
                at,
                refusal(
                    "only the `impl` block says what `Self` is",
                    "write `#[workflow]` above the `impl` too",
                    "impl-block",
                ),
            );
            possible = false;
        }
        if let Some(home) = home.filter(|home| !home.generics.params.is_empty()) {
            errors.at(
                &home.generics.params,
                refusal(
                    "an activity can't be generic, because the engine finds it by its name",
                    "move it out of this `impl` block",
                    "activity-function",
                ),
            );
            possible = false;
        }
        let mut params = Vec::new();
        for (position, (input, was)) in sig.inputs.iter().zip(was).enumerate() {
            match input {
                FnArg::Receiver(receiver) => {
                    errors.at(
                        receiver,
                        refusal(
                            "an activity has no `self`: what it is called with is stored",
                            "leave `self` out, and take a dependency as `State<T>`",
                            "activity-function",
                        ),
                    );
                    possible = false;
                }
                FnArg::Typed(param) => params.push(Param::parse(position, param, was, errors)),
            }
        }
        let stored = params.iter().filter(|param| matches!(param.kind, Kind::Stored(_))).count();
        if stored > MAX_STORED {
            errors.at(
                &sig.inputs,
                refusal(
                    format!("an activity has at most {MAX_STORED} stored parameters, this one {stored}"),
                    "put them into a struct",
                    "activity-argument",
                ),
            );
            possible = false;
        }
        let output = output(&sig.output, errors)?;
        let broken = errors.len() > found_before;
        let signature = Signature { params, output, blocking: sig.asyncness.is_none(), broken };
        possible.then_some(signature)
    }

    pub(super) fn stored(&self) -> impl Iterator<Item = &Stored> {
        self.params.iter().filter_map(|param| match &param.kind {
            Kind::Stored(stored) => Some(&**stored),
            Kind::State(_) | Kind::Context => None,
        })
    }
}

/// Takes `#[was("..")]` off a parameter.
fn was(input: &mut FnArg, errors: &mut Errors) -> Option<String> {
    let FnArg::Typed(param) = input else { return None };
    take_was(&mut param.attrs, &param.pat).unwrap_or_else(|at| {
        errors.push(syn::Error::new(at, diagnostics::WAS));
        None
    })
}

/// Everything before the parameters.
fn qualifiers(sig: &syn::Signature, errors: &mut Errors) -> bool {
    let mut possible = true;
    if let Some(constness) = &sig.constness {
        errors.at(
            constness,
            refusal(
                "an activity is not `const`: it runs in the engine",
                "leave `const` out",
                "activity-function",
            ),
        );
        possible = false;
    }
    if let Some(unsafety) = &sig.unsafety {
        errors.at(
            unsafety,
            refusal(
                "an activity is not `unsafe`: the engine calls it, and can give no promise",
                "leave `unsafe` out, and write an `unsafe` block inside",
                "activity-function",
            ),
        );
        possible = false;
    }
    if let Some(abi) = &sig.abi {
        errors.at(abi, refusal("an activity has Rust's own ABI", "leave `extern` out", "activity-function"));
        possible = false;
    }
    if let Some(variadic) = &sig.variadic {
        errors.at(
            variadic,
            refusal("an activity has a fixed number of parameters", "take a `Vec`", "activity-function"),
        );
        possible = false;
    }
    for param in &sig.generics.params {
        if let GenericParam::Type(_) | GenericParam::Const(_) = param {
            errors.at(
                param,
                refusal(
                    "an activity can't be generic, because the engine finds it by its name",
                    "write one activity for each type, which call a generic function",
                    "activity-function",
                ),
            );
            possible = false;
        }
    }
    possible
}

fn output(output: &ReturnType, errors: &mut Errors) -> Option<Type> {
    let ReturnType::Type(_, ty) = output else {
        return Some(syn::parse_quote!(()));
    };
    let mut borrowed = Borrowed::default();
    borrowed.visit_type(ty);
    if let Some(at) = borrowed.implicit {
        errors.at(
            at,
            refusal(
                "an activity returns a type with a name, because the result is stored",
                "name it in place of `impl Trait`",
                "activity-result",
            ),
        );
        return None;
    }
    if let Some(at) = borrowed.lifetime {
        errors.at(
            at,
            refusal(
                "an activity returns owned values, because the result is stored",
                "return a `String`, a `Vec`, ..",
                "activity-result",
            ),
        );
        return None;
    }
    Some((**ty).clone())
}

impl Param {
    fn parse(position: usize, param: &PatType, was: Option<String>, errors: &mut Errors) -> Self {
        for attr in &param.attrs {
            if attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr") {
                errors.at(
                    attr,
                    refusal(
                        "a parameter of an activity can't be conditional, because calls are stored",
                        "put `cfg` on two functions",
                        "activity-argument",
                    ),
                );
            }
        }
        let (reference, inner) = match bare(&param.ty) {
            Type::Reference(reference) => (Some(reference), bare(&reference.elem)),
            other => (None, other),
        };
        let kind = if let Some(kind) = supplied(inner) {
            if was.is_some() {
                errors.at(param, diagnostics::WAS);
            }
            if let Some(mutable) = reference.and_then(|reference| reference.mutability) {
                errors.at(
                    mutable,
                    refusal(
                        "what the engine supplies is shared between attempts",
                        "take it by value or by `&`",
                        "activity-argument",
                    ),
                );
            }
            kind
        } else {
            let stored = Stored::parse(position, param, reference, inner, errors);
            Kind::Stored(Box::new(Stored { was, ..stored }))
        };
        Param { kind, by_ref: reference.is_some() }
    }
}

/// A type without brackets, and out of the group in which a macro passes it on.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Paren(inner) => bare(&inner.elem),
        Type::Group(inner) => bare(&inner.elem),
        other => other,
    }
}

/// `State<T>` and `ActivityContext`, by the last segment of the path.
fn supplied(ty: &Type) -> Option<Kind> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    match &last.arguments {
        PathArguments::None if last.ident == "ActivityContext" => Some(Kind::Context),
        PathArguments::AngleBracketed(args) if last.ident == "State" && args.args.len() == 1 => {
            match args.args.first()? {
                GenericArgument::Type(ty) => Some(Kind::State(Box::new(ty.clone()))),
                _ => None,
            }
        }
        _ => None,
    }
}

impl Stored {
    fn parse(
        position: usize,
        param: &PatType,
        reference: Option<&TypeReference>,
        inner: &Type,
        errors: &mut Errors,
    ) -> Self {
        let name = match &*param.pat {
            // The outer function uses it, whatever the user's function does.
            Pat::Ident(pat) if pat.subpat.is_none() && !pat.ident.to_string().starts_with('_') => {
                pat.ident.clone()
            }
            _ => format_ident!("arg{}", position, span = Span::mixed_site()),
        };
        if let Some(reference) = reference {
            if let Some(mutable) = reference.mutability {
                errors.at(
                    QuoteUntil(reference.and_token, mutable),
                    refusal(
                        "an activity works on a stored copy, so the caller would not see the change",
                        "take it by value and return it",
                        "activity-argument",
                    ),
                );
            }
            if let Some(lifetime) = reference.lifetime.as_ref().filter(|lifetime| lifetime.ident == "static")
            {
                errors.at(
                    lifetime,
                    refusal(
                        "a stored argument does not live for ever",
                        "leave out `'static`",
                        "activity-argument",
                    ),
                );
            }
        }
        let inner = &repaired(&param.ty, inner, errors);
        let (given, owned) = match reference {
            Some(_) => (syn::parse_quote!(&#inner), owned(inner)),
            None => (inner.clone(), inner.clone()),
        };
        let written = match &*param.pat {
            Pat::Ident(pat) => {
                pat.ident.to_string().trim_start_matches("r#").trim_start_matches('_').to_owned()
            }
            _ => format!("arg{position}"),
        };
        Stored { name, written, was: None, given, owned }
    }
}

/// The two tokens of `&mut`, for a span over both.
struct QuoteUntil(syn::Token![&], syn::Token![mut]);

impl ToTokens for QuoteUntil {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        self.0.to_tokens(tokens);
        self.1.to_tokens(tokens);
    }
}

/// Refuses what borrows inside of a stored type, and gives the type in which nothing does.
fn repaired(whole: &Type, inner: &Type, errors: &mut Errors) -> Type {
    let mut borrowed = Borrowed::default();
    borrowed.visit_type(inner);
    if let Some(at) = &borrowed.implicit {
        errors.at(
            at,
            refusal(
                "an activity's parameter has a type with a name, because it is stored",
                "name it in place of `impl Trait`",
                "activity-argument",
            ),
        );
        return syn::parse_quote!(());
    }
    let mut repaired = inner.clone();
    Owning.visit_type_mut(&mut repaired);
    if let Some(at) = &borrowed.reference {
        let reference = if matches!(whole, Type::Reference(_)) { "&" } else { "" };
        let message = refusal(
            "a reference inside of a stored type can't be read back",
            format!("take `{reference}{}`", pretty(&repaired)),
            "activity-argument",
        );
        errors.at(at, message);
    } else if let Some(at) = &borrowed.lifetime {
        errors.at(at, refusal("what is stored owns its data", "take an owned type", "activity-argument"));
    }
    repaired
}
