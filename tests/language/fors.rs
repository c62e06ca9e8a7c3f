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

    /// No point is inside of them: any iterator will do.
    async fn for_whose_head_alone_awaits(n: i64) -> String {
        let mut out = String::new();
        for (number, word) in (1..).zip(words(n).await) {
            out += &format!("{number}{word} ");
        }
        for value in list(n).await.into_iter().filter(|v| v % 2 == 1).map(|v| v + n) {
            if value > 100 {
                break;
            }
            out += &value.to_string();
        }
        let counts: std::collections::HashMap<_, _> = words(1).await.into_iter().zip(0..).collect();
        'outer: for round in 0..get(2).await {
            for value in list(get(round).await + 2).await.iter().rev() {
                if *value == 2 {
                    continue 'outer;
                }
                out += &value.to_string();
            }
            let unit = { for c in say("x").await.chars() { out.push(c); } };
            out += &format!("{unit:?}{counts:?}");
            if flag(round).await {
                for _ in 0..get(1).await { break 'outer; }
            }
        }
        out
    } for (0), (1), (3);

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
            out += &say(&{ format!("{i}{word}") }).await;
            out += word;
        }
        for (i, word) in words.into_iter().enumerate() {
            out += &say(&{ format!("{i}") }).await;
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

    async fn for_over_what_an_await_gives(n: i64) -> String {
        let mut out = String::new();
        for word in words(n).await.iter() {
            out += &say(word).await;
            out += word;
        }
        for c in say("ab").await.chars() {
            out += &say(&c.to_string()).await;
            out.push(c);
        }
        for item in &order(n).await.items {
            out += &get(item.qty).await.to_string();
            out += &item.sku;
        }
        for (key, value) in table(n).await.iter_mut() {
            *value += get(*value).await;
            out += &say(&{ format!("{key}{value}") }).await;
        }
        out
    } for (0), (2);

    async fn for_changes_in_place(n: i64) -> String {
        let mut order = order(n).await;
        for (i, item) in order.items.iter_mut().enumerate().rev() {
            item.qty = add(item.qty, i as i64).await;
            item.sku.push_str(&say(&item.sku).await);
            if item.qty == 3 {
                continue;
            }
            store(item.sku.clone()).await;
            item.qty += 1;
        }
        for pair in order.items.chunks_mut(2) {
            pair[0].qty = get(pair.len() as i64).await;
            for item in pair {
                item.qty += get(item.qty).await;
                item.sku += &say("!").await;
            }
        }
        let mut queue: VecDeque<i64> = list(n).await.into();
        for value in &mut queue {
            *value += get(*value).await;
            *value += get(*value).await;
        }
        format!("{order:?}{queue:?}")
    } for (0), (1), (3);

    async fn for_slices(n: i64) -> String {
        let items = order(n + 3).await.items;
        let mut out = String::new();
        for item in &items[1..3] {
            out += &say(&item.sku).await;
            out += &item.sku;
        }
        for pair in items.windows(2) {
            out += &get(pair[0].qty).await.to_string();
            out += &pair[1].sku;
        }
        for (i, pair) in items.chunks(n as usize + 1).enumerate() {
            out += &get(pair.len() as i64).await.to_string();
            out += &pair[0].sku;
            out += &i.to_string();
        }
        let (head, tail) = items.split_at(1);
        for item in head.iter().chain(tail).skip(1) {
            out += &say(&item.sku).await;
        }
        let mut skip = 0;
        for item in items.iter().skip(skip).step_by(2) {
            skip += 1;
            out += &get(item.qty + skip as i64).await.to_string();
        }
        out
    } for (0), (1);

    async fn for_parts_of_text(n: i64) -> String {
        let text = format!("a{n},b {n}\nc=d");
        let mut out = String::new();
        for line in text.lines() {
            for part in line.split(',') {
                out += &say(part).await;
                out += line;
            }
            if let Some((left, right)) = line.split_once('=') {
                out += &say(left).await;
                out += right;
            }
        }
        for (i, c) in text.char_indices().skip(1).step_by(3) {
            out += &get(i as i64).await.to_string();
            out.push(c);
        }
        out
    } for (1), (22);

    async fn for_ranges_with_adaptors(n: i64) -> String {
        let mut out = String::new();
        let mut end = n;
        for i in (0..end).step_by(2) {
            end += 1;
            out += &get(i + end).await.to_string();
        }
        for i in (0..=n).rev().skip(1) {
            out += &get(i).await.to_string();
        }
        for (i, k) in (0..n).zip(5..) {
            out += &add(i, k).await.to_string();
            out += &k.to_string();
        }
        out
    } for (0), (1), (4);

    async fn for_drained(n: i64) -> String {
        let mut values = list(n + 2).await;
        let mut out = String::new();
        for value in values.drain(1..) {
            out += &get(value).await.to_string();
            if value > 6 {
                break;
            }
        }
        values.push(get(9).await);
        let table = table(n).await;
        for key in table.into_keys() {
            out += &say(&key).await;
        }
        for (i, value) in values.into_iter().enumerate().skip(1) {
            out += &add(value, i as i64).await.to_string();
        }
        out
    } for (0), (3);

    /// On a way out of the loop, what it went over may be changed or given away.
    async fn for_with_a_way_out(n: i64) -> String {
        let mut order = order(n).await;
        for (i, item) in order.items.iter().enumerate() {
            if item.qty == 2 {
                let sku = item.sku.clone();
                order.items.clear();
                let said = say(&sku).await;
                return { let end_2 = get(i as i64).await; format!("{i} {said} {} {}", order.items.len(), end_2) };
            }
            store(item.sku.clone()).await;
        }
        for value in list(n).await.iter().copied() {
            if flag(value).await {
                break;
            }
        }
        say("end").await
    } for (0), (1), (3);

    async fn for_copies_outlive_a_change(n: i64) -> i64 {
        let mut values = list(n).await;
        for value in values.iter().copied() {
            if value > 2 {
                values[1] = 1000;
                let more = get(1).await;
                return value + more + values[1];
            }
            store(value.to_string()).await;
        }
        get(n).await
    } for (0), (1), (4);

    async fn for_breaks_and_continues(n: i64) -> String {
        let orders = { let end_0 = order(n).await; let end_1 = order(n + 1).await; vec![end_0, end_1] };
        let mut out = String::new();
        'orders: for order in &orders {
            for (i, item) in order.items.iter().enumerate() {
                if flag(item.qty).await {
                    out += &item.sku;
                    continue;
                }
                if i == 2 {
                    out += &say(&order.name).await;
                    continue 'orders;
                }
                out += &say(&item.sku).await;
                if item.qty > 4 {
                    break 'orders;
                }
            }
            out += &say(&order.name).await;
            out += &order.name;
        }
        out
    } for (0), (2), (4);

    async fn for_several_places(n: i64) -> String {
        let order = order(n).await;
        let mut out = String::new();
        let names = std::iter::once(&order.name).chain(&order.note);
        for name in names {
            out += &say(name).await;
            out += name;
        }
        for name in [Some(&order.name), order.note.as_ref()].into_iter().flatten() {
            out += &say(name).await;
            out += name;
        }
        for place in [&order.address, &order.address] {
            out += &say(&place.city).await;
            out += &place.city;
        }
        out
    } for (1), (2);
}
