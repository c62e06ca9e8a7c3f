//! Borrows that live over a suspension: made again when the workflow is resumed.

use crate::vocabulary::{Address, Item, Order};

twins! {
    async fn borrow_of_a_field(n: i64) -> String {
        let order = order(n).await;
        let name = &order.name;
        let city = &order.address.city;
        let said = say(name).await;
        let shipped = ship(&order, &order.address).await;
        { let end = say(city).await; format!("{name} {city} {said} {shipped} {}", end) }
    } for (1), (2);

    async fn borrow_of_a_borrow(n: i64) -> String {
        let order = order(n).await;
        let whole = &order;
        let address = &whole.address;
        let city = &address.city;
        let a = say(city).await;
        let b = ship(whole, address).await;
        format!("{a} {b} {city} {}", whole.id)
    } for (1), (2);

    async fn borrow_of_a_parameter(order: Order) -> i64 {
        let items = &order.items;
        let mut total = 0;
        for item in items {
            total += price(item).await;
        }
        let first = &items[0];
        total += price(first).await;
        total + first.qty
    } for (crate::vocabulary::Order {
        id: 1,
        name: "n".into(),
        items: vec![Item { sku: "a".into(), qty: 2 }, Item { sku: "bb".into(), qty: 3 }],
        address: Address { city: "c".into(), zip: 1 },
        note: None
    });

    async fn mutable_borrow(n: i64) -> Vec<String> {
        let mut notes = Vec::new();
        let log = &mut notes;
        log.push(say("first").await);
        for i in 0..n {
            log.push(say(&i.to_string()).await);
        }
        let count = get(log.len() as i64).await;
        log.push(count.to_string());
        notes.push(say("last").await);
        notes
    } for (0), (2);

    async fn mutable_borrow_of_a_field(n: i64) -> Order {
        let mut order = order(n).await;
        let address = &mut order.address;
        address.city = say(&address.city).await;
        let zip = &mut address.zip;
        *zip += 1;
        let more = get(i64::from(*zip)).await;
        *zip += more as u32;
        order
    } for (1), (2);

    async fn borrow_by_pattern(n: i64) -> String {
        let order = order(n).await;
        let Order { name, items, address: Address { city, .. }, .. } = &order;
        let a = say(name).await;
        let b = say(city).await;
        let c = items.len() as i64;
        let d = get(c).await;
        format!("{name} {city} {a} {b} {c} {d} {items:?}")
    } for (1), (2);

    async fn borrow_by_mutable_pattern(n: i64) -> (Vec<i64>, String) {
        let mut parts = (list(n).await, say("x").await);
        let (values, text) = &mut parts;
        values.push(get(n).await);
        text.push_str(&say(text).await);
        values.push(text.len() as i64);
        let last = get(values.len() as i64).await;
        values.push(last);
        parts
    } for (0), (2);

    async fn borrow_of_an_element(n: i64) -> String {
        let items = { let end = say("a").await; let end_2 = say("b").await; let end_3 = say("c").await; vec![end, end_2, end_3] };
        let first = &items[0];
        let i = 1;
        let second = &items[i];
        let a = say(first).await;
        let b = say(second).await;
        format!("{first} {second} {a} {b}")
    } for (1);

    async fn borrow_and_move_later(n: i64) -> Order {
        let order = order(n).await;
        {
            let name = &order.name;
            let said = say(name).await;
            store(said + name).await;
        }
        let id = &order.id;
        let next = get(*id).await;
        store(next.to_string()).await;
        order
    } for (1);

    async fn borrow_in_a_loop(n: i64) -> String {
        let orders = { let end = order(n).await; let end_2 = order(n + 1).await; vec![end, end_2] };
        let mut out = String::new();
        for order in &orders {
            let name = &order.name;
            for item in &order.items {
                let sku = &item.sku;
                out += &say(sku).await;
                out += name;
                out += &price(item).await.to_string();
            }
            out += &ship(order, &orders[0].address).await;
        }
        out
    } for (0), (2);

    async fn borrowed_text_and_slices(n: i64) -> i64 {
        let text = say("abc").await;
        let values = list(4).await;
        let whole: &str = &text;
        let all: &[i64] = &values;
        let a = say(whole).await;
        let b = sum(all).await;
        let c = sum(&all[1..]).await;
        b + c + (a.len() + whole.len()) as i64 + n
    } for (1);

    async fn reborrow_after_a_change(n: i64) -> Vec<i64> {
        let mut values = list(n).await;
        let first = get(values.len() as i64).await;
        values.push(first);
        let borrowed = &values;
        let total = sum(borrowed).await;
        let length = borrowed.len();
        values.push(total);
        let borrowed = &mut values;
        borrowed.push(get(length as i64).await);
        borrowed.reverse();
        values
    } for (0), (2);

    async fn borrow_of_a_matched_option(n: i64) -> String {
        let mut order = order(n).await;
        if let Some(note) = &mut order.note {
            let said = say(note).await;
            note.push_str(&said);
            let again = say(note).await;
            *note = again;
        }
        if let Some(note) = order.note.as_ref() {
            store(note.clone()).await;
        }
        match &mut order.items[..] {
            [first, ..] => {
                first.qty = get(first.qty).await;
                first.sku += "!";
            }
            [] => order.id = -1,
        }
        format!("{order:?}")
    } for (0), (1), (2);

    async fn look_ups(n: i64) -> String {
        let order = order(n).await;
        let table = table(n + 2).await;
        let first = order.items.first();
        let last = order.items.last();
        let note = order.note.as_deref();
        let word = note.unwrap_or("none").trim();
        let key = "k1".to_string();
        let value = table.get(&key);
        let direct = &table["k0"];
        let name = order.name.as_str();
        let start = name.strip_prefix("order ").unwrap_or(name);
        let (before, after) = order.name.split_at(2);
        let a = say(word).await;
        let b = say(start).await;
        { let end_1 = get(1).await; format!("{first:?} {last:?} {note:?} {a} {b} {value:?} {direct} {before} {after} {}", end_1) }
    } for (0), (1), (2);

    async fn look_up_and_leave(n: i64) -> Option<i64> {
        let mut items = order(n).await.items;
        let first = items.first()?;
        let a = price(first).await;
        let second = items.get(1)?;
        let b = price(second).await;
        if let Some(item) = items.get_mut(n as usize - 1) {
            item.qty += get(item.qty).await;
            item.qty += get(item.qty).await;
        }
        Some(a + b + items[1].qty)
    } for (0), (1), (2), (3);

    async fn a_changing_index_is_copied(n: i64) -> String {
        let items = order(n).await.items;
        let mut i = 0;
        let mut out = String::new();
        while i + 1 < items.len() {
            let item = &items[i];
            let next = &items[i + 1].sku;
            i += 1;
            out += &say(&item.sku).await;
            out += &get(item.qty).await.to_string();
            out += next;
        }
        out
    } for (0), (1), (3);

    async fn tuples_of_borrows(n: i64) -> String {
        let order = order(n).await;
        let pair = (&order.name, &order.address);
        let (name, count) = (&order.name, get(n).await);
        let said = match (&order.note, order.items.first()) {
            (Some(note), Some(item)) => { let end_1 = say(note).await; let end_2 = price(item).await; format!("{}{}{note}", end_1, end_2) },
            (Some(note), None) => say(note).await + note,
            (None, _) => say("none").await,
        };
        let (again, address) = pair;
        { let end_1 = say(again).await; format!("{said} {} {name} {count} {again} {}", end_1, address.zip) }
    } for (0), (1), (2);

    /// Of what holds a borrow and a value, the value alone is needed after the await.
    async fn a_borrow_and_a_value(n: i64) -> String {
        let order = order(n).await;
        let named = (&order.name, order.items.len() as i64);
        let said = say(named.0).await;
        let count = get(named.1).await;
        format!("{said} {count} {}", named.1)
    } for (0), (2);

    /// What stands beside a borrow may change: the pattern is not matched as a whole again.
    async fn beside_the_borrow(n: i64) -> String {
        let mut parts = (n, words(2).await, Some(n));
        match parts {
            (1, ref mut words, Some(_)) => {
                parts.0 = 100;
                parts.2 = None;
                words.push(say("x").await);
                words.push(get(parts.0).await.to_string());
            }
            (_, ref words, _) => {
                let said = say(&words[0]).await;
                store(said + &words[1]).await;
            }
        }
        format!("{parts:?}")
    } for (0), (1);

    /// A key may change after the look-up: it is not looked up again.
    async fn after_the_look_up(n: i64) -> String {
        let table = table(n + 2).await;
        let mut key = "k0".to_string();
        let found = table.get(key.as_str()).copied();
        key.push('x');
        let a = get(found.unwrap_or(-1)).await;
        let mut at = 0;
        let items = list(3).await;
        let item = items.get(at).unwrap();
        at += 2;
        let b = get(*item).await;
        format!("{a} {b} {item} {key} {at} {found:?}")
    } for (1), (2);

    async fn borrows_of_borrows(n: i64) -> String {
        let orders = [order(n).await, order(n + 1).await];
        let first = &orders[0];
        let items = &first.items;
        let item = items.first();
        let mut names = vec![];
        for (order, other) in orders.iter().zip(orders.iter().rev()) {
            let address = &order.address;
            let (city, zip) = (&address.city, &address.zip);
            for item in &order.items {
                let sku = item.sku.as_str();
                names.push(say(sku).await + city);
                if let Some(note) = &other.note {
                    names.push(say(note).await + sku + note);
                }
            }
            names.push({ let end_1 = get(i64::from(*zip)).await; format!("{city}{zip}{}", end_1) });
        }
        { let end_1 = say(&first.name).await; format!("{names:?}{item:?}{}", end_1) }
    } for (0), (1), (2);

    async fn mutable_parts(n: i64) -> Order {
        let mut order = order(n).await;
        let (items, address) = (&mut order.items, &mut order.address);
        items.push(Item { sku: say("new").await, qty: 1 });
        address.city.push_str(&say(&address.city).await);
        items[0].qty += get(7).await;
        if let Some(note) = order.note.as_mut() {
            note.push_str(&say(note).await);
            *note += &say(note).await;
        }
        while let Some(last) = order.items.last_mut() {
            last.qty += get(last.qty).await;
            if last.qty > 30 {
                break;
            }
            store(last.sku.clone()).await;
        }
        order
    } for (0), (1), (2);

    async fn conditions_over_look_ups(n: i64) -> String {
        let order = order(n).await;
        let mut i = 0;
        let mut out = String::new();
        while let Some(item) = order.items.get(i)
            && flag(0).await
        {
            i += 1;
            out += &say(&item.sku).await;
            out += &item.sku;
        }
        let Some(note) = &order.note else {
            return say(&out).await + &order.name;
        };
        let Item { sku, qty } = order.items.first().unwrap_or(const { &Item { sku: String::new(), qty: 0 } });
        { let end_1 = say(note).await; let end_2 = get(*qty).await; format!("{out}{note}{}{sku}{}", end_1, end_2) }
    } for (0), (1), (2);

    /// What looks like a borrow and gives a value is saved: it may have changed by then.
    async fn values_out_of_borrows(n: i64) -> String {
        let mut values = list(n + 2).await;
        let borrowed = &values;
        let max = borrowed.iter().copied().max();
        let doubled = borrowed.iter().map(|v| v * 2).max();
        let last = values.iter().last().copied();
        let first = values.first().map(|v| v + 1);
        values.push(1000);
        values[0] = 500;
        let end = get(n).await;
        format!("{max:?} {doubled:?} {last:?} {first:?} {values:?} {end}")
    } for (0), (2);

    async fn borrow_through_a_box(n: i64) -> String {
        let mut boxed = Box::new(order(n).await);
        let order = &*boxed;
        let name = &order.name;
        let said = say(name).await;
        let items = &mut boxed.items;
        items.push(Item { sku: said, qty: get(n).await });
        let last = items.last_mut().unwrap();
        last.qty += get(last.qty).await;
        last.sku += &say(&last.sku).await;
        format!("{boxed:?}")
    } for (0), (1);

    async fn shadowed_roots(n: i64) -> String {
        let order = order(n).await;
        let name = &order.name;
        let order = say(name).await;
        let said = &order;
        let order = say(said).await;
        let again = say(name).await;
        format!("{name} {said} {order} {again}")
    } for (1);

    async fn root_assigned_in_a_loop(n: i64) -> String {
        let mut current = order(0).await;
        let mut out = String::new();
        for i in 1..=n {
            let name = &current.name;
            out += &say(name).await;
            out += name;
            current = order(i).await;
            let city = &mut current.address.city;
            city.push('!');
            out += &say(city).await;
            out += city;
        }
        out + &current.address.city
    } for (0), (2);
}
