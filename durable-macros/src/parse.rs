//! Attribute and signature: what the user wrote, checked for what a workflow can't be.
//!
//! A function that is refused still gives a [`Workflow`], repaired, so that its signature can stand beside the errors.

mod options;

pub(crate) use options::Options;

use crate::diagnostics::{self, Errors, refusal};
use crate::stored::{Borrowed, Owning, UsesSelf, pretty};
use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::visit::Visit;
use syn::visit_mut::VisitMut;
use syn::{Attribute, FnArg, ItemFn, LitStr, Pat, Receiver, ReturnType, Signature, Type};

/// serde writes no longer tuples.
const MAX_PARAMS: usize = 16;

/// A workflow as written.
pub(crate) struct Workflow {
    pub(crate) options: Options,
    pub(crate) item: ItemFn,
    pub(crate) params: Vec<Param>,
    /// The type of its result, repaired if it is refused.
    pub(crate) output: Type,
}

/// A parameter of a workflow.
pub(crate) struct Param {
    /// Attributes of the parameter: lint levels.
    pub(crate) attrs: Vec<Attribute>,
    /// The name it was stored under before.
    pub(crate) was: Option<String>,
    pub(crate) pat: Pat,
    pub(crate) ty: Type,
    /// For `&T`: the `T`.
    pub(crate) referent: Option<Type>,
}

/// Reads the signature.
pub(crate) fn parse(options: Options, item: ItemFn, errors: &mut Errors) -> Workflow {
    let sig = &item.sig;
    qualifiers(sig, errors);
    if options.home.is_none() {
        refuse_self(&item, errors);
    }
    let output = match &sig.output {
        ReturnType::Default => syn::parse_quote!(()),
        ReturnType::Type(_, ty) => output(ty, errors),
    };
    if sig.inputs.len() > MAX_PARAMS {
        let what =
            format!("a workflow has at most {MAX_PARAMS} parameters, and this one {}", sig.inputs.len());
        let message = refusal(what, "put them into a struct", "workflow-parameter");
        errors.push(sig.inputs.span(), message);
    }
    let params = sig.inputs.iter().map(|input| param(input, errors)).collect();
    Workflow { options, item, params, output }
}

/// A workflow without mistakes.
#[cfg(test)]
pub(crate) fn parse_str(item: &str) -> Workflow {
    let mut errors = Errors::default();
    let options = Options::read(TokenStream::new(), &mut errors);
    let workflow = parse(options, syn::parse_str(item).expect("a function"), &mut errors);
    errors.check().expect("no mistakes");
    workflow
}

/// The function, without its body if that can't be read. There is none if not even its signature can be read.
pub(crate) fn function(tokens: TokenStream, errors: &mut Errors) -> Option<ItemFn> {
    let error = match syn::parse2::<ItemFn>(tokens.clone()) {
        Ok(item) => return Some(item),
        Err(error) => error,
    };
    let start = tokens.clone().into_iter().next().map_or_else(Span::call_site, |tree| tree.span());
    match syn::parse2::<Head>(tokens) {
        Ok(head) if head.has_body => {
            errors.push_error(error);
            Some(head.item)
        }
        Ok(head) => {
            errors.push(head.item.sig.span(), diagnostics::TRAIT_FUNCTION);
            None
        }
        Err(_) => {
            errors.push(start, diagnostics::NO_FUNCTION);
            None
        }
    }
}

/// A function whose body may hold anything.
struct Head {
    item: ItemFn,
    has_body: bool,
}

impl Parse for Head {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let (vis, sig): (_, Signature) = (input.parse()?, input.parse()?);
        let has_body = input.peek(syn::token::Brace);
        input.parse::<TokenStream>()?;
        let item = ItemFn { attrs, vis, sig, block: Box::new(syn::parse_quote!({})) };
        Ok(Self { item, has_body })
    }
}

/// Everything before the parameters.
fn qualifiers(sig: &Signature, errors: &mut Errors) {
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
    for param in sig.generics.type_params() {
        let is_bounded = !param.bounds.is_empty() || sig.generics.where_clause.is_some();
        let is_it = |ty: &Type| matches!(ty, Type::Path(path) if path.path.is_ident(&param.ident));
        let is_passed = |input: &FnArg| matches!(input, FnArg::Typed(input) if is_it(&input.ty));
        if sig.inputs.iter().any(is_passed) && !is_bounded {
            errors.push(param.ident.span(), diagnostics::unbounded(&param.ident));
        }
    }
    for param in &sig.generics.params {
        if let syn::GenericParam::Lifetime(lifetime) = param {
            errors.push(lifetime.span(), diagnostics::LIFETIME);
        }
    }
}

/// What `Self` is, is not known to an attribute of the function alone.
fn refuse_self(item: &ItemFn, errors: &mut Errors) {
    let mut uses = UsesSelf(None);
    uses.visit_item_fn(item);
    let receiver = item.sig.receiver().filter(|receiver| receiver.reference.is_none());
    if let Some(span) = receiver.map(|receiver| receiver.self_token.span).or(uses.0.map(|at| at.span())) {
        errors.push(span, diagnostics::SELF_TYPE);
    }
}

/// The type of the result, or one in its place if it is refused.
fn output(ty: &Type, errors: &mut Errors) -> Type {
    match ty {
        Type::Never(never) => {
            errors.push(never.span(), diagnostics::NEVER);
            return syn::parse_quote!(());
        }
        Type::Paren(inner) => return output(&inner.elem, errors),
        Type::Group(inner) => return output(&inner.elem, errors),
        _ => {}
    }
    let mut borrowed = Borrowed::default();
    borrowed.visit_type(ty);
    if let Some(at) = borrowed.implicit {
        errors.push(at.span(), diagnostics::IMPL_RESULT);
        return syn::parse_quote!(());
    }
    if let Some(at) = borrowed.reference {
        let repaired = owning(ty);
        errors.push(
            at.span(),
            refusal(
                "a workflow's result is stored, and a reference can't be read back",
                format!("return `{}`", pretty(&repaired)),
                "workflow-result",
            ),
        );
        return repaired;
    }
    ty.clone()
}

fn owning(ty: &Type) -> Type {
    let mut repaired = ty.clone();
    Owning.visit_type_mut(&mut repaired);
    repaired
}

fn param(input: &FnArg, errors: &mut Errors) -> Param {
    match input {
        FnArg::Receiver(receiver) => self_param(receiver, errors),
        FnArg::Typed(input) => {
            let (ty, referent) = stored_type(&input.ty, errors);
            let mut attrs = input.attrs.clone();
            let was = errors.was(take_was(&mut attrs, &input.pat));
            Param { attrs, was, pat: (*input.pat).clone(), ty, referent }
        }
    }
}

/// `self` is a parameter like any other; `resolve` gives it a name that a `let` may bind.
fn self_param(receiver: &Receiver, errors: &mut Errors) -> Param {
    if receiver.reference.is_some() || matches!(&*receiver.ty, Type::Reference(_)) {
        errors.push(receiver.span(), diagnostics::SELF_PARAMETER);
    }
    let mutability = receiver.mutability.filter(|_| receiver.reference.is_none());
    let pat = Pat::Ident(syn::PatIdent {
        attrs: Vec::new(),
        by_ref: None,
        mutability,
        ident: Ident::new("self", receiver.self_token.span),
        subpat: None,
    });
    Param { attrs: receiver.attrs.clone(), was: None, pat, ty: (*receiver.ty).clone(), referent: None }
}

/// The type that the body sees, and for `&T` the `T`.
fn stored_type(ty: &Type, errors: &mut Errors) -> (Type, Option<Type>) {
    match ty {
        Type::Paren(inner) => return stored_type(&inner.elem, errors),
        Type::Group(inner) => return stored_type(&inner.elem, errors),
        _ => {}
    }
    let (reference, inner) = match ty {
        Type::Reference(reference) => (Some(reference), &*reference.elem),
        other => (None, other),
    };
    if let Some(reference) = reference.filter(|reference| reference.mutability.is_some()) {
        errors.push(reference.span(), diagnostics::MUT_PARAMETER);
        return (owning(inner), None);
    }
    let mut borrowed = Borrowed::default();
    borrowed.visit_type(inner);
    if let Some(at) = &borrowed.implicit {
        errors.push(at.span(), diagnostics::IMPL_PARAMETER);
        return (syn::parse_quote!(()), None);
    }
    let repaired = owning(inner);
    if let Some(at) = &borrowed.reference {
        let reference = if reference.is_some() { "&" } else { "" };
        errors.push(
            at.span(),
            refusal(
                "a reference inside of a stored type can't be read back",
                format!("take `{reference}{}`", pretty(&repaired)),
                "workflow-parameter",
            ),
        );
    } else if reference.is_none() {
        return (inner.clone(), None);
    }
    match reference {
        Some(reference) => {
            let mut reference = reference.clone();
            // The body borrows what is stored, so a `'static` would not hold there.
            reference.lifetime = None;
            *reference.elem = repaired.clone();
            (Type::Reference(reference), Some(repaired))
        }
        None => (repaired, None),
    }
}

/// What `#[resume(..)]` says of the resume point in its statement.
pub(crate) struct Resume {
    /// Its name from now on.
    pub(crate) name: Option<String>,
    /// What it was called in a message of an older build's: `charge#2`.
    pub(crate) was: Option<String>,
    pub(crate) span: Span,
}

impl Parse for Resume {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let text = |input: ParseStream<'_>| -> syn::Result<String> {
            let text = input.parse::<LitStr>()?;
            if text.value().trim().is_empty() { Err(input.error("empty")) } else { Ok(text.value()) }
        };
        let mut resume = Resume { name: None, was: None, span: input.span() };
        if input.peek(LitStr) {
            resume.name = Some(text(input)?);
            if !input.is_empty() {
                input.parse::<syn::Token![,]>()?;
            }
        }
        if !input.is_empty() {
            if input.parse::<Ident>()? != "was" {
                return Err(input.error("unknown"));
            }
            input.parse::<syn::Token![=]>()?;
            resume.was = Some(text(input)?);
            input.parse::<Option<syn::Token![,]>>()?;
        }
        if resume.name.is_none() && resume.was.is_none() { Err(input.error("nothing")) } else { Ok(resume) }
    }
}

/// Takes `#[resume("name")]` off a statement.
pub(crate) fn take_resume(attrs: &mut Vec<syn::Attribute>, errors: &mut Errors) -> Option<Resume> {
    let position = attrs.iter().position(|attr| attr.path().is_ident("resume"))?;
    let attr = attrs.remove(position);
    if let Ok(resume) = attr.parse_args::<Resume>() {
        return Some(Resume { span: attr.span(), ..resume });
    }
    errors.push(attr.span(), diagnostics::RESUME_NAME);
    None
}

/// Takes `#[was("old_name")]` off a variable; if it says something else, where it stands.
pub(crate) fn take_was(attrs: &mut Vec<syn::Attribute>, pat: &Pat) -> Result<Option<String>, Span> {
    let Some(position) = attrs.iter().position(|attr| attr.path().is_ident("was")) else {
        return Ok(None);
    };
    let attr = attrs.remove(position);
    let name = attr.parse_args::<LitStr>().ok().filter(|name| !name.value().trim().is_empty());
    match (pat, name) {
        (Pat::Ident(_), Some(name)) => Ok(Some(name.value())),
        (Pat::Type(typed), Some(name)) if matches!(*typed.pat, Pat::Ident(_)) => Ok(Some(name.value())),
        _ => Err(attr.span()),
    }
}
