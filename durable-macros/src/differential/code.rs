//! The text that the compiler emits, read into something that runs fast: names become slots, labels become numbers.
//!
//! Only what the programs and the emitted text use is read; anything else is an error, and a test that fails.

use super::value::{ACTIVITIES, Activity, FIELDS, Tag, Value};
use syn::{Expr, Lit, Pat, Stmt};

/// A piece of the machine.
pub(super) enum Code {
    Const(Value),
    Slot(usize),
    Field(Box<Code>, usize),
    Index(Box<Code>, Box<Code>),
    Deref(Box<Code>),
    Ref(Box<Code>),
    Not(Box<Code>),
    Binary(Binary, Box<Code>, Box<Code>),
    /// `&&` if true, `||` if false.
    Lazy(bool, Box<Code>, Box<Code>),
    Call(Native, Vec<Code>),
    Method(Box<Code>, Native, Vec<Code>),
    Activity(Activity, Vec<Code>),
    Try(Box<Code>),
    Tuple(Vec<Code>),
    Array(Vec<Code>),
    Order(Vec<(usize, Code)>, Option<Box<Code>>),
    Variant(Tag, Vec<Code>),
    /// Statements; the value is the last one's if `valued`.
    Block {
        label: Option<usize>,
        body: Vec<Code>,
        valued: bool,
    },
    Declare(usize),
    Let(Shape, Box<Code>, Option<Box<Code>>),
    Test(Shape, Box<Code>),
    Assign(Box<Code>, Box<Code>),
    Spread(Vec<Code>, Box<Code>),
    Compound(Binary, Box<Code>, Box<Code>),
    If(Box<Code>, Box<Code>, Option<Box<Code>>),
    Match(Box<Code>, Vec<(Shape, Option<Code>, Code)>),
    Matches(Box<Code>, Shape, Option<Box<Code>>),
    Loop(usize, Box<Code>),
    While(usize, Box<Code>, Box<Code>),
    For(usize, Shape, Box<Code>, Box<Code>),
    Break(usize, Option<Box<Code>>),
    Continue(usize),
    Return(Option<Box<Code>>),
    Format(Vec<Code>),
    /// What a resume reads: this many variables.
    Load,
    /// A future, and the point's number.
    Poll(Box<Code>, Box<Code>),
    /// What a point keeps beside its future.
    Keep(Vec<Code>),
    Save,
    /// The number of the point that was polled last.
    Point,
    Suspend,
    Unreachable,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Binary {
    Add,
    Less,
    Equal,
    And,
    Xor,
}

/// What is called by name.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Native {
    Same,
    From,
    Note,
    Tell,
    Add,
    Join,
    Plus,
    Size,
    Nth,
    Push,
    Append,
    Or,
    Clone,
    Iter,
    Rev,
    Enumerate,
    Skip,
    Range,
    Ordered,
    OrderedAt,
    IntoSteps,
    Next,
    Take,
}

const NATIVES: [(&str, Native); 26] = [
    ("into_durable", Native::Same),
    ("from", Native::From),
    ("note", Native::Note),
    ("tell", Native::Tell),
    ("add", Native::Add),
    ("join_texts", Native::Join),
    ("plus", Native::Plus),
    ("size", Native::Size),
    ("nth_or_7", Native::Nth),
    ("push", Native::Push),
    ("append", Native::Append),
    ("unwrap_or", Native::Or),
    ("clone", Native::Clone),
    ("iter", Native::Iter),
    ("iter_mut", Native::Iter),
    ("rev", Native::Rev),
    ("enumerate", Native::Enumerate),
    ("skip", Native::Skip),
    ("ordered", Native::Ordered),
    ("ordered_at", Native::OrderedAt),
    ("listed", Native::Ordered),
    ("listed_at", Native::OrderedAt),
    ("into_steps", Native::IntoSteps),
    ("next_step", Native::Next),
    ("next", Native::Next),
    ("take", Native::Take),
];

/// A pattern.
pub(super) enum Shape {
    Wild,
    Bind { slot: usize, by_ref: bool, inner: Option<Box<Shape>> },
    Tuple(Vec<Shape>),
    Variant(Tag, Vec<(usize, Shape)>),
    Const(Value),
    Range(i64, i64),
    Or(Vec<Shape>),
}

type Read<T> = Result<T, String>;

/// Reads a function's text; `given` are names that stand for the first slots. The number is that of the slots.
pub(super) fn read(block: &syn::Block, given: &[&str]) -> Read<(Code, usize)> {
    let mut reader = Reader { names: Vec::new(), labels: Vec::new(), slots: 0, label_count: 0 };
    for name in given {
        reader.declare((*name).to_owned());
    }
    let code = reader.block(block)?;
    Ok((code, reader.slots))
}

struct Reader {
    names: Vec<(String, usize)>,
    /// The label's name, its number, whether it is a loop's.
    labels: Vec<(Option<String>, usize, bool)>,
    slots: usize,
    label_count: usize,
}

fn refuse<T>(what: &dyn quote::ToTokens) -> Read<T> {
    Err(format!("the harness can't read `{}`", what.to_token_stream()))
}

fn last_name(path: &syn::Path) -> String {
    path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default()
}

fn tag(name: &str) -> Option<Tag> {
    Some(match name {
        "Some" => Tag::Some,
        "None" => Tag::None,
        "Ok" => Tag::Ok,
        "Err" => Tag::Err,
        "Order" => Tag::Order,
        "Ready" => Tag::Ready,
        "Pending" => Tag::Pending,
        _ => return None,
    })
}

fn boxed(code: Code) -> Box<Code> {
    Box::new(code)
}

impl Reader {
    fn declare(&mut self, name: String) -> usize {
        self.names.push((name, self.slots));
        self.slots += 1;
        self.slots - 1
    }

    fn scoped<T>(&mut self, inside: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        let before = self.names.len();
        let result = inside(self);
        self.names.truncate(before);
        result
    }

    fn labelled<T>(
        &mut self,
        label: Option<&syn::Label>,
        is_loop: bool,
        inside: impl FnOnce(&mut Self) -> Read<T>,
    ) -> Read<(usize, T)> {
        let number = self.label_count;
        self.label_count += 1;
        self.labels.push((label.map(|label| label.name.ident.to_string()), number, is_loop));
        let result = inside(self);
        self.labels.pop();
        Ok((number, result?))
    }

    fn target(&self, label: Option<&syn::Lifetime>) -> Read<usize> {
        let found = match label {
            Some(label) => {
                let name = label.ident.to_string();
                self.labels.iter().rev().find(|(other, ..)| other.as_ref() == Some(&name))
            }
            None => self.labels.iter().rev().find(|(.., is_loop)| *is_loop),
        };
        found.map(|(_, number, _)| *number).ok_or_else(|| format!("a jump to the unknown {label:?}"))
    }

    fn block(&mut self, block: &syn::Block) -> Read<Code> {
        self.scoped(|this| {
            let mut body = Vec::new();
            let mut valued = false;
            for (at, stmt) in block.stmts.iter().enumerate() {
                valued = false;
                body.push(match stmt {
                    Stmt::Local(local) => this.local(local)?,
                    Stmt::Expr(expr, semi) => {
                        valued = semi.is_none() && at + 1 == block.stmts.len();
                        this.expr(expr)?
                    }
                    Stmt::Macro(mac) => {
                        valued = mac.semi_token.is_none() && at + 1 == block.stmts.len();
                        this.macro_call(&mac.mac)?
                    }
                    Stmt::Item(item) => return refuse(item),
                });
            }
            Ok(Code::Block { label: None, body, valued })
        })
    }

    fn local(&mut self, local: &syn::Local) -> Read<Code> {
        let pat = match &local.pat {
            Pat::Type(typed) => &*typed.pat,
            pat => pat,
        };
        let Some(init) = &local.init else {
            let Pat::Ident(pat) = pat else { return refuse(pat) };
            return Ok(Code::Declare(self.declare(pat.ident.to_string())));
        };
        let value = self.expr(&init.expr)?;
        let otherwise = match &init.diverge {
            Some((_, diverge)) => Some(boxed(self.expr(diverge)?)),
            None => None,
        };
        let shape = self.pat(pat)?;
        Ok(Code::Let(shape, boxed(value), otherwise))
    }

    // ---- patterns

    fn pat(&mut self, pat: &Pat) -> Read<Shape> {
        let first = self.names.len();
        self.pat_in(pat, first)
    }

    fn pats<'p>(&mut self, pats: impl IntoIterator<Item = &'p Pat>, first: usize) -> Read<Vec<Shape>> {
        pats.into_iter().map(|pat| self.pat_in(pat, first)).collect()
    }

    /// Alternatives of one pattern share their bindings, which stand from `first` on.
    fn pat_in(&mut self, pat: &Pat, first: usize) -> Read<Shape> {
        Ok(match pat {
            Pat::Wild(_) => Shape::Wild,
            Pat::Ident(ident) => {
                let name = ident.ident.to_string();
                if name == "None" {
                    return Ok(Shape::Variant(Tag::None, Vec::new()));
                }
                let known = self.names[first..].iter().find(|(other, _)| *other == name);
                let known = known.map(|(_, slot)| *slot);
                let slot = known.unwrap_or_else(|| self.declare(name));
                let inner = match &ident.subpat {
                    Some((_, inner)) => Some(Box::new(self.pat_in(inner, first)?)),
                    None => None,
                };
                Shape::Bind { slot, by_ref: ident.by_ref.is_some(), inner }
            }
            Pat::Paren(inner) => self.pat_in(&inner.pat, first)?,
            Pat::Type(inner) => self.pat_in(&inner.pat, first)?,
            Pat::Tuple(tuple) => Shape::Tuple(self.pats(&tuple.elems, first)?),
            Pat::Or(or) => Shape::Or(self.pats(&or.cases, first)?),
            Pat::TupleStruct(variant) => {
                let Some(tag) = tag(&last_name(&variant.path)) else { return refuse(pat) };
                Shape::Variant(tag, self.pats(&variant.elems, first)?.into_iter().enumerate().collect())
            }
            Pat::Path(path) => {
                let Some(tag) = tag(&last_name(&path.path)) else { return refuse(pat) };
                Shape::Variant(tag, Vec::new())
            }
            Pat::Struct(order) => {
                let mut fields = Vec::new();
                for field in &order.fields {
                    fields.push((field_index(&field.member)?, self.pat_in(&field.pat, first)?));
                }
                Shape::Variant(Tag::Order, fields)
            }
            Pat::Lit(literal) => Shape::Const(constant(&literal.lit)?),
            Pat::Range(range) => {
                let bound = |part: &Option<Box<Expr>>| match part.as_deref() {
                    Some(Expr::Lit(literal)) => match constant(&literal.lit)? {
                        Value::Int(number) => Ok(number),
                        _ => refuse(pat),
                    },
                    _ => refuse(pat),
                };
                Shape::Range(bound(&range.start)?, bound(&range.end)?)
            }
            other => return refuse(other),
        })
    }

    // ---- expressions

    fn list<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) -> Read<Vec<Code>> {
        exprs.into_iter().map(|expr| self.expr(expr)).collect()
    }

    fn boxed(&mut self, expr: &Expr) -> Read<Box<Code>> {
        Ok(boxed(self.expr(expr)?))
    }

    fn maybe(&mut self, expr: Option<&Expr>) -> Read<Option<Box<Code>>> {
        expr.map(|expr| self.boxed(expr)).transpose()
    }

    fn expr(&mut self, expr: &Expr) -> Read<Code> {
        Ok(match expr {
            Expr::Lit(literal) => Code::Const(constant(&literal.lit)?),
            Expr::Path(path) => {
                let name = last_name(&path.path);
                if let Some(tag) = tag(&name) {
                    return Ok(Code::Variant(tag, Vec::new()));
                }
                let known = self.names.iter().rev().find(|(other, _)| *other == name);
                Code::Slot(known.map(|(_, slot)| *slot).ok_or_else(|| format!("`{name}` is not in scope"))?)
            }
            Expr::Paren(inner) => self.expr(&inner.expr)?,
            Expr::Group(inner) => self.expr(&inner.expr)?,
            Expr::Field(field) => Code::Field(self.boxed(&field.base)?, field_index(&field.member)?),
            Expr::Index(index) => Code::Index(self.boxed(&index.expr)?, self.boxed(&index.index)?),
            Expr::Unary(unary) => match unary.op {
                syn::UnOp::Deref(_) => Code::Deref(self.boxed(&unary.expr)?),
                syn::UnOp::Not(_) => Code::Not(self.boxed(&unary.expr)?),
                _ => return refuse(expr),
            },
            Expr::Reference(reference) => Code::Ref(self.boxed(&reference.expr)?),
            Expr::Cast(cast) => self.expr(&cast.expr)?,
            Expr::Binary(binary) => self.binary(binary)?,
            Expr::Assign(assign) => self.assign(assign)?,
            Expr::Call(call) => self.call(call)?,
            Expr::MethodCall(call) => self.method(call)?,
            Expr::Try(inner) => Code::Try(self.boxed(&inner.expr)?),
            Expr::Tuple(tuple) if tuple.elems.is_empty() => Code::Const(Value::Unit),
            Expr::Tuple(tuple) => Code::Tuple(self.list(&tuple.elems)?),
            Expr::Array(array) => Code::Array(self.list(&array.elems)?),
            Expr::Struct(order) => {
                let mut fields = Vec::new();
                for field in &order.fields {
                    fields.push((field_index(&field.member)?, self.expr(&field.expr)?));
                }
                Code::Order(fields, self.maybe(order.rest.as_deref())?)
            }
            Expr::Range(range) => {
                let (Some(start), Some(end)) = (&range.start, &range.end) else { return refuse(expr) };
                Code::Call(Native::Range, vec![self.expr(start)?, self.expr(end)?])
            }
            Expr::Macro(mac) => self.macro_call(&mac.mac)?,
            Expr::Await(_) => Code::Suspend,
            Expr::Let(test) => {
                let value = self.boxed(&test.expr)?;
                Code::Test(self.pat(&test.pat)?, value)
            }
            control => self.control(control)?,
        })
    }

    fn binary(&mut self, binary: &syn::ExprBinary) -> Read<Code> {
        use syn::BinOp as B;
        let (left, right) = (self.boxed(&binary.left)?, self.boxed(&binary.right)?);
        Ok(match binary.op {
            B::And(_) => Code::Lazy(true, left, right),
            B::Or(_) => Code::Lazy(false, left, right),
            B::Lt(_) => Code::Binary(Binary::Less, left, right),
            B::Eq(_) => Code::Binary(Binary::Equal, left, right),
            B::BitAnd(_) => Code::Binary(Binary::And, left, right),
            B::BitXor(_) => Code::Binary(Binary::Xor, left, right),
            B::BitXorAssign(_) => Code::Compound(Binary::Xor, left, right),
            B::AddAssign(_) => Code::Compound(Binary::Add, left, right),
            _ => return refuse(binary),
        })
    }

    fn assign(&mut self, assign: &syn::ExprAssign) -> Read<Code> {
        if let Expr::Tuple(tuple) = &*assign.left {
            let value = self.boxed(&assign.right)?;
            return Ok(Code::Spread(self.list(&tuple.elems)?, value));
        }
        let value = self.boxed(&assign.right)?;
        Ok(Code::Assign(self.boxed(&assign.left)?, value))
    }

    fn call(&mut self, call: &syn::ExprCall) -> Read<Code> {
        let path = match &*call.func {
            Expr::Path(path) => path,
            // A witness's function.
            Expr::Paren(_) => return Ok(Code::Load),
            _ => return refuse(call),
        };
        let name = last_name(&path.path);
        match name.as_str() {
            "suspend" => return Ok(Code::Suspend),
            "begin" => {
                let future = self.expr(&call.args[0])?;
                return tag("Some")
                    .map_or_else(|| refuse(call), |some| Ok(Code::Variant(some, vec![future])));
            }
            // What asks rustc about types.
            "viewed" => return Ok(Code::Const(Value::Unit)),
            _ if name.starts_with("storable") => return Ok(Code::Const(Value::Unit)),
            _ => {}
        }
        let args = self.list(&call.args)?;
        if let Some(tag) = tag(&name) {
            return Ok(Code::Variant(tag, args));
        }
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        if let Some((activity, _)) = ACTIVITIES.iter().find(|(_, other)| stem != name && *other == stem) {
            return Ok(Code::Activity(*activity, args));
        }
        match NATIVES.iter().find(|(other, _)| *other == name) {
            Some((_, native)) => Ok(Code::Call(*native, args)),
            None => refuse(call),
        }
    }

    fn method(&mut self, call: &syn::ExprMethodCall) -> Read<Code> {
        let name = call.method.to_string();
        match name.as_str() {
            "poll" => return Ok(Code::Poll(self.boxed(&call.args[0])?, self.boxed(&call.args[1])?)),
            "save" => return Ok(Code::Save),
            "point" => return Ok(Code::Point),
            "keep_all" => {
                let Expr::Reference(list) = &call.args[0] else { return refuse(call) };
                let Expr::Array(list) = &*list.expr else { return refuse(call) };
                let vars = list.elems.iter().map(|var| self.referent(var)).collect::<Read<Vec<Code>>>()?;
                return Ok(Code::Keep(vars));
            }
            _ => {}
        }
        let receiver = self.boxed(&call.receiver)?;
        let args = self.list(&call.args)?;
        match NATIVES.iter().find(|(other, _)| *other == name) {
            Some((_, native)) => Ok(Code::Method(receiver, *native, args)),
            None => refuse(call),
        }
    }

    /// What a borrow in the emitted text borrows.
    fn referent(&mut self, expr: &Expr) -> Read<Code> {
        match expr {
            Expr::Reference(reference) => self.expr(&reference.expr),
            other => refuse(other),
        }
    }

    fn macro_call(&mut self, mac: &syn::Macro) -> Read<Code> {
        match last_name(&mac.path).as_str() {
            "unreachable" => Ok(Code::Unreachable),
            "format" => self.format(mac),
            "matches" => {
                let parser = |input: syn::parse::ParseStream<'_>| -> syn::Result<(Expr, Pat, Option<Expr>)> {
                    let value = input.parse()?;
                    input.parse::<syn::Token![,]>()?;
                    let pat = Pat::parse_multi_with_leading_vert(input)?;
                    let guard = input.parse::<Option<syn::Token![if]>>()?;
                    Ok((value, pat, guard.map(|_| input.parse()).transpose()?))
                };
                let parsed = syn::parse::Parser::parse2(parser, mac.tokens.clone());
                let (value, pat, guard) = parsed.map_err(|error| error.to_string())?;
                self.scoped(|this| {
                    let value = this.boxed(&value)?;
                    let shape = this.pat(&pat)?;
                    Ok(Code::Matches(value, shape, this.maybe(guard.as_ref())?))
                })
            }
            _ => refuse(mac),
        }
    }

    /// `format!("{a} {b}", a = a_2)`: the words of the string are names, of which some are arguments.
    fn format(&mut self, mac: &syn::Macro) -> Read<Code> {
        type Args = syn::punctuated::Punctuated<Expr, syn::Token![,]>;
        let args = syn::parse::Parser::parse2(Args::parse_terminated, mac.tokens.clone());
        let args = args.map_err(|error| error.to_string())?;
        let Some(Expr::Lit(syn::ExprLit { lit: Lit::Str(text), .. })) = args.first() else {
            return refuse(mac);
        };
        let mut words = Vec::new();
        for word in text.value().split_whitespace() {
            let name = word.trim_matches(['{', '}']);
            let given = args.iter().find_map(|arg| match arg {
                Expr::Assign(assign) => {
                    let Expr::Path(path) = &*assign.left else { return None };
                    (last_name(&path.path) == name).then_some(&*assign.right)
                }
                _ => None,
            });
            words.push(if let Some(value) = given {
                self.expr(value)?
            } else {
                let name = syn::Ident::new(name, proc_macro2::Span::call_site());
                self.expr(&syn::parse_quote!(#name))?
            });
        }
        Ok(Code::Format(words))
    }

    // ---- control

    fn control(&mut self, expr: &Expr) -> Read<Code> {
        Ok(match expr {
            Expr::If(cond) => {
                let (test, then) = self.scoped(|this| {
                    let test = this.boxed(&cond.cond)?;
                    Ok((test, boxed(this.block(&cond.then_branch)?)))
                })?;
                let other = cond.else_branch.as_ref().map(|(_, other)| &**other);
                Code::If(test, then, self.maybe(other)?)
            }
            Expr::Match(choice) => {
                let value = self.boxed(&choice.expr)?;
                let mut arms = Vec::new();
                for arm in &choice.arms {
                    arms.push(self.scoped(|this| {
                        let shape = this.pat(&arm.pat)?;
                        let guard = match &arm.guard {
                            Some((_, guard)) => Some(this.expr(guard)?),
                            None => None,
                        };
                        Ok((shape, guard, this.expr(&arm.body)?))
                    })?);
                }
                Code::Match(value, arms)
            }
            Expr::Block(block) if block.label.is_none() => self.block(&block.block)?,
            Expr::Block(block) => {
                let (number, body) =
                    self.labelled(block.label.as_ref(), false, |this| this.block(&block.block))?;
                match body {
                    Code::Block { body, valued, .. } => Code::Block { label: Some(number), body, valued },
                    other => other,
                }
            }
            Expr::Loop(looped) => {
                let (number, body) =
                    self.labelled(looped.label.as_ref(), true, |this| this.block(&looped.body))?;
                Code::Loop(number, boxed(body))
            }
            Expr::While(looped) => self.scoped(|this| {
                let test = this.boxed(&looped.cond)?;
                let (number, body) =
                    this.labelled(looped.label.as_ref(), true, |this| this.block(&looped.body))?;
                Ok(Code::While(number, test, boxed(body)))
            })?,
            Expr::ForLoop(looped) => {
                let items = self.boxed(&looped.expr)?;
                self.scoped(|this| {
                    let shape = this.pat(&looped.pat)?;
                    let (number, body) =
                        this.labelled(looped.label.as_ref(), true, |this| this.block(&looped.body))?;
                    Ok(Code::For(number, shape, items, boxed(body)))
                })?
            }
            Expr::Break(jump) => {
                Code::Break(self.target(jump.label.as_ref())?, self.maybe(jump.expr.as_deref())?)
            }
            Expr::Continue(jump) => Code::Continue(self.target(jump.label.as_ref())?),
            Expr::Return(value) => Code::Return(self.maybe(value.expr.as_deref())?),
            other => return refuse(other),
        })
    }
}

fn field_index(member: &syn::Member) -> Read<usize> {
    match member {
        syn::Member::Unnamed(index) => Ok(index.index as usize),
        syn::Member::Named(name) => FIELDS
            .iter()
            .position(|field| name == field)
            .ok_or_else(|| format!("an `Order` has no field `{name}`")),
    }
}

fn constant(literal: &Lit) -> Read<Value> {
    Ok(match literal {
        Lit::Int(number) => Value::Int(number.base10_parse().map_err(|error| error.to_string())?),
        Lit::Bool(flag) => Value::Bool(flag.value),
        Lit::Str(text) => Value::Text(text.value()),
        other => return refuse(other),
    })
}
