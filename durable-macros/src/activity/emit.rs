//! Writes the code of an activity.

use proc_macro2::{Delimiter, Group, Literal, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::{
    Attribute, FnArg, Ident, ItemFn, Meta, Pat, PatWild, Path, Token, Type, punctuated::Punctuated,
    spanned::Spanned, token::Underscore, visit_mut::VisitMut,
};

use crate::home::{Home, WriteSelf};

use super::{
    options::Options,
    signature::{Kind, Signature},
};

/// What the emitted code is made of.
struct Emit<'a> {
    options: &'a Options,
    function: &'a ItemFn,
    signature: &'a Signature,
    home: Option<&'a Home>,
    /// The hidden module of `durable`.
    private: TokenStream,
}

pub(super) fn emit(options: &Options, function: &ItemFn, signature: &Signature) -> TokenStream {
    let private = options.krate.as_ref().map_or_else(|| quote!(::durable), |path| quote!(#path));
    let private = quote!(#private::__private);
    let home = options.home.as_ref();
    Emit { options, function, signature, home, private }.function()
}

impl Emit<'_> {
    /// The function that makes a call, with everything else inside it.
    fn function(&self) -> TokenStream {
        let p = &self.private;
        let (outer, kept): (Vec<&Attribute>, Vec<&Attribute>) =
            self.function.attrs.iter().partition(|attr| is_outer(attr));
        let vis = &self.function.vis;
        let ident = &self.function.sig.ident;
        let names: Vec<&Ident> = self.signature.stored().map(|stored| &stored.name).collect();
        let given = self.signature.stored().map(|stored| &stored.given);
        let owned: Vec<_> = self.signature.stored().map(|stored| &stored.owned).collect();
        let output = &self.signature.output;
        let params = local("params");
        let values = self.where_the_params_stand(quote!(#(#names,)*));
        // As the arguments are checked: what can't be stored is no second error here.
        let types = self.signature.stored().map(|stored| {
            let (given, owned) = (&stored.given, &self.written_out(&stored.owned));
            let checked = self.checked("activity_argument", owned);
            match given {
                given if given == owned => checked,
                syn::Type::Reference(reference) if *reference.elem == *owned => quote!(&#checked),
                given => quote!(#given),
            }
        });
        let user = self.user_function(&kept);
        let implementation = self.implementation(&owned);
        quote! {
            #(#outer)*
            #vis fn #ident(#(#names: #given),*)
                -> #p::ActivityCall<impl #p::Activity<Args = (#(#owned,)*), Output = #output> + use<>>
            {
                #user
                #implementation
                let #params: (#(#types,)*) = #values;
                #p::ActivityCall::<__DurableActivity>::new(#params)
            }
        }
    }

    /// The user's own function, token for token, so that rustc speaks of what the user wrote.
    fn user_function(&self, attrs: &[&Attribute]) -> TokenStream {
        let ItemFn { sig, block, .. } = self.function;
        // Whether it is async says where it runs, not whether it awaits.
        let unused_async = (!self.signature.blocking).then(|| quote!(#[allow(clippy::unused_async)]));
        // What the engine supplies is passed by value to whoever asks for it like that.
        let by_value = self.signature.blocking
            && self
                .signature
                .params
                .iter()
                .any(|param| !param.by_ref && !matches!(param.kind, Kind::Stored(_)));
        let by_value = by_value.then(|| quote!(#[allow(clippy::needless_pass_by_value)]));
        let dead_code = self.signature.broken.then(|| quote!(#[allow(dead_code)]));
        let Some(home) = self.home else {
            return quote! { #(#attrs)* #unused_async #by_value #dead_code #sig #block };
        };
        // In an `impl` block it is a function of a trait that the block's type implements, so that `Self` is what it is there.
        let attrs = attrs.iter().filter(|attr| !attr.path().is_ident("must_use"));
        let mut declared = sig.clone();
        WriteSelf(&home.self_ty).visit_signature_mut(&mut declared);
        for input in &mut declared.inputs {
            if let FnArg::Typed(input) = input {
                input.attrs.clear();
                *input.pat =
                    Pat::Wild(PatWild { attrs: Vec::new(), underscore_token: Underscore::default() });
            }
        }
        let self_ty = &home.self_ty;
        quote! {
            trait __DurableFunction { #declared; }
            impl __DurableFunction for #self_ty { #(#attrs)* #unused_async #by_value #dead_code #sig #block }
        }
    }

    /// A type as items see it that stand in the function.
    fn written_out(&self, ty: &Type) -> Type {
        let mut ty = ty.clone();
        if let Some(home) = self.home {
            WriteSelf(&home.self_ty).visit_type_mut(&mut ty);
        }
        ty
    }

    fn implementation(&self, owned: &[&Type]) -> TokenStream {
        let p = &self.private;
        let args = owned.iter().map(|ty| self.checked("activity_argument", &self.written_out(ty)));
        let args = self.where_the_params_stand(quote!(#(#args,)*));
        let output = self.checked("activity_result", &self.written_out(&self.signature.output));
        let meta = self.meta();
        let missing_state = self.missing_state();
        let run = self.run();
        let verdict = self.verdict();
        let call_error = self.call_error();
        // The attribute of a block does it beside the block.
        let submit = self
            .home
            .is_none()
            .then(|| quote!(#p::inventory::submit! { #p::Registration::activity::<__DurableActivity>() }));
        quote! {
            #[allow(dead_code)]
            struct __DurableActivity;
            impl #p::Activity for __DurableActivity {
                type Args = #args;
                type Output = #output;
                const META: &'static #p::ActivityMeta = &#meta;
                #missing_state
                #run
                #verdict
                #call_error
            }
            #submit
        }
    }

    /// A type that has to be storable, at the user's tokens; see `storable`.
    fn checked(&self, ask: &str, ty: &syn::Type) -> TokenStream {
        let (p, ask) = (&self.private, local(ask));
        quote!(<#ty as #p::Checked<{ #p::#ask::<#ty>() }>>::Same)
    }

    /// A tuple at the user's parameters, where rustc then says that one of them can't be stored.
    fn where_the_params_stand(&self, tuple: TokenStream) -> Group {
        let mut group = Group::new(Delimiter::Parenthesis, tuple);
        group.set_span(self.function.sig.paren_token.span.join());
        group
    }

    fn meta(&self) -> TokenStream {
        let p = &self.private;
        let Options {
            start_to_close_ms,
            schedule_to_close_ms,
            heartbeat_ms,
            retry,
            park_when_exhausted,
            limit,
            ..
        } = self.options;
        let ident = &self.function.sig.ident;
        let plain = plain_name(ident);
        let name = self.options.name.as_ref().map_or_else(|| plain.clone(), syn::LitStr::value);
        let path = self.home.map_or_else(|| plain.clone(), |home| format!("{}::{plain}", home.name()));
        let line = Literal::usize_unsuffixed(ident.span().start().line);
        let blocking = self.signature.blocking;
        let start_to_close_ms = option(*start_to_close_ms, Literal::u64_unsuffixed);
        let schedule_to_close_ms = option(*schedule_to_close_ms, Literal::u64_unsuffixed);
        let heartbeat_ms = option(*heartbeat_ms, Literal::u64_unsuffixed);
        let limit = option(*limit, Literal::u32_unsuffixed);
        let initial_ms = option(retry.initial_ms, Literal::u64_unsuffixed);
        let backoff = option(retry.backoff, Literal::f64_unsuffixed);
        let max_interval_ms = option(retry.max_interval_ms, Literal::u64_unsuffixed);
        let max_attempts = option(retry.max_attempts, Literal::u32_unsuffixed);
        let jitter = option(retry.jitter, Literal::f64_unsuffixed);
        let was = &self.options.was;
        let args = self.signature.stored().map(|stored| {
            let (name, was) = (&stored.written, stored.was.iter());
            quote!(&[#name #(, #was)*])
        });
        quote! {
            #p::ActivityMeta {
                name: #name,
                was: &[#(#was),*],
                args: &[#(#args),*],
                function: ::core::concat!(::core::module_path!(), "::", #path),
                file: ::core::file!(),
                line: #line,
                start_to_close_ms: #start_to_close_ms,
                schedule_to_close_ms: #schedule_to_close_ms,
                heartbeat_ms: #heartbeat_ms,
                retry: #p::RetryMeta {
                    initial_ms: #initial_ms,
                    backoff: #backoff,
                    max_interval_ms: #max_interval_ms,
                    max_attempts: #max_attempts,
                    jitter: #jitter,
                },
                park_when_exhausted: #park_when_exhausted,
                limit: #limit,
                blocking: #blocking,
            }
        }
    }

    fn missing_state(&self) -> TokenStream {
        let p = &self.private;
        let states = local("states");
        let checks: Vec<TokenStream> = self
            .signature
            .params
            .iter()
            .filter_map(|param| match &param.kind {
                Kind::State(ty) => Some(self.written_out(ty)).map(|ty| {
                    quote! {
                        if let ::core::result::Result::Err(missing) = #states.require::<#ty>() {
                            return ::core::option::Option::Some(missing);
                        }
                    }
                }),
                Kind::Context | Kind::Stored(_) => None,
            })
            .collect();
        let states = if checks.is_empty() { local("_states") } else { states };
        quote! {
            fn missing_state(#states: &#p::States) -> ::core::option::Option<#p::MissingState> {
                #(#checks)*
                ::core::option::Option::None
            }
        }
    }

    fn run(&self) -> TokenStream {
        let p = &self.private;
        if self.signature.broken {
            return quote! {
                fn run(
                    _: Self::Args,
                    _: &#p::ActivityContext,
                ) -> ::core::result::Result<#p::AttemptFuture<Self::Output>, #p::MissingState> {
                    ::core::unreachable!()
                }
            };
        }
        let (args, context) = (local("args"), local("context"));
        let ident = &self.function.sig.ident;
        let (mut states, mut stored, mut passed) = (Vec::new(), Vec::new(), Vec::new());
        for (n, param) in self.signature.params.iter().enumerate() {
            let name = format_ident!("param{}", n, span = Span::mixed_site());
            let by_ref = param.by_ref.then(|| quote!(&));
            match &param.kind {
                Kind::State(ty) => {
                    let ty = self.written_out(ty);
                    states.push(quote! { let #name = #context.require::<#ty>()?; });
                    passed.push(quote!(#by_ref #name));
                }
                Kind::Context => {
                    states.push(quote! { let #name = ::core::clone::Clone::clone(#context); });
                    passed.push(quote!(#by_ref #name));
                }
                Kind::Stored(_) => {
                    passed.push(quote!(#by_ref #name));
                    stored.push(name);
                }
            }
        }
        let context = if states.is_empty() { local("_context") } else { context };
        let owner = self.home.map(|home| {
            let self_ty = &home.self_ty;
            quote!(<#self_ty as __DurableFunction>::)
        });
        let awaited = (!self.signature.blocking).then(|| quote!(.await));
        let future = quote_spanned! { ident.span().resolved_at(Span::mixed_site()) =>
            ::std::boxed::Box::pin(async move {
                let (#(#stored,)*) = #args;
                #owner #ident(#(#passed),*)#awaited
            })
        };
        quote! {
            fn run(
                #args: Self::Args,
                #context: &#p::ActivityContext,
            ) -> ::core::result::Result<#p::AttemptFuture<Self::Output>, #p::MissingState> {
                #(#states)*
                ::core::result::Result::Ok(#future)
            }
        }
    }

    /// The type of the output decides, by the traits that method lookup finds for it.
    fn verdict(&self) -> TokenStream {
        let p = &self.private;
        let (mut output, error) = (local("output"), local("error"));
        let refused = self.options.no_retry.as_ref().map(|no_retry| {
            // rustc shows an output that is no `Result` at the argument: it stands where the pattern stands.
            output = Ident::new("durable_output", no_retry.span());
            let matches = no_retry.matches(&error);
            quote! {
                && !#p::fallible(#output).is_some_and(|#error| #matches)
            }
        });
        quote! {
            fn verdict(#output: &Self::Output) -> #p::Verdict {
                #[allow(unused_imports)]
                use #p::{
                    HasHint as _, HasNoHint as _, ReturnsResult as _, ReturnsValue as _, ShowsDebug as _,
                    ShowsDisplay as _, ShowsNothing as _,
                };
                let kind = (&&#p::OutputKind::<Self::Output>::new()).kind();
                match kind.failure(#output) {
                    ::core::option::Option::None => #p::Verdict::Done,
                    ::core::option::Option::Some(#error) => {
                        let message = (&&&#p::Probe(#error)).message();
                        let (retryable, retry_after) = (&&#p::Probe(#error)).hint();
                        let retryable = retryable #refused;
                        #p::Verdict::Failed { message, retryable, retry_after }
                    }
                }
            }
        }
    }

    fn call_error(&self) -> TokenStream {
        let p = &self.private;
        // rustc shows a missing `From<CallError>` at this expression: it stands where the user's type stands.
        let convert = quote_spanned! { self.signature.output.span() =>
            durable_kind.from_call_error(durable_error)
        };
        let kind = Ident::new("durable_kind", self.signature.output.span());
        let error = Ident::new("durable_error", self.signature.output.span());
        quote! {
            fn from_call_error(#error: #p::CallError) -> ::core::option::Option<Self::Output> {
                #[allow(unused_imports)]
                use #p::{ReturnsResult as _, ReturnsValue as _};
                let #kind = (&&#p::OutputKind::<Self::Output>::new()).kind();
                #convert
            }
        }
    }
}

/// Attributes of the function that others see: what documents it, what removes it, and the lint
/// levels, which hold for everything inside. All others (`instrument`, ..) are the user's function's.
fn is_outer(attr: &Attribute) -> bool {
    if !attr.path().is_ident("cfg_attr") {
        return is_outer_path(attr.path());
    }
    let metas = attr.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
    metas.is_ok_and(|metas| metas.iter().skip(1).all(|meta| is_outer_path(meta.path())))
}

fn is_outer_path(path: &Path) -> bool {
    ["doc", "cfg", "deprecated", "allow", "warn", "deny", "forbid", "expect"]
        .iter()
        .any(|name| path.is_ident(name))
}

/// A name that the user's code can't see.
fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// `r#type` is stored as `type`.
fn plain_name(ident: &Ident) -> String {
    use syn::ext::IdentExt;
    ident.unraw().to_string()
}

fn option<T>(value: Option<T>, literal: impl Fn(T) -> Literal) -> TokenStream {
    value.map(literal).map_or_else(
        || quote!(::core::option::Option::None),
        |literal| quote!(::core::option::Option::Some(#literal)),
    )
}
