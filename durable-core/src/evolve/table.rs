//! The resume points of a workflow, as they are stored.

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, SeqAccess, Visitor},
};

use crate::meta::{PointMeta, WorkflowMeta};

/// What tells a resume point from others in a changed program.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct PointId {
    /// The user's own name for it.
    pub name: Option<String>,
    /// What the source says that it was: in the source before the first one that says so. It is stored with the table.
    #[serde(skip)]
    pub was: Option<String>,
    /// What is awaited.
    pub callee: String,
    /// The enclosing loops, branches and blocks.
    pub path: String,
    /// The binding it initialises, or nothing.
    pub binding: String,
    /// The tokens of the call's arguments.
    pub args: String,
}

impl PointId {
    fn of(point: &PointMeta) -> Self {
        PointId {
            name: point.name.map(Into::into),
            was: point.was.map(Into::into),
            callee: point.callee.into(),
            path: point.path.into(),
            binding: point.binding.into(),
            args: point.args.into(),
        }
    }

    /// How a message and `#[resume(was = "..")]` name the point `at`: by what it awaits and which of those it is, from 1.
    pub(super) fn reference(points: &[PointId], at: usize) -> String {
        let callee = &points[at].callee;
        let rank = points[..=at].iter().filter(|point| point.callee == *callee).count();
        format!("{callee}#{rank}")
    }

    /// Whether nobody could tell one from the other by what is written.
    pub(super) fn reads_like(&self, other: &PointId) -> bool {
        (&self.callee, &self.args, &self.binding, self.place())
            == (&other.callee, &other.args, &other.binding, other.place())
    }

    /// The path without the ordinals, which change when a branch is added in front: `for/if.then` for `for/if#2.then`.
    pub(super) fn place(&self) -> String {
        let mut place = String::with_capacity(self.path.len());
        let mut parts = self.path.split('#');
        place.extend(parts.next());
        for part in parts {
            place += part.trim_start_matches(|c: char| c.is_ascii_digit());
        }
        place
    }
}

impl std::fmt::Display for PointId {
    /// As a person writes it: `"paid"`, or `charge(&order, total)` in `for item/if.then`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "\"{name}\", ")?;
        }
        write!(f, "`{}({})`", self.callee, tidy(&self.args))?;
        if !self.path.is_empty() {
            write!(f, " in {}", self.path)?;
        }
        Ok(())
    }
}

/// Tokens between single spaces, closer to how a person writes them.
fn tidy(tokens: &str) -> String {
    let mut text = tokens.to_owned();
    for (from, to) in [
        (" :: ", "::"),
        (" . ", "."),
        (" ( ", "("),
        ("( ", "("),
        (" )", ")"),
        (" ,", ","),
        ("& ", "&"),
        (" !", "!"),
        (" ?", "?"),
    ] {
        text = text.replace(from, to);
    }
    text
}

/// All resume points of a workflow, in source order.
///
/// Stored as the points and, if there are any, who of them says what it was. Nearly no table has that, and those that builds stored
/// that did not keep it are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PointTable {
    pub points: Vec<PointId>,
}

impl Serialize for PointTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let points = self.points.iter().enumerate();
        let said: Vec<(usize, &String)> =
            points.filter_map(|(at, point)| Some((at, point.was.as_ref()?))).collect();
        if said.is_empty() {
            self.points.serialize(serializer)
        } else {
            (&self.points, said).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for PointTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Table;
        impl<'de> Visitor<'de> for Table {
            type Value = PointTable;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("resume points")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut row: A) -> Result<PointTable, A::Error> {
                let mut points: Vec<PointId> = row.next_element()?.unwrap_or_default();
                // Where nobody says anything, the row ends here.
                let said: Vec<(usize, String)> = row.next_element().ok().flatten().unwrap_or_default();
                for (at, was) in said {
                    let point =
                        points.get_mut(at).ok_or_else(|| A::Error::custom("a point that is not there"))?;
                    point.was = Some(was);
                }
                Ok(PointTable { points })
            }
        }
        deserializer.deserialize_tuple(2, Table)
    }
}

impl PointTable {
    /// How a message and `#[resume(was = "..")]` name the point `at`.
    pub(crate) fn reference(&self, at: usize) -> String {
        PointId::reference(&self.points, at)
    }

    pub(crate) fn of(meta: &WorkflowMeta) -> Self {
        PointTable { points: meta.points.iter().map(PointId::of).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_comes_back_with_what_is_said_in_it_and_is_as_it_was_without() {
        let point = |was: Option<&str>| PointId {
            name: None,
            was: was.map(Into::into),
            callee: "charge".into(),
            path: String::new(),
            binding: "paid".into(),
            args: "x".into(),
        };
        for points in [vec![], vec![point(None)], vec![point(None), point(Some("charge#2"))]] {
            let table = PointTable { points };
            let bytes = postcard::to_stdvec(&table).unwrap();
            assert_eq!(postcard::from_bytes::<PointTable>(&bytes).unwrap(), table);
        }
        let plain = vec![point(None)];
        let bytes = postcard::to_stdvec(&plain).unwrap();
        assert_eq!(postcard::to_stdvec(&PointTable { points: plain }).unwrap(), bytes);
    }
}
