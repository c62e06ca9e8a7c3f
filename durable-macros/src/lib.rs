//! The compiler of durable.

use proc_macro::TokenStream;

mod activity;

#[doc = include_str!("activity/attribute.md")]
#[proc_macro_attribute]
pub fn activity(args: TokenStream, item: TokenStream) -> TokenStream {
    activity::expand(args.into(), item.into()).into()
}
