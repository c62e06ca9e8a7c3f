//! Text that is put together token by token.
//!
//! What `quote!` inserts as a stream is joined to its result by a call to rustc, and so is each group. The macros are not optimised in a user's build, so
//! for what stands at each resume point that is a good part of the time that an expansion takes.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream};
use quote::{ToTokens, TokenStreamExt};
use syn::Lifetime;

pub(super) fn word(out: &mut TokenStream, text: &str) {
    out.append(Ident::new(text, Span::call_site()));
}

pub(super) fn punct(out: &mut TokenStream, char: char) {
    out.append(Punct::new(char, Spacing::Alone));
}

/// `{ text }`
pub(super) fn braces(out: &mut TokenStream, text: TokenStream) {
    out.append(Group::new(Delimiter::Brace, text));
}

/// `'label: { text }`
pub(super) fn labelled(out: &mut TokenStream, label: &Lifetime, text: TokenStream) {
    label.to_tokens(out);
    punct(out, ':');
    braces(out, text);
}

/// `let name =`
pub(super) fn binding(out: &mut TokenStream, name: &Ident) {
    word(out, "let");
    out.append(name.clone());
    punct(out, '=');
}

/// `break 'label;`
pub(super) fn leave(out: &mut TokenStream, label: &Lifetime) {
    word(out, "break");
    label.to_tokens(out);
    punct(out, ';');
}

/// `krate::name`
pub(super) fn path(out: &mut TokenStream, krate: Ident, name: &str) {
    out.append(krate);
    out.append(Punct::new(':', Spacing::Joint));
    punct(out, ':');
    word(out, name);
}
