//! From markers to names.

use crate::ir::{CAPTURE, Function, LoopId, VarId, VarKind, marked};
use crate::resolve::Names;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The emitted name of each variable.
pub(crate) struct Naming {
    idents: Vec<Ident>,
}

impl Naming {
    /// Gives every variable of a scope that was taken apart a name of its own; all others keep theirs.
    pub(crate) fn new(function: &Function, names: &Names) -> Self {
        let mut taken: BTreeSet<String> = names.all.clone();
        let mut bindings: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for var in function.vars.iter().filter(|var| var.kind == VarKind::User) {
            let entry = bindings.entry(var.ident.to_string()).or_default();
            entry.0 += 1;
            entry.1 += usize::from(var.flattened);
        }
        let mut seen = BTreeSet::new();
        let mut idents = Vec::new();
        for var in &function.vars {
            let name = var.ident.to_string();
            let (all, flat) = bindings.get(&name).copied().unwrap_or_default();
            let keeps = var.kind != VarKind::User
                || !var.flattened
                || (all == flat && !names.free.contains(&name) && seen.insert(name.clone()));
            let mut ident = var.ident.clone();
            if !keeps || (var.kind != VarKind::User && names.all.contains(&name)) {
                let stem = name.trim_start_matches("r#");
                let fresh = (2..=usize::MAX)
                    .map(|n| format!("{stem}_{n}"))
                    .find(|fresh| !taken.contains(fresh))
                    .unwrap_or(name);
                taken.insert(fresh.clone());
                ident = Ident::new(&fresh, var.ident.span());
            }
            idents.push(ident);
        }
        Self { idents }
    }

    /// The variable's name, at the place where its marker stands.
    pub(crate) fn at(
        &self,
        function: &Function,
        var: VarId,
        instance: Option<LoopId>,
        span: Option<Span>,
    ) -> Ident {
        let mut ident = self.idents[var].clone();
        if let Some(id) = instance {
            return Ident::new(
                &format!("__{}_in_{id}", ident.to_string().trim_start_matches("r#")),
                Span::mixed_site(),
            );
        }
        if function.vars[var].kind == VarKind::User
            && let Some(span) = span
        {
            ident.set_span(span);
        }
        ident
    }
}

/// What stands for the placeholders and markers in a piece of syntax.
pub(crate) trait Render {
    /// The name of a variable here.
    fn name(&self, var: VarId, span: Option<Span>) -> Ident;
    /// The tokens of a placeholder of this name; `None` if it is none.
    fn expand(&self, placeholder: &str, argument: &TokenStream, span: Span) -> Option<TokenStream>;

    /// Rewrites tokens.
    fn render(&self, tokens: TokenStream) -> TokenStream {
        let mut result = TokenStream::new();
        let mut trees = tokens.into_iter().peekable();
        while let Some(tree) = trees.next() {
            match tree {
                TokenTree::Group(group) => {
                    let mut copy = Group::new(group.delimiter(), self.render(group.stream()));
                    copy.set_span(group.span());
                    result.extend([TokenTree::Group(copy)]);
                }
                TokenTree::Ident(ident) => {
                    if let Some(var) = marked(&ident) {
                        result.extend([TokenTree::Ident(self.name(var, Some(ident.span())))]);
                        continue;
                    }
                    let name = ident.to_string();
                    if name == CAPTURE {
                        if let Some(TokenTree::Group(group)) = trees.next() {
                            result.extend(self.capture(&group.stream()));
                        }
                        continue;
                    }
                    if name.starts_with("__durable_")
                        && matches!(trees.peek(), Some(TokenTree::Punct(bang)) if bang.as_char() == '!')
                    {
                        trees.next();
                        let argument = match trees.next() {
                            Some(TokenTree::Group(group)) => group.stream(),
                            _ => TokenStream::new(),
                        };
                        result.extend(self.expand(&name, &argument, ident.span()));
                        continue;
                    }
                    result.extend([TokenTree::Ident(ident)]);
                }
                other => result.extend([other]),
            }
        }
        result
    }

    /// `, name = marker`, or nothing if the variable still has that name.
    fn capture(&self, tokens: &TokenStream) -> TokenStream {
        let mut idents = tokens.clone().into_iter().filter_map(|tree| match tree {
            TokenTree::Ident(ident) => Some(ident),
            _ => None,
        });
        let (Some(original), Some(marker)) = (idents.next(), idents.next()) else {
            return TokenStream::new();
        };
        let Some(var) = marked(&marker) else {
            return TokenStream::new();
        };
        if self.name(var, None) == original { TokenStream::new() } else { self.render(tokens.clone()) }
    }
}

/// The names that variables are stored under.
pub(crate) struct StoredNames<'f> {
    function: &'f Function,
    /// Whether no other variable is stored under a variable's name.
    alone: Vec<bool>,
}

impl<'f> StoredNames<'f> {
    pub(crate) fn of(function: &'f Function) -> Self {
        let mut first: HashMap<&str, VarId> = HashMap::new();
        let mut alone = vec![true; function.vars.len()];
        for (var, info) in function.vars.iter().enumerate() {
            if let Some(other) = first.insert(&info.stored_name, var) {
                (alone[var], alone[other]) = (false, false);
            }
        }
        Self { function, alone }
    }

    /// Those of a point, each once.
    pub(crate) fn of_point(&self, vars: &[VarId]) -> Vec<Cow<'f, str>> {
        let mut shared: Vec<VarId> = vars.iter().copied().filter(|var| !self.alone[*var]).collect();
        shared.sort_unstable();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut numbered = BTreeMap::new();
        for var in shared {
            let name = self.function.vars[var].stored_name.as_str();
            let count = counts.entry(name).or_default();
            *count += 1;
            if *count > 1 {
                numbered.insert(var, format!("{name}#{count}"));
            }
        }
        let name = |var: &VarId| match numbered.remove(var) {
            Some(name) => Cow::Owned(name),
            None => Cow::Borrowed(self.function.vars[*var].stored_name.as_str()),
        };
        vars.iter().map(name).collect()
    }
}
