//! Patterns: what a value of a type may be matched with, and what that binds.

use super::Generator;
use crate::types::Ty;

/// How the matched value is given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Mode {
    Owned,
    Ref,
    RefMut,
}

/// What a pattern binds.
#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) name: String,
    pub(super) ty: Ty,
    pub(super) mutable: bool,
}

impl Generator {
    /// A pattern for `ty`; a refutable one may fail to match.
    pub(super) fn pattern(
        &mut self,
        ty: &Ty,
        mode: Mode,
        refutable: bool,
        depth: u32,
        bound: &mut Vec<Bound>,
    ) -> String {
        if depth == 0 || self.one_in(4) {
            return self.binding(ty, mode, bound);
        }
        let deeper = |this: &mut Self, ty: &Ty, bound: &mut Vec<Bound>| {
            this.pattern(ty, mode, refutable, depth - 1, bound)
        };
        match ty {
            Ty::Tuple(of) => {
                let parts: Vec<String> = of.iter().map(|ty| deeper(self, ty, bound)).collect();
                format!("({})", parts.join(", "))
            }
            Ty::Item => {
                let sku = deeper(self, &Ty::Text, bound);
                if self.one_in(2) {
                    format!("Item {{ sku: {sku}, .. }}")
                } else {
                    let qty = deeper(self, &Ty::Int, bound);
                    format!("Item {{ sku: {sku}, qty: {qty} }}")
                }
            }
            Ty::Order => {
                let name = deeper(self, &Ty::Text, bound);
                let spot = deeper(self, &Ty::pair(), bound);
                match self.rng.u32(..3) {
                    0 => format!("Order {{ name: {name}, spot: {spot}, .. }}"),
                    1 if refutable => {
                        let note = deeper(self, &Ty::option(Ty::Text), bound);
                        format!("Order {{ note: {note}, name: {name}, spot: {spot}, id: _, items: _ }}")
                    }
                    _ => {
                        let id = deeper(self, &Ty::Int, bound);
                        format!("Order {{ id: {id}, name: {name}, spot: {spot}, .. }}")
                    }
                }
            }
            Ty::Array(of) => {
                let first = deeper(self, of, bound);
                let second = deeper(self, of, bound);
                format!("[{first}, {second}]")
            }
            Ty::Int if refutable && mode == Mode::Owned => match self.rng.u32(..5) {
                0 => "(1 | 4)".into(),
                1 => "-5..=3".into(),
                2 => {
                    let inner = self.binding(ty, mode, bound);
                    if inner == "_" { inner } else { format!("{inner} @ 0..=40") }
                }
                _ => self.binding(ty, mode, bound),
            },
            Ty::Int if refutable && self.one_in(3) => "0..=9".into(),
            Ty::Bool if refutable && self.one_in(2) => ["true", "false"][self.rng.usize(..2)].into(),
            Ty::Option(of) if refutable => {
                if self.one_in(4) {
                    "None".into()
                } else {
                    format!("Some({})", deeper(self, of, bound))
                }
            }
            Ty::Result(of) if refutable => {
                if self.one_in(3) {
                    let fault = if mode == Mode::Owned && self.one_in(2) {
                        "Fault::Odd(_)".to_owned()
                    } else {
                        self.binding(&Ty::Fault, mode, bound)
                    };
                    format!("Err({fault})")
                } else {
                    format!("Ok({})", deeper(self, of, bound))
                }
            }
            Ty::Event if refutable => match self.rng.u32(..6) {
                0 => "Event::Idle".into(),
                1 => {
                    let x = deeper(self, &Ty::Int, bound);
                    format!("Event::Moved {{ x: {x}, .. }}")
                }
                2 => {
                    let name = self.binding(&Ty::Text, mode, bound);
                    format!("(Event::Said({name}) | Event::Named {{ who: {name}, .. }})")
                }
                3 => {
                    let who = self.binding(&Ty::Text, mode, bound);
                    let age = self.binding(&Ty::Int, mode, bound);
                    format!("Event::Named {{ who: {who}, age: {age} }}")
                }
                4 => format!("Event::Many({})", self.binding(&Ty::ints(), mode, bound)),
                _ => "(Event::Idle | Event::Said(_))".into(),
            },
            _ => self.binding(ty, mode, bound),
        }
    }

    fn binding(&mut self, ty: &Ty, mode: Mode, bound: &mut Vec<Bound>) -> String {
        let name = self.name();
        if self.one_in(5) || bound.iter().any(|other| other.name == name) {
            return "_".into();
        }
        let (ty, mutable) = match mode {
            Mode::Owned => (ty.clone(), self.one_in(3)),
            Mode::Ref => (Ty::Ref(Box::new(ty.clone())), false),
            Mode::RefMut => (Ty::RefMut(Box::new(ty.clone())), false),
        };
        bound.push(Bound { name: name.clone(), ty, mutable });
        if mutable { format!("mut {name}") } else { name }
    }
}
