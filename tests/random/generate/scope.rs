//! What a program may mention at the place where it is being written: variables, whether they hold a value, who borrows them.
//!
//! It is stricter than rustc (a borrow lives to the end of its block, unless it is given up before), never laxer: what the
//! generator writes has to compile.

use crate::types::Ty;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    Full,
    Moved,
}

#[derive(Clone, Debug)]
pub(super) struct Var {
    pub(super) name: String,
    pub(super) ty: Ty,
    pub(super) mutable: bool,
    pub(super) state: State,
    /// How many borrows of it are alive.
    pub(super) shared: u32,
    pub(super) exclusive: u32,
    /// In how many loops it was declared.
    pub(super) loops: usize,
    /// What it borrows itself, and whether mutably.
    pub(super) borrows: Option<(usize, bool)>,
}

/// How a place is reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Via {
    Owned,
    Ref,
    RefMut,
}

/// A variable or a part of one.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// For a method call or a field behind it.
    pub(super) base: String,
    /// As a value: `*x` for a reference.
    pub(super) value: String,
    pub(super) ty: Ty,
    pub(super) root: usize,
    pub(super) whole: bool,
    pub(super) via: Via,
    pub(super) writable: bool,
}

#[derive(Debug, Default)]
pub(super) struct Scope {
    pub(super) vars: Vec<Var>,
    pub(super) loops: usize,
}

impl Scope {
    pub(super) fn declare(&mut self, name: &str, ty: &Ty, mutable: bool) -> usize {
        self.vars.push(Var {
            name: name.to_owned(),
            ty: ty.clone(),
            mutable,
            state: State::Full,
            shared: 0,
            exclusive: 0,
            loops: self.loops,
            borrows: None,
        });
        self.vars.len() - 1
    }

    /// Declares a reference to (a part of) `root`.
    pub(super) fn declare_borrow(&mut self, name: &str, ty: &Ty, root: usize, mutable: bool) {
        let var = self.declare(name, ty, false);
        self.vars[var].borrows = Some((root, mutable));
        self.freeze(root, mutable);
    }

    pub(super) fn freeze(&mut self, root: usize, exclusive: bool) {
        let var = &mut self.vars[root];
        if exclusive { var.exclusive += 1 } else { var.shared += 1 }
    }

    pub(super) fn thaw(&mut self, root: usize, exclusive: bool) {
        let var = &mut self.vars[root];
        if exclusive { var.exclusive -= 1 } else { var.shared -= 1 }
    }

    /// The end of a block that began with so many variables.
    pub(super) fn leave(&mut self, mark: usize) {
        while self.vars.len() > mark {
            let var = self.vars.pop().expect("there are more");
            if let (Some((root, mutable)), State::Full) = (var.borrows, var.state) {
                self.thaw(root, mutable);
            }
        }
    }

    /// Ends a borrow before its block does.
    pub(super) fn give_up(&mut self, var: usize) {
        if let Some((root, mutable)) = self.vars[var].borrows
            && self.vars[var].state == State::Full
        {
            self.thaw(root, mutable);
        }
        self.vars[var].state = State::Moved;
    }

    pub(super) fn states(&self) -> Vec<State> {
        self.vars.iter().map(|var| var.state).collect()
    }

    pub(super) fn restore(&mut self, states: &[State]) {
        for (var, state) in self.vars.iter_mut().zip(states) {
            var.state = *state;
        }
    }

    /// After a branch: what either path has moved is gone.
    pub(super) fn merge(&mut self, other: &[State]) {
        for (var, state) in self.vars.iter_mut().zip(other) {
            if *state == State::Moved {
                var.state = State::Moved;
            }
        }
    }

    fn visible(&self, at: usize) -> bool {
        self.vars[at + 1..].iter().all(|later| later.name != self.vars[at].name)
    }

    /// Everything that can be read.
    pub(super) fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for (at, var) in self.vars.iter().enumerate() {
            if var.state == State::Full && var.exclusive == 0 && self.visible(at) {
                let (ty, via) = match &var.ty {
                    Ty::Ref(of) => ((**of).clone(), Via::Ref),
                    Ty::RefMut(of) => ((**of).clone(), Via::RefMut),
                    ty => (ty.clone(), Via::Owned),
                };
                let value = if via == Via::Owned { var.name.clone() } else { format!("*{}", var.name) };
                let writable = var.shared == 0
                    && match via {
                        Via::Owned => var.mutable,
                        Via::Ref => false,
                        Via::RefMut => true,
                    };
                let place = Place { base: var.name.clone(), value, ty, root: at, whole: true, via, writable };
                add(place, 2, &mut places);
            }
        }
        places
    }

    /// Whether the variable can be moved out of here.
    pub(super) fn movable(&self, place: &Place) -> bool {
        let var = &self.vars[place.root];
        place.whole && place.via == Via::Owned && var.shared == 0 && var.loops == self.loops
    }

    /// Mutable variables that hold nothing and can be given a value again here.
    pub(super) fn empty(&self) -> Vec<usize> {
        let found = |at: &usize| {
            let var = &self.vars[*at];
            var.state == State::Moved
                && var.mutable
                && var.borrows.is_none()
                && var.loops == self.loops
                && self.visible(*at)
        };
        (0..self.vars.len()).filter(found).collect()
    }
}

fn add(place: Place, depth: u32, places: &mut Vec<Place>) {
    if depth > 0 {
        for (part, ty) in place.ty.parts() {
            let base = format!("{}{part}", place.base);
            add(Place { value: base.clone(), base, ty, whole: false, ..place.clone() }, depth - 1, places);
        }
    }
    places.push(place);
}
