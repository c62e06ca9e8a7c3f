//! The arguments of calls that wait for their turn: stored with the names of the parameters, because the build that runs the call may have
//! them in another order, under other names, or others.

use std::{
    collections::HashMap,
    sync::{Arc, RwLock},
};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{
    Frames,
    image::{LOCK, PARAMETERS_ROW, content},
};
use crate::{
    codec::{Codec, Encoded, LayoutId},
    hashing::ByNumber,
};

/// What the arguments of a call are stored under.
#[derive(Debug, Serialize, Deserialize)]
struct Parameters {
    /// The layout of the tuple of their values.
    values: LayoutId,
    names: Vec<String>,
}

/// Each parameter: its name, and the names that it had before.
type Names = [&'static [&'static str]];

/// The lists of parameters that an engine has met.
#[derive(Debug, Default)]
pub(super) struct KnownParameters {
    stored: RwLock<HashMap<LayoutId, Arc<Parameters>, ByNumber>>,
    /// What arguments of this build are stored under, by the address of their names and the layout of their values.
    own: RwLock<HashMap<(usize, LayoutId), LayoutId, ByNumber>>,
    /// The other way round, for stored arguments that are those of today's parameters as they are.
    same: RwLock<HashMap<(usize, LayoutId), LayoutId, ByNumber>>,
}

impl Frames {
    /// The arguments of a call, as they are stored.
    pub(crate) fn store_args(&self, names: &'static Names, args: Encoded) -> Encoded {
        if names.is_empty() {
            return args;
        }
        let key = (names.as_ptr().addr(), args.layout);
        let known = self.parameters.own.read().expect(LOCK).get(&key).copied();
        let layout = known.unwrap_or_else(|| {
            // A compensation that an earlier step has armed is stored already.
            let is_stored = self.stored_parameters(args.layout).is_ok();
            let layout = if is_stored { args.layout } else { self.add_parameters(names, args.layout) };
            self.parameters.own.write().expect(LOCK).insert(key, layout);
            layout
        });
        Encoded { layout, bytes: args.bytes }
    }

    fn add_parameters(&self, names: &Names, values: LayoutId) -> LayoutId {
        let names = names.iter().filter_map(|names| names.first()).map(|name| (*name).to_owned()).collect();
        let parameters = Parameters { values, names };
        let (id, bytes) = content(&parameters);
        let layout = LayoutId(id);
        if self.parameters.stored.write().expect(LOCK).insert(layout, Arc::new(parameters)).is_none() {
            self.add_row(PARAMETERS_ROW, id, &bytes);
        }
        layout
    }

    /// The arguments of a stored call as today's parameters. One that was not there is `None`.
    pub(crate) fn load_args(
        &self,
        codec: &Codec,
        names: &'static Names,
        args: Encoded,
    ) -> Result<Encoded, String> {
        let key = (names.as_ptr().addr(), args.layout);
        if let Some(layout) = self.parameters.same.read().expect(LOCK).get(&key).copied() {
            return Ok(Encoded { layout, bytes: args.bytes });
        }
        let stored = match self.stored_parameters(args.layout) {
            Ok(stored) => stored,
            // A call without parameters has none stored either; nor have those that were made by hand.
            Err(_) if names.is_empty() => return Ok(args),
            Err(reason) => return Err(reason),
        };
        let had =
            |names: &&[&str]| names.iter().find_map(|name| stored.names.iter().position(|had| had == name));
        let order: SmallVec<[_; 8]> = names.iter().map(had).collect();
        self.ensure(codec, stored.values);
        let is_same = order.len() == stored.names.len()
            && order.iter().enumerate().all(|(at, place)| *place == Some(at));
        let layout = if is_same { stored.values } else { codec.adapt(stored.values, &order) };
        if is_same && codec.knows(layout) {
            self.parameters.same.write().expect(LOCK).insert(key, layout);
        }
        Ok(Encoded { layout, bytes: args.bytes })
    }

    /// The layout of the values of a call's arguments.
    pub(crate) fn args_layout(&self, stored: LayoutId) -> LayoutId {
        match self.stored_parameters(stored) {
            Ok(parameters) => parameters.values,
            Err(_) => stored,
        }
    }

    fn stored_parameters(&self, id: LayoutId) -> Result<Arc<Parameters>, String> {
        if let Some(known) = self.parameters.stored.read().expect(LOCK).get(&id) {
            return Ok(known.clone());
        }
        let fetched: Arc<Parameters> = Arc::new(self.fetch(PARAMETERS_ROW, id.0, "list of parameters")?);
        self.parameters.stored.write().expect(LOCK).insert(id, fetched.clone());
        Ok(fetched)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORED: &Names = &[&["sku"], &["count"]];

    fn frames(rows: Vec<(u64, Vec<u8>)>) -> Frames {
        Frames::new(Box::new(move |id| Some(rows.iter().find(|row| row.0 == id)?.1.clone())), Vec::new())
    }

    /// Arguments that another process has stored, and an engine of today with its rows.
    fn stored() -> (Frames, Codec, Encoded) {
        let (before, codec) = (frames(Vec::new()), Codec::new());
        let args =
            before.store_args(STORED, codec.encode(&("tea".to_string(), 3_u32)).expect("it is stored"));
        (frames(before.take_new(&codec)), Codec::new(), args)
    }

    fn read<T: crate::codec::Persist>(names: &'static Names) -> T {
        let (frames, codec, args) = stored();
        let args = frames.load_args(&codec, names, args).expect("the parameters are known");
        frames.decode(&codec, args.layout, &args.bytes).expect("they are read")
    }

    #[test]
    fn pending_arguments_are_read_by_the_names_of_todays_parameters() {
        assert_eq!(read::<(String, u32)>(STORED), ("tea".into(), 3));
        assert_eq!(read::<(u64, String)>(&[&["count"], &["sku"]]), (3, "tea".into()), "in another order");
        assert_eq!(read::<(String,)>(&[&["sku"]]), ("tea".into(),), "one is gone");
        let added: (String, Option<u8>, u32) = read(&[&["sku"], &["gift"], &["count"]]);
        assert_eq!(added, ("tea".into(), None, 3), "an option is added");
        assert_eq!(
            read::<(String, u32)>(&[&["item", "sku"], &["count"]]),
            ("tea".into(), 3),
            "one is renamed"
        );
    }

    #[test]
    fn a_parameter_that_is_added_and_needs_a_value_is_an_error() {
        let (frames, codec, args) = stored();
        let args = frames
            .load_args(&codec, &[&["sku"], &["count"], &["price"]], args)
            .expect("it is found out later");
        assert!(frames.decode::<(String, u32, u64)>(&codec, args.layout, &args.bytes).is_err());
    }

    #[test]
    fn the_same_parameters_are_stored_once() {
        let (frames, codec) = (frames(Vec::new()), Codec::new());
        for count in 0..3_u32 {
            frames.store_args(STORED, codec.encode(&("tea".to_string(), count)).expect("it is stored"));
        }
        assert_eq!(frames.take_new(&codec).len(), 2, "the names, and the layout of the values");
    }
}
