//! The items around the body: the function that makes the call, the workflow's definition, its metadata.

use super::body::{Emitter, made_up, pending};
use super::names::{Naming, StoredNames};
use super::suspend::Suspensions;
use crate::flow;
use crate::home::WriteSelf;
use crate::ir::Function;
use crate::layout::Layout;
use crate::liveness::Liveness;
use crate::parse::Workflow;
use crate::resolve::Names;
use crate::spans::asked_at;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{
    Attribute, FnArg, GenericParam, Generics, Meta, Pat, Receiver, ReturnType, Type, TypeParamBound,
    WhereClause, WherePredicate,
};

/// Writes a compiled workflow.
pub(crate) fn emit(
    workflow: &Workflow,
    function: &Function,
    names: &Names,
    live: &Liveness,
    layout: &Layout,
) -> TokenStream {
    let Body { declarations, text, storables, kept } = emit_body(function, names, live, layout);
    let parts = Parts::of(workflow);
    let (items, allowed) = (&function.items, &function.allowed);
    let (p, pending) = (made_up("__p"), pending());
    let resume = resume(function);
    // What the body declares is out of scope at the await: rustc's analysis of what a suspended function holds, and which of it may share
    // its memory, is quadratic.
    let machine = parts.machine(
        allowed,
        &quote! {
            #(#items)*
            {
                #storables
                #pending: { #declarations #resume #text }
                #kept
            }
            match #p::suspend().await {}
        },
    );
    definition(workflow, &parts, &meta(workflow, function, live, layout), &machine, &warnings(function))
}

/// Where the body goes on.
///
/// With optimisations a suspension stands here, by which a snapshot leaves that can't be decoded: in front of the body, and in the scope of all
/// that it declares. So the flags that say which variables are to be dropped are kept in the suspended function's memory. LLVM would else have each
/// of them in a register at each call that may unwind: a hundred `String`s take ten times as long. (The variables have no value yet and are
/// not kept.)
fn resume(function: &Function) -> TokenStream {
    if function.points.is_empty() {
        return quote!();
    }
    let (cx, resume, p, pending) = (made_up("cx"), made_up("resume"), made_up("__p"), pending());
    let mutable = (!function.loops.is_empty()).then(|| quote!(mut));
    quote! {
        #[allow(unused_mut)]
        let #mutable #resume = match #cx.resume_point() {
            #p::Some(#resume) => #resume,
            _ => {
                #[cfg(not(debug_assertions))]
                match #p::suspend().await {}
                #[cfg(debug_assertions)]
                break #pending;
            }
        };
    }
}

/// A warning on stable Rust: the use of something deprecated, at the user's tokens; `#[allow(deprecated)]` silences it.
fn warnings(function: &Function) -> TokenStream {
    let used = function.released.iter().map(|span| {
        let name = Ident::new("guard_released_at_the_await", Span::mixed_site().located_at(*span));
        quote_spanned!(*span=> #name!();)
    });
    let used: TokenStream = used.collect();
    if used.is_empty() {
        return used;
    }
    let name = made_up("guard_released_at_the_await");
    let note = crate::diagnostics::GUARD_RELEASED.to_string();
    quote!(#[deprecated(note = #note)] macro_rules! #name { () => {}; } #used)
}

/// The inside of a machine.
pub(crate) struct Body {
    pub(crate) declarations: TokenStream,
    /// The text, from the dispatch on.
    pub(crate) text: TokenStream,
    storables: TokenStream,
    kept: TokenStream,
}

/// Writes the body.
pub(crate) fn emit_body(function: &Function, names: &Names, live: &Liveness, layout: &Layout) -> Body {
    let naming = Naming::new(function, names);
    let suspensions = Suspensions::plan(function, layout);
    let (prologues, routes) = <_>::default();
    let emitter = Emitter { function, live, layout, naming: &naming, suspensions, prologues, routes };
    let ((declarations, text), (storables, kept)) = (emitter.body(), emitter.storables());
    Body { declarations, text, storables, kept }
}

/// Writes the signature alone, for a workflow that does not compile, so that its callers do.
pub(crate) fn emit_signature(workflow: &Workflow) -> TokenStream {
    let krate = &workflow.options.krate;
    let (attrs, vis, sig) = (outer_attrs(workflow), &workflow.item.vis, &workflow.item.sig);
    let (name, output, inputs) = (&sig.ident, &workflow.output, &sig.inputs);
    let Generics { params, where_clause, .. } = &sig.generics;
    let generics = if params.is_empty() { quote!() } else { quote!(<#params>) };
    quote! {
        #(#attrs)*
        #[allow(unused_variables, unused_mut, clippy::all, clippy::pedantic)]
        #vis fn #name #generics (#inputs) -> #krate::WorkflowCall<#krate::__private::Refused<(), #output>> #where_clause {
            #krate::WorkflowCall::new(())
        }
    }
}

/// Pieces of the signature.
struct Parts<'a> {
    workflow: &'a Workflow,
    /// The parameters of the function that makes the call, and their values in the tuple of the arguments.
    params: Vec<TokenStream>,
    values: Vec<TokenStream>,
    /// Types of the stored arguments.
    args: Vec<TokenStream>,
    /// What the machine is generic over: the parameters of the `impl` block around it and of the function.
    generics: Generics,
}

impl<'a> Parts<'a> {
    fn of(workflow: &'a Workflow) -> Self {
        let generics = generics(workflow);
        let mut parts = Self { workflow, params: Vec::new(), values: Vec::new(), args: Vec::new(), generics };
        let inputs = workflow.item.sig.inputs.iter();
        for (at, (param, input)) in workflow.params.iter().zip(inputs).enumerate() {
            let (name, given) = match input {
                FnArg::Typed(input) => {
                    let name = match &*input.pat {
                        Pat::Ident(pat) if pat.subpat.is_none() => pat.ident.clone(),
                        _ => made_up(&format!("argument_{at}")),
                    };
                    let ty = &param.ty;
                    (name.to_token_stream(), quote!(#name: #ty))
                }
                FnArg::Receiver(receiver) => {
                    let receiver = Receiver { mutability: None, attrs: Vec::new(), ..receiver.clone() };
                    (receiver.self_token.to_token_stream(), receiver.to_token_stream())
                }
            };
            parts.params.push(given);
            if let Some(referent) = &param.referent {
                parts.args.push(quote!(<#referent as ::std::borrow::ToOwned>::Owned));
                parts.values.push(quote!(::std::borrow::ToOwned::to_owned(#name)));
            } else {
                parts.args.push(param.ty.to_token_stream());
                parts.values.push(name);
            }
        }
        parts
    }

    /// The tuple of the arguments' types, and the result's, for items of their own, where they are asked whether they can be stored.
    fn own_types(&self) -> (TokenStream, TokenStream) {
        let args = crate::storable::arguments(self.workflow);
        (quote!((#(#args,)*)), crate::storable::result(self.workflow))
    }

    /// Whether the engine can find it by its name alone.
    fn is_root(&self) -> bool {
        self.generics.params.is_empty()
    }

    /// The machine, and how it is polled. In an `impl` block it is a function of a trait that the block's type implements, so
    /// that `Self` is what it is in the block.
    fn machine(&self, allowed: &[Attribute], body: &TokenStream) -> TokenStream {
        let (args, output) = self.own_types();
        let (frame, cx, arg, p) = (made_up("frame"), made_up("cx"), made_up("args"), made_up("__p"));
        let (name, own_trait) = (made_up("__durable_machine"), made_up("__DurableMachine"));
        let (declared, uses, clause) = self.generics.split_for_impl();
        let signature = |generics: TokenStream, clause: TokenStream| quote!(async fn #name #generics (#cx: &mut #p::Frame<'_>, #arg: ::core::option::Option<#args>) -> #output #clause);
        let Some(home) = &self.workflow.options.home else {
            let signature = signature(declared.to_token_stream(), clause.to_token_stream());
            let turbofish = uses.as_turbofish();
            return quote! {
                #(#allowed)*
                #signature { #body }
                #p::poll_once(#name #turbofish (#frame, #arg))
            };
        };
        let (self_ty, signature) = (&home.self_ty, signature(quote!(), quote!()));
        quote! {
            trait #own_trait #declared #clause { #signature; }
            impl #declared #own_trait #uses for #self_ty #clause {
                #(#allowed)*
                #signature { #body }
            }
            #p::poll_once(<#self_ty as #own_trait #uses>::#name(#frame, #arg))
        }
    }
}

/// The type parameters of the `impl` block and of the function. All outlive every borrow, as what is stored does.
fn generics(workflow: &Workflow) -> Generics {
    let own = &workflow.item.sig.generics;
    let mut generics = workflow.options.home.as_ref().map(|home| home.generics.clone()).unwrap_or_default();
    generics.params.extend(own.params.iter().cloned());
    let mut predicates: Vec<WherePredicate> = Vec::new();
    for generics in [&generics, own] {
        predicates.extend(generics.where_clause.iter().flat_map(|clause| clause.predicates.iter().cloned()));
    }
    generics.where_clause = (!predicates.is_empty()).then(|| syn::parse_quote!(where #(#predicates),*));
    outlive(&mut generics);
    if let Some(home) = &workflow.options.home {
        WriteSelf(&home.self_ty).visit_generics_mut(&mut generics);
    }
    generics
}

/// `T: 'static` for each type parameter, beside its other bounds: two places for them are a lint.
fn outlive(generics: &mut Generics) {
    let lifetime: TypeParamBound = syn::parse_quote!('static);
    let mut clause = generics.where_clause.take();
    for param in generics.type_params_mut() {
        let predicates = clause.iter_mut().flat_map(|clause| &mut clause.predicates);
        let mut own = predicates.filter_map(|predicate| match predicate {
            WherePredicate::Type(own) => Some(own),
            _ => None,
        });
        let is_own = |ty: &Type| matches!(ty, Type::Path(path) if path.path.is_ident(&param.ident));
        match own.find(|own| param.bounds.is_empty() && is_own(&own.bounded_ty)) {
            Some(own) => own.bounds.push(lifetime.clone()),
            None => param.bounds.push(lifetime.clone()),
        }
    }
    generics.where_clause = clause;
}

/// The attributes of the function that makes the call.
fn outer_attrs(workflow: &Workflow) -> impl Iterator<Item = &Attribute> {
    // The call says itself that it must be used.
    workflow
        .item
        .attrs
        .iter()
        .filter(|attr| !matches!(&attr.meta, Meta::Path(path) if path.is_ident("must_use")))
}

fn definition(
    workflow: &Workflow,
    parts: &Parts<'_>,
    meta: &TokenStream,
    machine: &TokenStream,
    warnings: &TokenStream,
) -> TokenStream {
    let krate = &workflow.options.krate;
    let (attrs, vis, sig) = (outer_attrs(workflow), &workflow.item.vis, &workflow.item.sig);
    let (name, output, (own_args, own_output)) = (&sig.ident, &workflow.output, parts.own_types());
    let Parts { params, values, args, .. } = parts;
    let (declared, uses, clause) = parts.generics.split_for_impl();
    let (frame, arg, p, def) =
        (made_up("frame"), made_up("args"), made_up("__p"), made_up("__DurableWorkflow"));
    let types = parts.generics.type_params().map(|param| &param.ident);
    let phantom = (!parts.is_root())
        .then(|| quote!((::core::marker::PhantomData<fn() -> (#(::core::marker::PhantomData<#types>,)*)>)));
    let captured = parts.generics.params.iter().filter_map(|param| match param {
        GenericParam::Type(param) => Some(&param.ident),
        GenericParam::Const(param) => Some(&param.ident),
        GenericParam::Lifetime(_) => None,
    });
    let (root, registration) = if parts.is_root() {
        (made_up("RootWorkflow"), registration(workflow))
    } else {
        (made_up("Workflow"), quote!())
    };
    let (outer, outer_clause) = outer_generics(workflow);
    let ended = ended(workflow);
    quote! {
        #(#attrs)*
        #vis fn #name #outer (#(#params),*) -> #krate::WorkflowCall<impl #krate::__private::#root<Args = (#(#args,)*), Output = #output> + use<#(#captured),*>> #outer_clause {
            use #krate::__private as #p;
            struct #def #declared #phantom #clause;
            #warnings
            #[allow(non_shorthand_field_patterns, unreachable_code, unused_braces, unused_labels, unused_parens, clippy::all, clippy::pedantic, clippy::nursery)]
            impl #declared #p::Workflow for #def #uses #clause {
                type Args = #own_args;
                type Output = #own_output;
                const META: &'static #p::WorkflowMeta = #meta;
                fn poll(#frame: &mut #p::Frame<'_>, #arg: ::core::option::Option<Self::Args>) -> ::core::task::Poll<Self::Output> {
                    #machine
                }
                #ended
            }
            #registration
            #krate::WorkflowCall::<#def #uses>::new((#(#values,)*))
        }
    }
}

/// What an output says of failure, and how it is kept. Its type decides, as that of an activity's; of a tuple that is plain. One
/// function, and what it names is compiled once per type: each function of a workflow is one more for each workflow.
fn ended(workflow: &Workflow) -> TokenStream {
    let p = made_up("__p");
    let stored = quote!((&&#p::OutputKind::<Self::Output>::new()).stored());
    let (uses, says) = if matches!(workflow.output, Type::Tuple(_)) {
        (quote!(), quote!(#p::Says::nothing()))
    } else {
        (
            quote!(HidesCallError as _, ReturnsResult as _, ReturnsValue as _, TellsCallError as _,),
            quote!((&&(&&#p::OutputKind::<Self::Output>::new()).kind()).says()),
        )
    };
    quote! {
        fn ended() -> #p::Ended<Self::Output> {
            #[allow(unused_imports)]
            use #p::{LosesOutput as _, StoresOutput as _, #uses};
            #p::Ended { stored: #stored, says: #says }
        }
    }
}

/// The function's own parameters and clause, and what the machine asks of all type parameters besides.
fn outer_generics(workflow: &Workflow) -> (TokenStream, Option<WhereClause>) {
    let mut own = workflow.item.sig.generics.clone();
    outlive(&mut own);
    let home = workflow.options.home.iter().flat_map(|home| home.generics.type_params());
    for ident in home.map(|param| &param.ident) {
        own.make_where_clause().predicates.push(syn::parse_quote!(#ident: 'static));
    }
    let params = &own.params;
    let params = if params.is_empty() { quote!() } else { quote!(<#params>) };
    (params, own.where_clause)
}

/// Makes the workflow known to the engine. That its result can be stored is asked here, where the user wrote its type.
fn registration(workflow: &Workflow) -> TokenStream {
    let (p, def) = (made_up("__p"), made_up("__DurableWorkflow"));
    let at = match &workflow.item.sig.output {
        ReturnType::Type(_, ty) => asked_at(ty.span()),
        ReturnType::Default => Span::mixed_site(),
    };
    let placed = Ident::new("__DurableWorkflow", at);
    // The attribute of a block does it beside the block.
    let submit = workflow
        .options
        .home
        .is_none()
        .then(|| quote!(#p::inventory::submit! { <#def as #p::RootWorkflow>::REGISTRATION }));
    quote! {
        impl #p::RootWorkflow for #placed {
            const REGISTRATION: #p::Registration = #p::Registration::workflow::<Self>();
        }
        #submit
    }
}

fn meta(workflow: &Workflow, function: &Function, live: &Liveness, layout: &Layout) -> TokenStream {
    let (witnesses, names) = (layout.witnesses(), StoredNames::of(function));
    let points = function.points.iter().enumerate().map(|(number, point)| {
        let saved = layout.saved(function, number);
        let start = point.span.start();
        let mut fields = vec![
            escaped(&point.callee),
            escaped(&point.path),
            escaped(&point.binding),
            escaped(&point.args),
            start.line.to_string(),
            (start.column + 1).to_string(),
            names.of_point(&saved).join("\0"),
            spaced(saved.iter().filter_map(|var| witnesses.binary_search(var).ok())),
            spaced(flow::after(function, live, number)),
        ];
        fields.extend(point.name.as_ref().map(|name| format!("n{}", escaped(name))));
        fields.extend(point.was.as_ref().map(|was| format!("w{}", escaped(was))));
        fields.extend(saved.iter().filter_map(|var| {
            let var = &function.vars[*var];
            Some(format!("r{}\0{}", var.stored_name, var.was.as_ref()?))
        }));
        fields.join("\t")
    });
    let points: Vec<String> = points.collect();
    meta_of(workflow, &numbers(&flow::first(function, live)), &points.join("\n"))
}

/// A field of the table of points, as its reader expects it (`durable-core/src/meta.rs`).
fn escaped(field: &str) -> String {
    if !field.contains(['\t', '\n', '\u{1}']) {
        return field.to_owned();
    }
    field.replace('\u{1}', "\u{1}1").replace('\t', "\u{1}t").replace('\n', "\u{1}n")
}

fn spaced(numbers: impl IntoIterator<Item = impl ToString>) -> String {
    let numbers: Vec<String> = numbers.into_iter().map(|number| number.to_string()).collect();
    numbers.join(" ")
}

fn numbers(next: &flow::Next) -> Vec<Literal> {
    next.iter().copied().map(Literal::usize_unsuffixed).collect()
}

fn meta_of(workflow: &Workflow, first: &[Literal], points: &str) -> TokenStream {
    let p = made_up("__p");
    let ident = &workflow.item.sig.ident;
    let plain = ident.to_string().trim_start_matches("r#").to_owned();
    let name = workflow.options.name.as_ref().unwrap_or(&plain);
    let function = match &workflow.options.home {
        Some(home) => format!("{}::{plain}", home.name()),
        None => plain.clone(),
    };
    let line = Literal::usize_unsuffixed(ident.span().start().line);
    let deadline_ms = workflow.options.deadline_ms.map(Literal::u64_unsuffixed);
    let deadline_ms = deadline_ms.map_or_else(
        || quote!(::core::option::Option::None),
        |deadline_ms| quote!(::core::option::Option::Some(#deadline_ms)),
    );
    let was = &workflow.options.was;
    let migrate = migrate(workflow);
    let args =
        workflow.params.iter().zip(&workflow.item.sig.inputs).enumerate().map(|(at, (param, input))| {
            let name = match input {
                FnArg::Receiver(_) => "self".to_owned(),
                FnArg::Typed(input) => match &*input.pat {
                    Pat::Ident(pat) => {
                        pat.ident.to_string().trim_start_matches("r#").trim_start_matches('_').to_owned()
                    }
                    _ => format!("argument({at})"),
                },
            };
            let was = param.was.iter();
            quote!(&[#name #(, #was)*])
        });
    quote!(&#p::WorkflowMeta {
        name: #name,
        was: &[#(#was),*],
        args: &[#(#args),*],
        function: ::core::concat!(::core::module_path!(), "::", #function),
        file: ::core::file!(),
        line: #line,
        deadline_ms: #deadline_ms,
        migrate: #migrate,
        first: &[#(#first),*],
        points: { static POINTS: #p::Points = #p::Points::new(#points); &POINTS },
    })
}

/// The function that migrates snapshots: asked whether it can at its name, where the user wrote it.
fn migrate(workflow: &Workflow) -> TokenStream {
    let Some(path) = &workflow.options.migrate else {
        return quote!(::core::option::Option::None);
    };
    let mut path = path.clone();
    if let Some(home) = &workflow.options.home {
        WriteSelf(&home.self_ty).visit_expr_mut(&mut path);
    }
    quote_spanned!(path.span()=> ::core::option::Option::Some(&#path))
}
