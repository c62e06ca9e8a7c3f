//! What a macro mentions. The standard macros are parsed for their real uses; of an unknown macro every identifier that names
//! a variable counts as a use, which keeps too much rather than too little.

use super::{Name, Resolver};
use crate::diagnostics;
use crate::ir::{CAPTURE, marker};
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use std::collections::BTreeSet;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::visit_mut::VisitMut;
use syn::{Expr, Lit, Macro, Pat, Token};

/// Macros whose arguments are expressions, of which a string literal is a format string.
const FORMATTED: &[&str] = &[
    "format",
    "print",
    "println",
    "eprint",
    "eprintln",
    "write",
    "writeln",
    "panic",
    "assert",
    "assert_eq",
    "assert_ne",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "todo",
    "unimplemented",
    "unreachable",
    "format_args",
    "anyhow",
    "bail",
    "ensure",
    "dbg",
];

/// A name in a format string, and the string's place.
type Captured = Vec<(String, Span)>;

impl Resolver {
    /// Turns the mentions inside a macro into markers.
    pub(super) fn rewrite_macro(&mut self, mac: &mut Macro) {
        if !self.refuse_macro(&mac.path)
            && let Some(span) = find_await(&mac.tokens).or_else(|| crate::select::find(&mac.tokens))
        {
            self.errors.push(span, diagnostics::AWAIT_IN_MACRO);
        }
        let name = mac.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let parsed = match name.as_str() {
            name if FORMATTED.contains(&name) => self.formatted(mac),
            "vec" => self.vec(mac),
            "matches" => self.matches(mac),
            _ => None,
        };
        mac.tokens = parsed.unwrap_or_else(|| {
            let mut captured = Captured::new();
            let tokens = self.rewrite_tokens(mac.tokens.clone(), &mut captured);
            self.append_captures(tokens, captured)
        });
    }

    /// Refuses a `macro_rules!` that mentions a variable of the function: its calls would not show that they need it.
    pub(super) fn refuse_locals(&mut self, rules: &TokenStream) {
        let trees: Vec<TokenTree> = rules.clone().into_iter().collect();
        let mut own = BTreeSet::new();
        for (at, tree) in trees.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| trees.get(at));
            match tree {
                TokenTree::Ident(ident) => {
                    let is = |word: &str| matches!(before, Some(TokenTree::Ident(ident)) if ident == word);
                    let name = ident.to_string();
                    if is("let") || is("mut") || is("for") || is("fn") || is("ref") {
                        own.insert(name);
                        continue;
                    }
                    let part = matches!(before, Some(TokenTree::Punct(punct)) if ['$', '.', ':', '|'].contains(&punct.as_char()));
                    if !part && !own.contains(&name) && self.lookup(&Name::of(ident)).is_some() {
                        self.errors.push(ident.span(), diagnostics::MACRO_OVER_LOCAL);
                    }
                }
                TokenTree::Group(group) => self.refuse_locals(&group.stream()),
                _ => {}
            }
        }
    }

    fn formatted(&mut self, mac: &Macro) -> Option<TokenStream> {
        let mut args = Punctuated::<Argument, Token![,]>::parse_terminated.parse2(mac.tokens.clone()).ok()?;
        let named: BTreeSet<String> =
            args.iter().filter_map(|arg| Some(arg.name.as_ref()?.to_string())).collect();
        let mut captured = Captured::new();
        for arg in &mut args {
            if let Expr::Lit(literal) = &arg.value
                && let Lit::Str(text) = &literal.lit
            {
                captured.extend(captures(&text.value()).into_iter().map(|name| (name, text.span())));
            }
            self.visit_expr_mut(&mut arg.value);
        }
        captured.retain(|(name, _)| !named.contains(name));
        Some(self.append_captures(args.to_token_stream(), captured))
    }

    /// Gives a format string its captured variables as arguments, because they may be renamed.
    fn append_captures(&mut self, mut tokens: TokenStream, captured: Captured) -> TokenStream {
        let mut comma = !tokens.is_empty() && !ends_with_comma(&tokens);
        let mut seen = BTreeSet::new();
        for (name, span) in captured {
            let (Some(var), Ok(mut original)) =
                (self.lookup(&Name::new(name.clone(), span)), syn::parse_str::<Ident>(&name))
            else {
                continue;
            };
            if !seen.insert(var) {
                continue;
            }
            original.set_span(span);
            let (tag, marker) = (Ident::new(CAPTURE, span), marker(var, span));
            let lead = comma.then(|| quote!(,));
            comma = true;
            tokens.extend(quote!(#tag (#lead #original = #marker)));
        }
        tokens
    }

    fn vec(&mut self, mac: &Macro) -> Option<TokenStream> {
        let parse_repeat = |input: ParseStream<'_>| -> syn::Result<(Expr, Expr)> {
            let value = input.parse()?;
            input.parse::<Token![;]>()?;
            Ok((value, input.parse()?))
        };
        if let Ok((mut value, mut len)) = parse_repeat.parse2(mac.tokens.clone()) {
            self.visit_expr_mut(&mut value);
            self.visit_expr_mut(&mut len);
            return Some(quote!(#value; #len));
        }
        let mut values = Punctuated::<Expr, Token![,]>::parse_terminated.parse2(mac.tokens.clone()).ok()?;
        values.iter_mut().for_each(|value| self.visit_expr_mut(value));
        Some(values.to_token_stream())
    }

    fn matches(&mut self, mac: &Macro) -> Option<TokenStream> {
        let parser = |input: ParseStream<'_>| -> syn::Result<(Expr, Pat, Option<Expr>)> {
            let value = input.parse()?;
            input.parse::<Token![,]>()?;
            let pat = Pat::parse_multi_with_leading_vert(input)?;
            let guard =
                if input.parse::<Option<Token![if]>>()?.is_some() { Some(input.parse()?) } else { None };
            input.parse::<Option<Token![,]>>()?;
            Ok((value, pat, guard))
        };
        let (mut value, mut pat, mut guard) = parser.parse2(mac.tokens.clone()).ok()?;
        self.visit_expr_mut(&mut value);
        self.scoped(|this| {
            this.bind(&mut pat);
            if let Some(guard) = &mut guard {
                this.visit_expr_mut(guard);
            }
        });
        let guard = guard.map(|guard| quote!(if #guard));
        Some(quote!(#value, #pat #guard))
    }

    /// Marks every identifier that may be a variable: not behind a `.`, not a field's or an argument's name, not in a path.
    fn rewrite_tokens(&mut self, tokens: TokenStream, captured: &mut Captured) -> TokenStream {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let punct = |index: Option<usize>, wanted: char| {
            let tree = index.and_then(|index| trees.get(index));
            matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
        };
        let mut result = TokenStream::new();
        for (at, tree) in trees.iter().enumerate() {
            let before = |distance: usize| at.checked_sub(distance);
            let after = |distance: usize| Some(at + distance);
            match tree {
                TokenTree::Ident(ident) => {
                    let member = punct(before(1), '.') && !punct(before(2), '.');
                    let path = (punct(before(1), ':') && punct(before(2), ':')) || punct(after(1), ':');
                    let name = punct(after(1), '=') && !punct(after(2), '=') && !punct(after(2), '>');
                    let mut ident = ident.clone();
                    if !member && !path && !name {
                        self.mention(&mut ident);
                    }
                    result.extend([TokenTree::Ident(ident)]);
                }
                TokenTree::Group(group) => {
                    let mut copy =
                        Group::new(group.delimiter(), self.rewrite_tokens(group.stream(), captured));
                    copy.set_span(group.span());
                    result.extend([TokenTree::Group(copy)]);
                }
                TokenTree::Literal(literal) => {
                    if let Ok(text) = syn::parse2::<syn::LitStr>(literal.to_token_stream()) {
                        captured
                            .extend(captures(&text.value()).into_iter().map(|name| (name, literal.span())));
                    }
                    result.extend([tree.clone()]);
                }
                TokenTree::Punct(_) => result.extend([tree.clone()]),
            }
        }
        result
    }
}

/// `name = value` or `value`.
struct Argument {
    name: Option<Ident>,
    value: Expr,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(syn::Ident) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
            let name = input.parse()?;
            input.parse::<Token![=]>()?;
            return Ok(Self { name: Some(name), value: input.parse()? });
        }
        Ok(Self { name: None, value: input.parse()? })
    }
}

impl ToTokens for Argument {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        if let Some(name) = &self.name {
            tokens.extend(quote!(#name =));
        }
        self.value.to_tokens(tokens);
    }
}

fn ends_with_comma(tokens: &TokenStream) -> bool {
    matches!(tokens.clone().into_iter().last(), Some(TokenTree::Punct(punct)) if punct.as_char() == ',')
}

pub(super) fn find_await(tokens: &TokenStream) -> Option<Span> {
    let mut dot = false;
    for tree in tokens.clone() {
        match &tree {
            TokenTree::Ident(ident) if dot && ident == "await" => return Some(ident.span()),
            TokenTree::Group(group) => {
                if let Some(found) = find_await(&group.stream()) {
                    return Some(found);
                }
            }
            _ => {}
        }
        dot = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '.');
    }
    None
}

/// The names that a format string captures: `{total}`, `{x:?}`, `{:w$}`, `{x:.p$}`.
fn captures(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let text = text.replace("{{", "");
    for inside in text.split('{').skip(1) {
        let Some((inside, _)) = inside.split_once('}') else {
            continue;
        };
        let (name, spec) = inside.split_once(':').unwrap_or((inside, ""));
        found.push(name.trim().to_owned());
        let mut widths: Vec<&str> = spec.split('$').collect();
        widths.pop();
        for width in widths {
            let name = width.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
            found.push(name.trim_start_matches('0').to_owned());
        }
    }
    found.retain(|name| name.starts_with(|c: char| c.is_alphabetic() || c == '_'));
    found
}

#[cfg(test)]
mod tests {
    use super::captures;

    #[test]
    fn captured_names() {
        for (text, names) in [
            ("{total}", &["total"][..]),
            ("{x:?} {y:#?}", &["x", "y"]),
            ("{} {0} {{escaped}}", &[]),
            ("{:w$}", &["w"]),
            ("{x:>w$.p$}", &["x", "w", "p"]),
            ("{ x }", &["x"]),
            ("{broken", &[]),
        ] {
            assert_eq!(captures(text), names, "{text}");
        }
    }
}
