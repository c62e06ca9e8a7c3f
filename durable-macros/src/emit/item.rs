//! The items around the body: the function that makes the call, the workflow's definition, its metadata.

use super::body::{Emitter, bad, made_up};
use super::names::{Naming, stored_names};
use crate::flow;
use crate::ir::Function;
use crate::layout::Layout;
use crate::liveness::Liveness;
use crate::parse::Workflow;
use crate::resolve::Names;
use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::{GenericParam, Pat};

/// Writes a compiled workflow.
pub(crate) fn emit(
    workflow: &Workflow,
    function: &Function,
    names: &Names,
    live: &Liveness,
    layout: &Layout,
) -> TokenStream {
    let naming = Naming::new(function, names);
    let emitter =
        Emitter { function, live, layout, naming: &naming, prologues: std::cell::RefCell::default() };
    let (body, (storables, kept)) = (emitter.body(), emitter.storables());
    let parts = Parts::of(workflow);
    let (output, args, generics) = (&workflow.output, &parts.args, &workflow.item.sig.generics);
    let (params, clause) = (&generics.params, &generics.where_clause);
    let generics = if params.is_empty() { quote!() } else { quote!(<#params>) };
    let turbofish = if parts.generic_names.is_empty() {
        quote!()
    } else {
        let names = &parts.generic_names;
        quote!(::<#(#names),*>)
    };
    let (items, allowed) = (&function.items, &function.allowed);
    let (frame, cx, arg, resume, p, bad) =
        (made_up("frame"), made_up("cx"), made_up("args"), made_up("resume"), made_up("__p"), bad());
    let resume = if function.points.is_empty() {
        quote!()
    } else if function.loops.is_empty() {
        quote!(let #resume = #cx.resume_point();)
    } else {
        quote!(#[allow(unused_mut)] let mut #resume = #cx.resume_point();)
    };
    let name = made_up("body");
    let poll = quote! {
        #(#allowed)*
        async fn #name #generics (#cx: &mut #p::Frame<'_>, #arg: ::core::option::Option<#args>) -> #output #clause {
            #(#items)*
            #resume
            #storables
            #bad: { #body }
            #kept
            match #p::suspend().await {}
        }
        #p::poll_once(#name #turbofish (#frame, #arg))
    };
    let meta = meta(workflow, function, live, layout);
    definition(workflow, &parts, &meta, &poll)
}

/// Writes the signature alone, for a workflow that does not compile, so that its callers do.
pub(crate) fn emit_signature(workflow: &Workflow) -> TokenStream {
    let meta = meta_of(workflow, &[], &[]);
    let (frame, args) = (made_up("frame"), made_up("args"));
    let poll = quote!(let _ = (#frame, #args); ::core::unreachable!());
    definition(workflow, &Parts::of(workflow), &meta, &poll)
}

/// Pieces of the signature.
struct Parts {
    /// The type of the stored arguments.
    args: TokenStream,
    params: Vec<TokenStream>,
    values: Vec<TokenStream>,
    generic_names: Vec<Ident>,
}

impl Parts {
    fn of(workflow: &Workflow) -> Self {
        let mut parts =
            Self { args: quote!(), params: Vec::new(), values: Vec::new(), generic_names: Vec::new() };
        let mut types = Vec::new();
        let inputs = workflow.item.sig.inputs.iter();
        for (at, (param, input)) in workflow.params.iter().zip(inputs).enumerate() {
            let name = match input {
                syn::FnArg::Typed(input) => match &*input.pat {
                    Pat::Ident(pat) if pat.subpat.is_none() => pat.ident.clone(),
                    _ => made_up(&format!("argument_{at}")),
                },
                syn::FnArg::Receiver(_) => made_up("receiver"),
            };
            let ty = &param.ty;
            parts.params.push(quote!(#name: #ty));
            if let Some(referent) = &param.referent {
                types.push(quote!(<#referent as ::std::borrow::ToOwned>::Owned));
                parts.values.push(quote!(::std::borrow::ToOwned::to_owned(#name)));
            } else {
                types.push(ty.to_token_stream());
                parts.values.push(name.to_token_stream());
            }
        }
        parts.args = quote!((#(#types,)*));
        for param in &workflow.item.sig.generics.params {
            match param {
                GenericParam::Type(param) => parts.generic_names.push(param.ident.clone()),
                GenericParam::Const(param) => parts.generic_names.push(param.ident.clone()),
                GenericParam::Lifetime(_) => {}
            }
        }
        parts
    }
}

fn definition(workflow: &Workflow, parts: &Parts, meta: &TokenStream, poll: &TokenStream) -> TokenStream {
    let krate = &workflow.options.krate;
    let (attrs, vis, sig) = (&workflow.item.attrs, &workflow.item.vis, &workflow.item.sig);
    let (name, output) = (&sig.ident, &workflow.output);
    let Parts { args, params, values, generic_names } = parts;
    let (declared, uses, clause) = sig.generics.split_for_impl();
    let (frame, arg, p, def) =
        (made_up("frame"), made_up("args"), made_up("__p"), made_up("__DurableWorkflow"));
    let value = if generic_names.is_empty() {
        quote!()
    } else {
        quote!((::core::marker::PhantomData<fn() -> (#(#generic_names,)*)>))
    };
    // A constant parameter is no type, hence nothing for `PhantomData`.
    let only_types: Vec<&Ident> = sig.generics.type_params().map(|param| &param.ident).collect();
    let value = if value.is_empty() {
        value
    } else {
        quote!((::core::marker::PhantomData<fn() -> (#(#only_types,)*)>))
    };
    let registration = generic_names
        .is_empty()
        .then(|| quote!(#p::inventory::submit! { #p::Registration::workflow::<#def>() }));
    let outer = &sig.generics.params;
    let outer = if outer.is_empty() { quote!() } else { quote!(<#outer>) };
    quote! {
        #(#attrs)*
        #vis fn #name #outer (#(#params),*) -> #krate::WorkflowCall<impl #krate::__private::Workflow<Args = #args, Output = #output> + use<#(#generic_names),*>> #clause {
            use #krate::__private as #p;
            struct #def #declared #value #clause;
            #[allow(non_shorthand_field_patterns, unreachable_code, unused_braces, unused_labels, unused_parens, clippy::all, clippy::pedantic, clippy::nursery)]
            impl #declared #p::Workflow for #def #uses #clause {
                type Args = #args;
                type Output = #output;
                const META: &'static #p::WorkflowMeta = #meta;
                fn poll(#frame: &mut #p::Frame<'_>, #arg: ::core::option::Option<Self::Args>) -> ::core::task::Poll<Self::Output> {
                    #poll
                }
            }
            #registration
            #krate::WorkflowCall::<#def #uses>::new((#(#values,)*))
        }
    }
}

fn meta(workflow: &Workflow, function: &Function, live: &Liveness, layout: &Layout) -> TokenStream {
    let p = made_up("__p");
    let points = function.points.iter().enumerate().map(|(number, point)| {
        let name = if let Some(name) = &point.name {
            quote!(::core::option::Option::Some(#name))
        } else {
            quote!(::core::option::Option::None)
        };
        let (callee, path, binding, args) = (&point.callee, &point.path, &point.binding, &point.args);
        let start = point.span.start();
        let at_line = Literal::usize_unsuffixed(start.line);
        let at_column = Literal::usize_unsuffixed(start.column + 1);
        let vars = stored_names(function, &layout.saved(function, live, number));
        let next = numbers(&flow::after(function, live, number));
        quote!(#p::PointMeta {
            name: #name, callee: #callee, path: #path, binding: #binding, args: #args,
            line: #at_line, column: #at_column, vars: &[#(#vars),*], next: &[#(#next),*],
        })
    });
    let points: Vec<TokenStream> = points.collect();
    meta_of(workflow, &numbers(&flow::first(function, live)), &points)
}

fn numbers(next: &flow::Next) -> Vec<Literal> {
    next.iter().copied().map(Literal::usize_unsuffixed).collect()
}

fn meta_of(workflow: &Workflow, first: &[Literal], points: &[TokenStream]) -> TokenStream {
    let p = made_up("__p");
    let ident = &workflow.item.sig.ident;
    let function = ident.to_string().trim_start_matches("r#").to_owned();
    let name = workflow.options.name.as_ref().unwrap_or(&function);
    let line = Literal::usize_unsuffixed(ident.span().start().line);
    quote!(&#p::WorkflowMeta {
        name: #name,
        function: ::core::concat!(::core::module_path!(), "::", #function),
        file: ::core::file!(),
        line: #line,
        first: &[#(#first),*],
        points: &[#(#points),*],
    })
}
