//! A snapshot of another build as its workflow's `migrate` sees it: variables by name, and where it stands.
//!
//! Values are held without their types. What is made of them is read by the types of today's variables (`rewrite`), so that nothing
//! is stored that this build can't read.
//!
//! Deliberately absent: what is awaited, but for what it is to give. A future in flight is kept where it is awaited again, and left
//! to itself elsewhere.

use std::{fmt, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::KnownLayout;
use crate::{codec::Value, error::Error};

/// A frame of a workflow that another build has saved, and where this build is to take it on.
///
/// A function of this type is given to a workflow, `#[workflow(migrate = older)]`. It is called for a frame that this build can't
/// resume by its own rules, and says what they can't know: which value a new variable has, where the frame goes on if its
/// `.await` is gone.
///
/// ```
/// use durable_core::{Result, Snapshot};
///
/// /// Up to version 3 an order had its price in whole euros, and no currency.
/// fn older(mut snapshot: Snapshot) -> Result<Snapshot> {
///     if !snapshot.has("currency") {
///         let euros: u64 = snapshot.get("price")?;
///         snapshot.set("price", &(euros * 100))?;
///         snapshot.set("currency", &"EUR")?;
///     }
///     Ok(snapshot)
/// }
/// ```
#[derive(Clone)]
pub struct Snapshot {
    pub(super) known: Arc<KnownLayout>,
    reference: String,
    pub(super) variables: Vec<(String, Value)>,
    pub(super) target: Target,
    pub(super) result: Option<Value>,
}

/// Where a frame goes on.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// Where it stands.
    Same,
    /// At the resume point of this name or reference.
    Point(String),
    /// At the start.
    Start,
}

impl Snapshot {
    pub(super) fn new(known: Arc<KnownLayout>, variables: Vec<(String, Value)>) -> Self {
        let at = known.layout.point as usize;
        let reference = known.point().name.clone().unwrap_or_else(|| known.table.reference(at));
        Snapshot { known, reference, variables, target: Target::Same, result: None }
    }

    /// The name under which the workflow was stored.
    pub fn workflow(&self) -> &str {
        &self.known.layout.workflow
    }

    /// Where it stands, in the source that it was saved by: the name given with `#[resume("..")]`, or what is awaited and which
    /// of those awaits it is, `charge#1` for the first await of `charge`.
    pub fn resume_point(&self) -> &str {
        &self.reference
    }

    /// The names of its variables: those of the source; a second variable of a name is `name#2`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|(name, _)| name.as_str())
    }

    /// Whether it has a variable of this name.
    pub fn has(&self, name: &str) -> bool {
        self.names().any(|other| other == name)
    }

    /// The value of a variable. The type may be any that can be read from it by the names of its fields, `serde_json::Value` included.
    ///
    /// # Errors
    /// There is no variable of this name, or its value is no `T`.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        let value = self.variables[self.find(name)?].1.clone();
        T::deserialize(value).map_err(|error| {
            Error::msg(format!(
                "variable `{name}` can't be read as `{}`: {error}",
                std::any::type_name::<T>()
            ))
        })
    }

    /// Gives a variable a value; one that is not there is added.
    ///
    /// Whether it is what today's variable of that name can be read from is found out when all is complete; the instance is parked
    /// with the variable if not. A variable that this build does not need is passed over.
    ///
    /// # Errors
    /// The value's `Serialize` failed.
    pub fn set<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        let value = Value::written(&value)
            .map_err(|error| Error::msg(format!("variable `{name}` can't be written: {error}")))?;
        match self.find(name) {
            Ok(at) => self.variables[at].1 = value,
            Err(_) => self.variables.push((name.to_owned(), value)),
        }
        Ok(())
    }

    /// Gives a variable another name.
    ///
    /// # Errors
    /// There is no variable of the old name, or one of the new name.
    pub fn rename(&mut self, old: &str, new: &str) -> Result<(), Error> {
        let at = self.find(old)?;
        if self.has(new) {
            return Err(Error::msg(format!("there is a variable `{new}` already: remove it first")));
        }
        new.clone_into(&mut self.variables[at].0);
        Ok(())
    }

    /// Removes a variable. That is never needed for one that this build does not have.
    ///
    /// # Errors
    /// There is no variable of this name.
    pub fn remove(&mut self, name: &str) -> Result<(), Error> {
        let at = self.find(name)?;
        self.variables.remove(at);
        Ok(())
    }

    /// Lets the workflow go on at another `.await` of this build's source, known by its name (`#[resume("paid")]`) or as `charge#1`, the
    /// first await of `charge`.
    ///
    /// What it awaits there is what it awaited before, if that is the same thing: a call of the same activity or workflow, a timer.
    /// Otherwise say what the await gives ([`gives`](Self::gives)). What is not awaited any more is left to itself: a call that is pending
    /// runs to its end, and nobody gets what it gives.
    pub fn resume_at(&mut self, point: impl Into<String>) {
        self.target = Target::Point(point.into());
    }

    /// Says what the call of an activity gives at which the workflow goes on: it goes on behind the `.await`, with this value. Of an
    /// activity that can fail, that is a `Result`.
    ///
    /// # Errors
    /// The value's `Serialize` failed.
    pub fn gives<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let value = Value::written(&value)
            .map_err(|error| Error::msg(format!("what is awaited can't be written: {error}")))?;
        self.result = Some(value);
        Ok(())
    }

    /// Lets the workflow begin again from its first line. Its parameters are the variables of their names: set those that it does not
    /// have. Nothing that it has done is undone; what it has pushed with `compensate` stays.
    pub fn restart(&mut self) {
        self.target = Target::Start;
    }

    fn find(&self, name: &str) -> Result<usize, Error> {
        self.names().position(|other| other == name).ok_or_else(|| {
            let names: Vec<_> = self.names().map(|name| format!("`{name}`")).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            let (workflow, point) = (self.workflow(), self.resume_point());
            Error::msg(format!(
                "the snapshot of workflow `{workflow}` at `{point}` has no variable `{name}`; it has {names}"
            ))
        })
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Snapshot");
        shown.field("workflow", &self.workflow()).field("resume_point", &self.resume_point());
        for (name, value) in &self.variables {
            shown.field(name, &value.to_json());
        }
        shown.finish_non_exhaustive()
    }
}

/// A function that makes a snapshot of another build one that this build resumes.
#[diagnostic::on_unimplemented(
    message = "this can't migrate snapshots",
    label = "a function that takes a `durable::Snapshot` and gives a `durable::Result<durable::Snapshot>` is expected here",
    note = "write `fn older(mut snapshot: durable::Snapshot) -> durable::Result<durable::Snapshot> {{ .. Ok(snapshot) }}`; no `async`: it looks at nothing else",
    note = "see docs/errors/migrate.md"
)]
pub trait Migration: Sync {
    #[doc(hidden)]
    fn migrate(&self, snapshot: Snapshot) -> Result<Snapshot, Error>;
}

#[diagnostic::do_not_recommend]
impl<F: Fn(Snapshot) -> Result<Snapshot, Error> + Sync> Migration for F {
    fn migrate(&self, snapshot: Snapshot) -> Result<Snapshot, Error> {
        self(snapshot)
    }
}

impl fmt::Debug for dyn Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("migrate")
    }
}
