//! `for` over what can be resumed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

twins! {
    async fn for_range(n: i64) -> i64 {
        let mut total = 0;
        for i in 0..n {
            total += get(i).await;
        }
        for i in n..=n + 2 {
            total = add(total, i).await;
        }
        for i in (1..=2).rev() {
            total = add(total, i * 1000).await;
        }
        total
    } for (0), (3);

    async fn for_open_range(n: i64) -> i64 {
        let mut seen = 0;
        for i in n.. {
            if flag(i).await && i > 3 {
                break;
            }
            seen += i;
        }
        seen
    } for (1), (5);

    async fn for_owned_vec(n: i64) -> String {
        let mut out = String::new();
        for word in words(n).await {
            let said = say(&word).await;
            out += &said;
            out += &word;
        }
        out
    } for (0), (1), (3);

    async fn for_borrowed_vec(n: i64) -> i64 {
        let order = order(n).await;
        let mut total = 0;
        for item in &order.items {
            total += price(item).await * item.qty;
            store(item.sku.clone()).await;
        }
        total + order.items.len() as i64
    } for (0), (1), (3);

    async fn for_borrowed_local(n: i64) -> String {
        let words = words(n).await;
        let mut out = vec![];
        for word in &words {
            out.push(say(word).await);
        }
        for word in words.iter() {
            out.push(say(word).await + word);
        }
        format!("{out:?} {words:?}")
    } for (0), (2);

    async fn for_enumerate(n: i64) -> String {
        let words = words(n).await;
        let mut out = String::new();
        for (i, word) in words.iter().enumerate() {
            out += &say(&format!("{i}{word}")).await;
            out += word;
        }
        for (i, word) in words.into_iter().enumerate() {
            out += &say(&format!("{i}")).await;
            out += &word;
        }
        out
    } for (0), (1), (3);

    async fn for_mutable(n: i64) -> Vec<i64> {
        let mut values = list(n).await;
        for value in &mut values {
            *value += 1;
            let more = get(*value).await;
            *value += more;
        }
        for value in values.iter_mut() {
            *value = add(*value, 1).await;
        }
        values
    } for (0), (1), (3);

    async fn for_map(n: i64) -> String {
        let mut out = String::new();
        for (key, value) in table(n).await {
            out += &say(&key).await;
            out += &get(value).await.to_string();
        }
        let table = table(n).await;
        for (key, value) in &table {
            out += &say(key).await;
            out += &get(*value).await.to_string();
            out += key;
        }
        out
    } for (0), (2), (3);

    async fn for_keys_and_values(n: i64) -> i64 {
        let mut table = table(n).await;
        let mut total = 0;
        for key in table.keys() {
            total += say(key).await.len() as i64;
        }
        for value in table.values() {
            total += get(*value).await;
        }
        for value in table.values_mut() {
            *value += get(1).await;
        }
        total + table.values().sum::<i64>()
    } for (0), (2);

    async fn for_deque_and_set(n: i64) -> Vec<i64> {
        let queue: VecDeque<_> = list(n).await.into();
        let set: BTreeSet<_> = queue.iter().map(|v| v % 3).collect();
        let mut out = vec![];
        for value in set {
            out.push(get(value).await);
        }
        for value in &queue {
            out.push(get(*value).await);
        }
        for value in queue {
            out.push(add(value, 1).await);
        }
        out
    } for (0), (3);

    async fn for_option_array_and_tuple(n: i64) -> i64 {
        let mut total = 0;
        for value in maybe(n).await {
            total += get(value).await;
        }
        for value in [n, n + 1, get(n).await] {
            total += get(value).await;
        }
        for (a, b) in vec![(n, 2), (3, n)] {
            total += add(a, b).await * b;
        }
        let pairs = [(1, n), (n, 4)];
        for (i, (a, b)) in pairs.iter().enumerate() {
            total += add(*a, *b).await * i as i64;
        }
        total
    } for (1), (3);

    async fn for_adaptors(n: i64) -> String {
        let words = words(n).await;
        let values = list(n).await;
        let mut out = String::new();
        for (word, value) in words.iter().zip(&values) {
            out += &say(word).await;
            out += &get(*value).await.to_string();
        }
        for word in words.iter().rev().skip(1).take(2) {
            out += &say(word).await;
        }
        for pair in values.chunks(2) {
            out += &sum(pair).await.to_string();
        }
        for value in values.iter().copied().step_by(2) {
            out += &get(value).await.to_string();
        }
        out
    } for (0), (1), (4);

    async fn for_collected(n: i64) -> i64 {
        let limit = n;
        let mut total = 0;
        for value in list(5).await.into_iter().filter(|v| *v > limit).collect::<Vec<_>>() {
            total += get(value).await;
        }
        total
    } for (1), (3);

    async fn for_over_text(n: i64) -> String {
        let text = format!("a{n} b");
        let mut out = String::new();
        for c in text.chars() {
            out += &say(&c.to_string()).await;
        }
        for word in text.split_whitespace() {
            out += &say(word).await;
        }
        out
    } for (1), (27);

    async fn for_nested(n: i64) -> i64 {
        let grid = { let end = list(n).await; let end_2 = list(2).await; vec![end, end_2] };
        let mut total = 0;
        for row in &grid {
            for (i, value) in row.iter().enumerate() {
                for k in 0..i as i64 {
                    total += add(*value, k).await;
                }
                total += sum(row).await;
            }
        }
        for row in grid {
            for value in row {
                total += get(value).await;
            }
        }
        total
    } for (0), (2), (3);

    async fn for_patterns(n: i64) -> BTreeMap<String, i64> {
        let mut out = BTreeMap::new();
        let order = order(n).await;
        for crate::vocabulary::Item { sku, qty } in &order.items {
            let said = say(sku).await;
            *out.entry(said).or_insert(0) += qty;
            out.insert(sku.clone(), get(*qty).await);
        }
        for crate::vocabulary::Item { sku, mut qty } in order.items {
            qty += get(qty).await;
            out.insert(sku + "!", qty);
        }
        out
    } for (0), (2);

    async fn for_head_and_body_that_fails(n: i64) -> Result<i64, crate::vocabulary::Fault> {
        let mut total = 0;
        for i in 0..attempt(n).await? {
            for value in list(attempt(i + 4).await?).await {
                total += value;
            }
            total += attempt(total + i).await?;
        }
        Ok(total)
    } for (1), (2), (3), (7);
}
