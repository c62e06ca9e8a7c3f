//! Items of inner blocks.
//!
//! All items come to the front of the machine's function, because the pieces of a block stand in different places of its text.
//! There the whole function sees them; so an item of an inner block whose name also occurs outside of that block gets a name of
//! its own. A type keeps its name, which is part of what it shows and stores: then the two are told apart by the user.

use super::Lowerer;
use crate::diagnostics;
use proc_macro2::{Group, Ident, Literal, TokenStream, TokenTree};
use quote::ToTokens;
use std::collections::BTreeMap;
use syn::visit::Visit;
use syn::{Item, LitStr, Stmt, Token, UseTree};

/// An item's name, and whether nobody sees that it is another one.
/// Whether items are declared in a body.
pub(super) fn has_items(block: &syn::Block) -> bool {
    struct Finder(bool);
    impl<'a> Visit<'a> for Finder {
        fn visit_item(&mut self, _: &'a Item) {
            self.0 = true;
        }
    }
    let mut finder = Finder(false);
    finder.visit_block(block);
    finder.0
}

struct Declared {
    ident: Ident,
    free: bool,
}

impl Lowerer {
    /// Gives the items of an inner block names that mean nothing outside of it.
    pub(super) fn distinct_items(&mut self, block: syn::Block) -> syn::Block {
        let mut declared = Vec::new();
        for stmt in &block.stmts {
            if let Stmt::Item(item) = stmt {
                self.declared(item, &mut declared);
            }
        }
        if declared.is_empty() {
            return block;
        }
        let inside = block.to_token_stream();
        let mut names = BTreeMap::new();
        for Declared { ident, free } in declared {
            let name = ident.to_string();
            if mentions(&inside, &name) >= mentions(&self.text, &name) {
                continue;
            }
            if free {
                let fresh = self.fresh(&name);
                names.insert(name, fresh);
            } else {
                let what = format!(
                    "`{name}` means one thing in this inner block, which awaits, and another outside of it"
                );
                let message = diagnostics::refusal(what, "rename one of the two", "unsupported-position");
                self.errors.push(ident.span(), message);
            }
        }
        if names.is_empty() { block } else { self.with_names(block, &names) }
    }

    fn with_names(&mut self, mut block: syn::Block, names: &BTreeMap<String, String>) -> syn::Block {
        for stmt in &mut block.stmts {
            if let Stmt::Item(Item::Use(import)) = stmt {
                import_as(&mut import.tree, names);
            }
        }
        match syn::parse2(renamed(block.to_token_stream(), names, false)) {
            Ok(block) => block,
            Err(error) => {
                self.errors.push_error(error);
                block
            }
        }
    }

    fn fresh(&self, name: &str) -> String {
        let suffix = if name.contains(char::is_lowercase) { "_inner" } else { "_INNER" };
        let stem = name.trim_start_matches("r#");
        let known = |name: &str| {
            mentions(&self.text, name) > 0 || self.function.vars.iter().any(|var| var.ident == name)
        };
        let used =
            |name: &str| self.function.items.iter().any(|item| mentions(&item.to_token_stream(), name) > 0);
        (1..=usize::MAX)
            .map(|n| format!("{stem}{suffix}{n}"))
            .find(|fresh| !known(fresh) && !used(fresh))
            .unwrap_or_default()
    }

    fn declared(&mut self, item: &Item, found: &mut Vec<Declared>) {
        let plain = |attrs: &[syn::Attribute]| {
            attrs.iter().all(|attr| {
                ["doc", "allow", "expect", "cfg", "inline", "cold", "must_use"]
                    .iter()
                    .any(|name| attr.path().is_ident(name))
            })
        };
        let (ident, free) = match item {
            Item::Const(item) if item.ident != "_" => (&item.ident, true),
            Item::Static(item) => (&item.ident, true),
            // An attribute may store the name.
            Item::Fn(item) => (&item.sig.ident, plain(&item.attrs)),
            Item::Type(item) => (&item.ident, true),
            Item::Trait(item) => (&item.ident, plain(&item.attrs)),
            Item::TraitAlias(item) => (&item.ident, true),
            Item::Mod(item) => (&item.ident, true),
            Item::Struct(item) => (&item.ident, false),
            Item::Enum(item) => (&item.ident, false),
            Item::Union(item) => (&item.ident, false),
            Item::Macro(syn::ItemMacro { ident: Some(ident), .. }) => (ident, true),
            Item::Use(item) => return self.imported(&item.tree, None, found),
            _ => return,
        };
        found.push(Declared { ident: ident.clone(), free });
    }

    fn imported(&mut self, tree: &UseTree, parent: Option<&Ident>, found: &mut Vec<Declared>) {
        match tree {
            UseTree::Path(path) => self.imported(&path.tree, Some(&path.ident), found),
            UseTree::Name(name) => {
                let ident = if name.ident == "self" { parent.unwrap_or(&name.ident) } else { &name.ident };
                found.push(Declared { ident: ident.clone(), free: true });
            }
            UseTree::Rename(rename) if rename.rename == "_" => {}
            UseTree::Rename(rename) => {
                found.push(Declared { ident: rename.rename.clone(), free: true });
            }
            UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.imported(tree, parent, found));
            }
            UseTree::Glob(glob) => {
                // The variants of an enum are told from functions and modules by their spelling.
                if !parent.is_some_and(|parent| parent.to_string().starts_with(char::is_uppercase)) {
                    self.errors.push(glob.star_token.spans[0], diagnostics::GLOB_IN_BLOCK);
                }
            }
        }
    }
}

/// `use a::b;` becomes `use a::b as other;`.
fn import_as(tree: &mut UseTree, names: &BTreeMap<String, String>) {
    match tree {
        UseTree::Path(path) => {
            if let UseTree::Name(name) = &*path.tree
                && name.ident == "self"
                && let Some(other) = names.get(&path.ident.to_string())
            {
                let rename = Ident::new(other, path.ident.span());
                let ident = name.ident.clone();
                *path.tree = UseTree::Rename(syn::UseRename {
                    ident,
                    as_token: Token![as](proc_macro2::Span::call_site()),
                    rename,
                });
                return;
            }
            import_as(&mut path.tree, names);
        }
        UseTree::Name(name) => {
            if let Some(other) = names.get(&name.ident.to_string()) {
                let (ident, rename) = (name.ident.clone(), Ident::new(other, name.ident.span()));
                *tree = UseTree::Rename(syn::UseRename {
                    ident,
                    as_token: Token![as](proc_macro2::Span::call_site()),
                    rename,
                });
            }
        }
        UseTree::Rename(_) | UseTree::Glob(_) => {}
        UseTree::Group(group) => group.items.iter_mut().for_each(|tree| import_as(tree, names)),
    }
}

fn is_punct(tree: Option<&TokenTree>, wanted: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// How often a name occurs, as an identifier or in a format string.
fn mentions(tokens: &TokenStream, name: &str) -> usize {
    let captured = |text: &str| {
        text.matches(&format!("{{{name}}}")).count() + text.matches(&format!("{{{name}:")).count()
    };
    let mut count = 0;
    for tree in tokens.clone() {
        count += match tree {
            TokenTree::Ident(ident) => usize::from(ident == name),
            TokenTree::Group(group) => mentions(&group.stream(), name),
            TokenTree::Literal(literal) => captured(&literal.to_string()),
            TokenTree::Punct(_) => 0,
        };
    }
    count
}

/// Renames what may be an item: not a field, a method, an argument's name or the tail of a path. Variables are markers by now.
fn renamed(tokens: TokenStream, names: &BTreeMap<String, String>, in_macro: bool) -> TokenStream {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    let mut result = TokenStream::new();
    for (at, tree) in trees.iter().enumerate() {
        let before = |distance: usize| at.checked_sub(distance).and_then(|at| trees.get(at));
        let after = |distance: usize| trees.get(at + distance);
        result.extend([match tree {
            TokenTree::Ident(ident) => {
                let declares = matches!(before(1), Some(TokenTree::Ident(word)) if ["const", "static", "mut", "type"].iter().any(|known| word == known));
                let member = is_punct(before(1), '.') && !is_punct(before(2), '.');
                let tail = is_punct(before(1), ':') && is_punct(before(2), ':');
                let field = is_punct(after(1), ':') && !is_punct(after(2), ':');
                let name = is_punct(after(1), '=') && !is_punct(after(2), '=') && !is_punct(after(2), '>');
                let other = names.get(&ident.to_string());
                let stays = member || tail || is_punct(before(1), '$') || ((field || name) && !declares);
                match other {
                    Some(other) if !stays => Ident::new(other, ident.span()).into(),
                    _ => ident.clone().into(),
                }
            }
            TokenTree::Group(group) => {
                let in_macro = in_macro
                    || (is_punct(before(1), '!') && matches!(before(2), Some(TokenTree::Ident(_))));
                let mut copy = Group::new(group.delimiter(), renamed(group.stream(), names, in_macro));
                copy.set_span(group.span());
                copy.into()
            }
            TokenTree::Literal(literal) if in_macro => captured_as(literal, names).into(),
            other => other.clone(),
        }]);
    }
    result
}

/// A format string may mention a constant.
fn captured_as(literal: &Literal, names: &BTreeMap<String, String>) -> Literal {
    let Ok(text) = syn::parse2::<LitStr>(literal.to_token_stream()) else {
        return literal.clone();
    };
    let text = text.value();
    // `{{` is no capture.
    let pieces: Vec<String> = text
        .split("{{")
        .map(|piece| {
            let mut piece = piece.to_owned();
            for (name, other) in names {
                for end in ['}', ':'] {
                    piece = piece.replace(&format!("{{{name}{end}"), &format!("{{{other}{end}"));
                }
            }
            piece
        })
        .collect();
    let value = pieces.join("{{");
    if value == text {
        return literal.clone();
    }
    let mut copy = Literal::string(&value);
    copy.set_span(literal.span());
    copy
}
