//! What application code is full of: loops over what was fetched, over literals, over what changes meanwhile; retries, queues, caches.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::vocabulary::{Event, Fault, Item, Order};

const WORDS: &[&str] = &["one", "two", "three"];
const PAIRS: [(&str, i64); 2] = [("a", 1), ("b", 2)];

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Tree {
    value: i64,
    children: Vec<Tree>,
}

fn tree() -> Tree {
    let leaf = |value| Tree { value, children: vec![] };
    Tree { value: 1, children: vec![leaf(2), Tree { value: 3, children: vec![leaf(4), leaf(5)] }] }
}

twins! {
    async fn cache_miss(n: i64) -> Result<i64, Fault> {
        let mut cache: HashMap<i64, i64> = HashMap::new();
        let mut total = 0;
        for key in [n, n + 1, n] {
            let value = match cache.get(&key) {
                Some(value) => *value,
                None => {
                    let value = attempt(key).await?;
                    cache.insert(key, value);
                    value
                }
            };
            total += value;
        }
        Ok(total)
    } for (1), (6);

    async fn literals_in_an_array(n: i64) -> String {
        let mut out = String::new();
        for name in ["a", "b", "c"] {
            out += &say(name).await;
            store(name.to_string()).await;
            out += name;
        }
        out
    } for (1);

    async fn pairs_in_an_array(n: i64) -> String {
        let mut out = String::new();
        for (name, quantity) in [("a", 1), ("b", 2)] {
            let got = get(quantity + n).await;
            out += &format!("{name}{got}");
        }
        out
    } for (1);

    async fn constant_slice(n: i64) -> String {
        let mut out = String::new();
        for word in WORDS {
            out += &say(word).await;
            out += &say(word).await;
        }
        for (index, word) in WORDS.iter().enumerate() {
            let said = say(word).await;
            out += &format!("{index}{said}{word}");
        }
        out
    } for (0);

    async fn constant_pairs(n: i64) -> String {
        let mut out = String::new();
        for (name, value) in PAIRS {
            let said = say(name).await;
            out += &format!("{said}{name}{value}");
        }
        for (name, value) in &PAIRS {
            let said = say(name).await;
            out += &format!("{said}{name}{value}");
        }
        out
    } for (0);

    async fn lines_of_a_text(n: i64) -> String {
        let text = format!("a\nb\nc{n}");
        let mut out = String::new();
        for line in text.lines() {
            out += &say(line).await;
            out += &say(line).await;
        }
        out
    } for (0);

    async fn parts_of_a_text(n: i64) -> String {
        let text = format!("a,b,{n}");
        let mut out = String::new();
        for part in text.split(',') {
            out += &say(part).await;
            out += part;
        }
        out
    } for (0);

    async fn retry_with_break(n: i64) -> Result<i64, Fault> {
        let mut attempts = 0;
        let value = loop {
            match attempt(n + attempts).await {
                Ok(value) => break value,
                Err(Fault::Seven(_)) if attempts < 2 => {
                    attempts += 1;
                    sleep(Duration::from_secs(1 << attempts)).await;
                }
                Err(other) => return Err(other.into()),
            }
        };
        Ok(value * 100 + attempts)
    } for (1), (7);

    async fn block_with_a_sum(n: i64) -> i64 {
        let order = order(n).await;
        let total: i64 = {
            let mut total = 0;
            for item in &order.items {
                total += price(item).await;
            }
            total
        };
        total + order.items.iter().map(|item| item.qty).sum::<i64>()
    } for (3);

    async fn collect_results(n: i64) -> String {
        let mut results = Vec::new();
        for id in list(n).await {
            results.push((id, attempt(id).await));
        }
        let good = results.iter().filter_map(|(_, result)| result.as_ref().ok()).sum::<i64>();
        let bad: Vec<_> = results.iter().filter(|(_, result)| result.is_err()).map(|(id, _)| *id).collect();
        let all = sum(&bad).await;
        format!("{good} {bad:?} {all}")
    } for (3), (7);

    async fn annotated_deref(n: i64) -> String {
        let order = order(n).await;
        let name: &str = &order.name;
        let items: &[Item] = &order.items;
        let a = say(name).await;
        let mut b = 0;
        for item in items {
            b += price(item).await;
        }
        format!("{a}{b}{name}{}", items.len())
    } for (2);

    async fn each_sku_twice(n: i64) -> String {
        let order = order(n).await;
        let items = &order.items;
        let mut out = String::new();
        for item in items {
            let sku = &item.sku;
            out += &say(sku).await;
            out += &say(sku).await;
        }
        out
    } for (2);

    async fn change_items(n: i64) -> Order {
        let mut order = order(n).await;
        for item in &mut order.items {
            item.qty = price(item).await;
            if flag(item.qty).await {
                item.sku += "!";
            }
        }
        for Item { qty, .. } in order.items.iter_mut() {
            *qty += get(*qty).await;
        }
        order
    } for (3);

    async fn loops_over_loops(n: i64) -> i64 {
        let mut orders = Vec::from([order(n).await]);
        orders.push(order(n + 1).await);
        let mut total = 0;
        'orders: for order in &orders {
            for (index, item) in order.items.iter().enumerate() {
                if index == 2 {
                    continue 'orders;
                }
                total += price(item).await;
            }
            total += get(order.id).await;
        }
        total
    } for (2), (1);

    async fn push_what_came_of_it(n: i64) -> Vec<i64> {
        let mut values = vec![n];
        for _ in 0..3 {
            values.push(sum(&values).await);
        }
        values
    } for (1);

    async fn entry_plus_await(n: i64) -> BTreeMap<String, i64> {
        let mut counts = BTreeMap::new();
        for word in words(n).await {
            let got = get(word.len() as i64).await;
            *counts.entry(word).or_insert(0) += got;
        }
        counts
    } for (3);

    async fn entry_directly(n: i64) -> BTreeMap<i64, i64> {
        let mut counts = BTreeMap::new();
        for key in list(n).await {
            let got = get(key).await;
            *counts.entry(key % 2).or_default() += got;
        }
        counts
    } for (3);

    async fn calls_in_a_vec(n: i64) -> i64 {
        let calls: Vec<_> = (0..n).map(|i| get(i)).collect();
        let mut total = 0;
        for call in calls {
            total += call.await;
        }
        total
    } for (3);

    async fn for_over_a_temporary(n: i64) -> i64 {
        let mut total = 0;
        for item in order(n).await.items.iter() {
            total += price(item).await;
        }
        for word in &words(n).await {
            total += say(word).await.len() as i64;
        }
        total
    } for (3);

    async fn uses_inside(n: i64) -> String {
        use Event::*;
        #[derive(Debug, Serialize, Deserialize)]
        enum Phase { Start { at: i64 }, Middle(String), End }
        const LIMIT: i64 = 3;
        fn next(at: i64) -> Phase { if at > LIMIT { Phase::End } else { Phase::Start { at: at + 1 } } }
        let mut phase = Phase::Start { at: n };
        let mut trace = vec![];
        loop {
            phase = match phase {
                Phase::Start { at } => match event(at).await {
                    Idle => Phase::End,
                    Said(text) => Phase::Middle(text),
                    Moved { x, y } if x > y => next(x),
                    Moved { .. } | Many(_) => next(at + 1),
                    Twice(first, _) => Phase::Middle(format!("{first:?}")),
                },
                Phase::Middle(text) => {
                    trace.push(say(&text).await);
                    next(trace.len() as i64 + 3)
                }
                Phase::End => break,
            };
            trace.push(format!("{phase:?}"));
        }
        trace.concat()
    } for (0), (1), (2), (3);

    async fn windows(n: i64) -> i64 {
        let values = list(n).await;
        let mut total = 0;
        for pair in values.windows(2) {
            total += add(pair[0], pair[1]).await;
        }
        for pair in values.chunks(2) {
            total += sum(pair).await;
        }
        total
    } for (1), (4);

    async fn slices(n: i64) -> i64 {
        let values = list(n).await;
        let rest = &values[1..];
        let mut total = sum(rest).await;
        for value in rest {
            total += get(*value).await;
        }
        for value in &values[..2.min(values.len())] {
            total += get(*value).await;
        }
        total + rest.len() as i64
    } for (1), (4);

    async fn maps_by_reference(n: i64) -> String {
        let mut table = table(n).await;
        let mut out = String::new();
        for (key, value) in &table {
            out += &say(key).await;
            let got = get(*value).await;
            out += &format!("{key}{got}");
        }
        for (_, value) in table.iter_mut() {
            *value += get(*value).await;
        }
        for value in table.values_mut() {
            *value = get(*value).await;
        }
        for key in table.keys() {
            out += &say(key).await;
        }
        format!("{out}{table:?}")
    } for (3);

    async fn queue(n: i64) -> String {
        let mut queue = VecDeque::from([(n, 0)]);
        let mut seen = BTreeSet::new();
        while let Some((node, depth)) = queue.pop_front() {
            if depth > 2 || !seen.insert(node) {
                continue;
            }
            for next in list(node % 3).await {
                queue.push_back((next, depth + 1));
            }
        }
        format!("{seen:?}")
    } for (4);

    async fn deadline(n: i64) -> i64 {
        let started = SystemTime::UNIX_EPOCH;
        let deadline = started + Duration::from_secs(60 * n as u64);
        let mut now = started;
        let mut looks = 0;
        while now < deadline && !flag(looks * 2 + 1).await {
            sleep(Duration::from_secs(30)).await;
            now += Duration::from_secs(30);
            looks += 1;
        }
        looks
    } for (2);

    async fn owned_list(n: i64) -> i64 {
        let mut current = Some(Box::new(tree()));
        let mut total = n;
        while let Some(node) = current {
            total += get(node.value).await;
            current = node.children.into_iter().next_back().map(Box::new);
        }
        total
    } for (1);

    async fn best_so_far(n: i64) -> Option<(String, i64)> {
        let mut best: Option<(String, i64)> = None;
        for word in words(n).await {
            let score = get(word.len() as i64).await - best.as_ref().map_or(0, |(_, score)| *score);
            if best.as_ref().is_none_or(|(_, old)| score > *old) {
                best = Some((word, score));
            }
        }
        best
    } for (0), (3);

    async fn sorted_and_deduped(n: i64) -> Vec<String> {
        let mut words = words(n).await;
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        let (long, short): (Vec<_>, Vec<_>) = words.into_iter().partition(|word| word.len() > 2);
        for word in long.iter().chain(&short) {
            store(word.clone()).await;
        }
        short
    } for (3), (12);

    async fn while_let_with_and(n: i64) -> i64 {
        let mut values = list(n).await;
        let mut total = 0;
        while let Some(value) = values.pop() && total < 20 {
            total += get(value).await;
        }
        total
    } for (2), (5);

    async fn numbers_without_types(n: i64) -> i64 {
        let mut attempts = 0;
        let mut factor = 1.5;
        loop {
            attempts += 1;
            factor *= 2.0;
            if get(attempts).await > n * 3 || factor > 100.0 {
                break attempts;
            }
        }
    } for (2);

    async fn zipped(n: i64) -> i64 {
        let names = words(n).await;
        let values = list(n).await;
        let mut total = 0;
        for (name, value) in names.iter().zip(&values).skip(1) {
            total += say(name).await.len() as i64 + get(*value).await;
        }
        for (name, value) in names.into_iter().zip(values) {
            total += say(&name).await.len() as i64 + value;
        }
        total
    } for (3);

    async fn once_by_default(n: i64) -> String {
        let name = order(n).await.note.unwrap_or_else(|| "nobody".to_string());
        let first = name.chars().next().unwrap_or('?');
        for letter in name.chars().filter(|letter| letter.is_alphabetic()).take(2).collect::<Vec<_>>() {
            store(letter.to_string()).await;
        }
        let said = say(&name).await;
        format!("{first}{said}")
    } for (1), (2);
}

mod trees {
    use super::*;

    recursive_twins! {
        async fn walk_owned(tree: Tree) -> i64 {
            let mut total = get(tree.value).await;
            for child in tree.children {
                total += walk_owned(child).await;
            }
            total
        } for (tree());

        async fn walk_by_reference(tree: Tree, depth: i64) -> i64 {
            let mut total = 0;
            for child in &tree.children {
                total += get(child.value * depth).await + walk_by_reference(child.clone(), depth + 1).await;
            }
            total
        } for (tree(), 1);
    }
}
