//! Types of all kinds over suspensions.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    rc::Rc,
    time::Duration,
};

use serde::{Deserialize, Serialize};

use crate::vocabulary::{Event, Order};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Generic<T, const N: usize> {
    value: T,
    #[serde(skip_serializing_if = "Option::is_none", default = "nothing")]
    extra: Option<T>,
}

fn nothing<T>() -> Option<T> {
    None
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
enum Tagged {
    Plain { n: i64 },
    Empty,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
struct Marker;

twins! {
    async fn nested_options(n: i64) -> Vec<Option<Option<i64>>> {
        let mut out = vec![];
        let first = nested(n).await;
        let unit = Some(());
        let deep = Some(Some(None::<i64>));
        for i in 0..3 {
            out.push(nested(n + i).await);
        }
        out.push(first);
        if unit.is_some() && deep == Some(Some(None)) {
            out.push(Some(None));
        }
        out
    } for (0), (1), (2);

    async fn collections(n: i64) -> String {
        let mut map: BTreeMap<(i64, bool), Vec<String>> = BTreeMap::new();
        let mut set = BTreeSet::from(['a', 'b']);
        let mut queue = VecDeque::new();
        let mut hash = HashMap::new();
        for i in 0..n {
            let value = say("v").await;
            map.entry((get(i).await, flag(i).await)).or_default().push(value);
            set.insert(if i > 0 { 'z' } else { 'y' });
            queue.push_front(order(i).await);
            hash.insert(i, queue.len());
        }
        let last = queue.pop_back().map(|order| order.name);
        let found = hash.get(&1).copied();
        let after = get(map.len() as i64).await;
        format!("{map:?} {set:?} {last:?} {queue:?} {found:?} {after} {}", hash.len())
    } for (0), (2);

    async fn numbers(n: i64) -> String {
        let small = 255_u8;
        let wide = u128::MAX - n as u128;
        let negative = i128::MIN + 1;
        let float = 0.1 + f64::from(n as i32);
        let single = 1.5_f32;
        let character = 'ß';
        let after = get(n).await;
        let total = u64::MAX - after as u64;
        let again = get(n).await;
        format!("{small} {wide} {negative} {float} {single} {character} {after} {total} {again}")
    } for (0), (3);

    async fn generic_structs(n: i64) -> String {
        let a = Generic::<_, 3> { value: say("v").await, extra: None };
        let b = Generic::<_, 1> { value: vec![n], extra: Some(list(2).await) };
        let c = get(n).await;
        let d = Generic::<_, 0> { value: (a.clone(), Marker), extra: None };
        let e = get(c).await;
        format!("{a:?} {b:?} {c} {d:?} {e}")
    } for (1);

    async fn tagged_enums(n: i64) -> String {
        let tagged = if flag(n).await { Tagged::Plain { n } } else { Tagged::Empty };
        let json = serde_json::json!({ "a": [n, null, "x"], "b": { "c": 1.5 } });
        let event = event(n).await;
        let after = get(n).await;
        format!("{tagged:?} {json} {event:?} {after}")
    } for (1), (2), (4);

    async fn shared_and_boxed(n: i64) -> String {
        let boxed: Box<Order> = Box::new(order(n).await);
        let list: Box<[i64]> = list(n).await.into_boxed_slice();
        let result: Result<(), String> = Err(say("e").await);
        let after = get(list.len() as i64).await;
        format!("{} {list:?} {result:?} {after}", boxed.name)
    } for (0), (2);

    async fn rc_and_interior(n: i64) -> i64 {
        let total = {
            let shared = Rc::new(std::cell::Cell::new(n));
            let other = Rc::clone(&shared);
            other.set(shared.get() + 5);
            shared.get()
        };
        let kept = std::cell::Cell::new(get(total).await);
        kept.set(kept.get() + get(1).await);
        kept.set(kept.get() * 2);
        let after = get(kept.get()).await;
        kept.into_inner() + after
    } for (1);

    async fn durations_and_units(n: i64) -> String {
        let pause = Duration::from_millis(1500) * n as u32;
        let marker = Marker;
        let unit = ();
        let empty: Vec<Marker> = vec![marker; 2];
        let text = String::new();
        let after = get(n).await;
        format!("{pause:?} {marker:?} {unit:?} {empty:?} {text:?} {after}")
    } for (1);

    async fn impl_types_between_awaits(n: i64) -> i64 {
        let values = list(n).await;
        let total: i64 = {
            let iterator = values.iter().map(|v| v + 1);
            let mut boxed: Box<dyn Iterator<Item = i64> + '_> = Box::new(iterator);
            boxed.next();
            boxed.sum()
        };
        let guard = std::sync::Mutex::new(total);
        {
            let mut locked = guard.lock().expect("nobody else has it");
            *locked += 1;
        }
        let total = guard.into_inner().expect("nobody panicked with it");
        get(total).await + values.len() as i64
    } for (0), (3);

    async fn large_state(n: i64) -> String {
        let (a, b, c, d, e, f) = (1, 2_u8, "c".to_string(), 'd', 5.5, vec![n]);
        let (g, h, i, j, k, l) = (Some(7), [8; 3], (9, 10), n, Event::Idle, true);
        let m = get(n).await;
        let o = get(m).await;
        let (p, q, r, s) = (o + 1, say("q").await, order(1).await, pair(n).await);
        let t = get(p).await;
        format!("{a}{b}{c}{d}{e}{f:?}{g:?}{h:?}{i:?}{j}{k:?}{l}{m}{o}{p}{q}{r:?}{s:?}{t}")
    } for (1);
}
