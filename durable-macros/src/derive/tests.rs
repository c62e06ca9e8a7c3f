//! What is derived, and what is refused.

use super::{Kind, expand};
use proc_macro2::TokenStream;

fn tokens(text: &str) -> TokenStream {
    text.parse().expect("tokens")
}

fn derived(kind: Kind, item: &str) -> String {
    expand(kind, tokens(item)).to_string()
}

#[test]
fn the_name_is_the_types_own() {
    for (kind, item, expected) in [
        (
            Kind::Signal,
            "struct Approve { by: String }",
            "#[automatically_derived] impl ::durable::__private::Signal for Approve { const NAME: &'static str = \"Approve\"; } ::durable::__private::inventory::submit! { ::durable::__private::Registration::Message(|| { use ::durable::__private::NoMessage as _; ::durable::__private::MessageType::<Approve>::signal() }) }",
        ),
        (
            Kind::Signal,
            "#[signal(name = \"ok\", crate = crate::engine)] struct r#type;",
            "#[automatically_derived] impl crate::engine::__private::Signal for r#type { const NAME: &'static str = \"ok\"; } crate::engine::__private::inventory::submit! { crate::engine::__private::Registration::Message(|| { use crate::engine::__private::NoMessage as _; crate::engine::__private::MessageType::<r#type>::signal() }) }",
        ),
        (
            Kind::Publish,
            "#[serde(rename = \"x\")] enum r#Progress { None }",
            "#[automatically_derived] impl ::durable::__private::Publish for r#Progress { const NAME: &'static str = \"Progress\"; } ::durable::__private::inventory::submit! { ::durable::__private::Registration::Published(|| { use ::durable::__private::NoMessage as _; ::durable::__private::MessageType::<r#Progress>::publish() }) }",
        ),
        (
            Kind::Update,
            "#[signal(what = else)] #[update(output = Result<u64, E>)] struct Add(u64);",
            "#[automatically_derived] impl ::durable::__private::Update for Add { const NAME: &'static str = \"Add\"; type Output = Result<u64, E>; } ::durable::__private::inventory::submit! { ::durable::__private::Registration::Message(|| { use ::durable::__private::NoMessage as _; ::durable::__private::MessageType::<Add>::update() }) }",
        ),
    ] {
        // What space stands in the text depends on whose tokens they are.
        let text = |text: String| text.replace(' ', "");
        assert_eq!(text(derived(kind, item)), text(tokens(expected).to_string()));
    }
}

#[test]
fn mistakes_name_the_rewrite() {
    for (kind, item, expected) in [
        (Kind::Update, "struct Add;", "write `#[update(output = Result<u64, CartError>)]`"),
        (Kind::Update, "#[update(name = \"a\")] struct Add;", "nothing says with what"),
        (Kind::Update, "#[update(output)] struct Add;", "write `output = ..`"),
        (Kind::Update, "#[update(result = u8)] struct Add;", "takes `output`, `name` and `crate`"),
        (Kind::Signal, "#[signal(output = u8)] struct A;", "takes `name` and `crate`"),
        (Kind::Signal, "#[signal] struct A;", "says nothing without arguments"),
        (Kind::Signal, "#[signal(name = \" \")] struct A;", "can't be empty"),
        (Kind::Signal, "#[signal(name = 5)] struct A;", "expected string literal"),
        (Kind::Signal, "struct A<T>(T);", "nothing of parameters"),
        (Kind::Publish, "struct A<'a>(&'a str);", "nothing of parameters"),
        (Kind::Publish, "struct A<const N: usize>;", "nothing of parameters"),
        (Kind::Signal, "union A { b: u8 }", "write an enum"),
    ] {
        let text = derived(kind, item);
        assert!(text.contains(expected), "{item}: {text}");
        assert_eq!(text.matches("compile_error").count(), 1, "{item}: {text}");
    }
}
