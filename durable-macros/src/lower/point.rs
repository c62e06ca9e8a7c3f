//! Awaits, and the identity of the resume points they become.

use super::Lowerer;
use crate::ir::{Function, Point, Stmt, VarKind, marked, path_expr, poll_expr};
use crate::spans::asked_at;
use proc_macro2::{Delimiter, Ident, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::HashMap;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Expr, Pat};

/// Where in the user's structure the lowering stands: `for/if.then/match.2`. Ordinals count per kind among the siblings that
/// hold a resume point, so that code without one moves nothing.
#[derive(Default)]
pub(super) struct Path {
    segments: Vec<String>,
    counts: Vec<HashMap<&'static str, usize>>,
    top: HashMap<&'static str, usize>,
}

impl Path {
    /// Counts a construct of this kind and names it.
    pub(super) fn enter(&mut self, kind: &'static str) -> String {
        let count = self.counts.last_mut().unwrap_or(&mut self.top).entry(kind).or_default();
        *count += 1;
        if *count == 1 { kind.to_owned() } else { format!("{kind}#{count}") }
    }

    pub(super) fn push(&mut self, segment: String) {
        self.segments.push(segment);
        self.counts.push(HashMap::new());
    }

    pub(super) fn pop(&mut self) {
        self.segments.pop();
        self.counts.pop();
    }
}

/// Whether an expression awaits in the workflow itself.
pub(super) fn has_await(expr: &Expr) -> bool {
    let mut finder = AwaitFinder(false);
    finder.visit_expr(expr);
    finder.0
}

/// The same for a block.
pub(super) fn block_has_await(block: &syn::Block) -> bool {
    let mut finder = AwaitFinder(false);
    finder.visit_block(block);
    finder.0
}

struct AwaitFinder(bool);

impl<'a> Visit<'a> for AwaitFinder {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Await(_) => self.0 = true,
            Expr::Closure(_) | Expr::Async(_) => {}
            _ if self.0 => {}
            _ => visit::visit_expr(self, expr),
        }
    }

    fn visit_item(&mut self, _: &'a syn::Item) {}
}

impl Lowerer {
    /// Ends the block with the future's creation and begins the resume point that polls it.
    pub(super) fn await_expr(&mut self, awaited: syn::ExprAwait) -> Expr {
        let (callee, args) = callee(&self.function, &awaited.base);
        let (name, was) = self.resume.take().map_or((None, None), |resume| (resume.name, resume.was));
        let span = awaited.await_token.span;
        let place = awaited.base.span();
        let base = self.operand(*awaited.base);
        let Some(_) = self.current else { return base };
        let number = self.function.points.len();
        // At the `await`: an editor that asks what stands at the called name finds nothing but that.
        let own = asked_at(span);
        let ident = Ident::new(&format!("__future_{}", number + 1), own);
        let future = self.function.new_var(VarKind::Future, ident, callee.clone());
        self.function.vars[future].decl = self.current;
        let value = Expr::Call(syn::ExprCall {
            attrs: Vec::new(),
            func: Box::new(path_expr([Ident::new("__p", own), Ident::new("into_durable", own)])),
            paren_token: syn::token::Paren(own),
            args: std::iter::once(base).collect(),
        });
        self.push(Stmt::Set(future, Box::new(value)));
        let block = self.new_block();
        self.function.blocks[block].point = Some(number);
        self.function.points.push(Point {
            block,
            future,
            span: place,
            name,
            was,
            callee,
            path: self.path.segments.join("/"),
            binding: self.binding.clone(),
            args,
        });
        self.goto(block);
        self.start(block);
        poll_expr(number, span)
    }
}

/// What is awaited and with which arguments: `charge(&id, 5).retry(policy)` is a call of `charge`.
fn callee(function: &Function, expr: &Expr) -> (String, String) {
    match expr {
        Expr::Paren(inner) => callee(function, &inner.expr),
        Expr::Group(inner) => callee(function, &inner.expr),
        Expr::Call(call) => match &*call.func {
            Expr::Path(path) => {
                if let Some(operations) = crate::select::operations(call) {
                    let shown = operations.iter().map(|one| normalised(function, one.to_token_stream()));
                    return ("select!".to_owned(), shown.collect::<Vec<_>>().join(" , "));
                }
                let name = path.path.segments.last().map(|segment| called(function, segment));
                (name.unwrap_or_default(), normalised(function, call.args.to_token_stream()))
            }
            other => callee(function, other),
        },
        Expr::MethodCall(call) => {
            let (root, args) = callee(function, &call.receiver);
            if matches!(root_of(&call.receiver), Expr::Call(_)) {
                (root, args)
            } else {
                (call.method.to_string(), normalised(function, expr.to_token_stream()))
            }
        }
        Expr::Path(path) => {
            let name = path.path.segments.last().map(|segment| user_name(function, &segment.ident));
            (name.unwrap_or_default(), String::new())
        }
        Expr::Field(field) => (field.member.to_token_stream().to_string(), String::new()),
        Expr::Macro(mac) => {
            let name = mac.mac.path.segments.last().map(|segment| segment.ident.to_string());
            (name.unwrap_or_default(), normalised(function, mac.mac.tokens.clone()))
        }
        other => (String::new(), normalised(function, other.to_token_stream())),
    }
}

/// A function by its name and the types that it is called with: `recv::<Approve>`.
fn called(function: &Function, segment: &syn::PathSegment) -> String {
    let name = user_name(function, &segment.ident);
    let types = normalised(function, segment.arguments.to_token_stream());
    name + &types.replace(", ", ",").replace(' ', "").replace(',', ", ")
}

/// What is awaited by the `select!` whose `match` this is the scrutinee of, branch by branch.
pub(super) fn selected(function: &Function, scrutinee: &Expr) -> Option<Vec<String>> {
    struct Finder<'f>(&'f Function, Option<Vec<String>>);
    impl<'a> Visit<'a> for Finder<'_> {
        fn visit_expr_call(&mut self, call: &'a syn::ExprCall) {
            match crate::select::operations(call) {
                Some(operations) if !operations.is_empty() => {
                    let callees = operations.into_iter().map(|one| callee(self.0, one).0);
                    self.1.get_or_insert(callees.collect());
                }
                _ => visit::visit_expr_call(self, call),
            }
        }
    }
    // Only what `select!` was written out as; another `match` may hold one in its scrutinee.
    let Expr::Call(end) = scrutinee else { return None };
    let Expr::Path(function_path) = &*end.func else { return None };
    if function_path.path.segments.first()?.ident != "__p" {
        return None;
    }
    let mut finder = Finder(function, None);
    finder.visit_expr(scrutinee);
    finder.1
}

/// What a pattern matches, without what it binds: `Card` for `Kind::Card { number, .. }`, `_` for anything.
pub(super) fn matched(function: &Function, pat: &Pat) -> String {
    struct Finder<'f>(&'f Function, Vec<String>);
    impl<'a> Visit<'a> for Finder<'_> {
        fn visit_pat(&mut self, pat: &'a Pat) {
            let name = |path: &'a syn::Path| path.segments.last().map(|segment| segment.ident.to_string());
            self.1.extend(match pat {
                Pat::TupleStruct(pat) => name(&pat.path),
                Pat::Struct(pat) => name(&pat.path),
                Pat::Path(pat) => name(&pat.path),
                Pat::Ident(pat) if marked(&pat.ident).is_none() => Some(pat.ident.to_string()),
                Pat::Lit(pat) => Some(normalised(self.0, pat.to_token_stream())),
                Pat::Range(pat) => Some(normalised(self.0, pat.to_token_stream()).replace(' ', "")),
                _ => None,
            });
            visit::visit_pat(self, pat);
        }
    }
    let mut finder = Finder(function, Vec::new());
    finder.visit_pat(pat);
    if finder.1.is_empty() { "_".to_owned() } else { finder.1.join(" ") }
}

/// The receiver at the bottom of a method chain.
fn root_of(expr: &Expr) -> &Expr {
    match expr {
        Expr::MethodCall(call) => root_of(&call.receiver),
        Expr::Paren(inner) => root_of(&inner.expr),
        Expr::Group(inner) => root_of(&inner.expr),
        other => other,
    }
}

fn user_name(function: &Function, ident: &Ident) -> String {
    marked(ident).map_or_else(|| ident.to_string(), |var| function.vars[var].stored_name.clone())
}

/// Tokens as a user would write them, for a message.
pub(super) fn shown(function: &Function, tokens: TokenStream) -> String {
    let mut text = normalised(function, tokens);
    for (from, to) in [
        (" . ", "."),
        ("& ", "&"),
        ("&mut ", "&mut "),
        (" [ ", "["),
        (" ]", "]"),
        (" ( ", "("),
        ("( ", "("),
        (" )", ")"),
        (" ,", ","),
        (" ..", ".."),
        (".. ", ".."),
        (" :: ", "::"),
        (" ?", "?"),
        ("* ", "*"),
        (" !", "!"),
    ] {
        text = text.replace(from, to);
    }
    // `|x| ..`
    while let Some(at) = text.find("(| ") {
        text.replace_range(at..at + 3, "(|");
        if let Some(end) = text[at + 2..].find(" | ") {
            text.replace_range(at + 2 + end..at + 3 + end, "");
        }
    }
    text
}

/// Tokens as text, with the user's names and single spaces.
fn normalised(function: &Function, tokens: TokenStream) -> String {
    normalised_with(tokens, false, &|ident| user_name(function, ident))
}

/// Tokens as words between single spaces; what a format string captures is written by itself or in brackets behind it.
pub(crate) fn normalised_with(
    tokens: TokenStream,
    captures: bool,
    name: &dyn Fn(&Ident) -> String,
) -> String {
    let mut words = Vec::new();
    write_words(tokens, captures, name, &mut words);
    words.retain(|word| !word.is_empty());
    words.join(" ")
}

fn write_words(
    tokens: TokenStream,
    captures: bool,
    name: &dyn Fn(&Ident) -> String,
    words: &mut Vec<String>,
) {
    let mut seen = false;
    let mut joint = false;
    for tree in tokens {
        match tree {
            TokenTree::Ident(ident) if ident == crate::ir::CAPTURE => seen = true,
            TokenTree::Group(_) if seen && !captures => seen = false,
            TokenTree::Ident(ident) => words.push(name(&ident)),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    _ if std::mem::take(&mut seen) => ("[", "]"),
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                words.push(open.to_owned());
                write_words(group.stream(), captures, name, words);
                words.push(close.to_owned());
            }
            TokenTree::Punct(punct) => {
                match words.last_mut() {
                    Some(last) if joint => last.push(punct.as_char()),
                    _ => words.push(punct.to_string()),
                }
                joint = punct.spacing() == Spacing::Joint;
                continue;
            }
            TokenTree::Literal(literal) => words.push(literal.to_string()),
        }
        joint = false;
    }
}
