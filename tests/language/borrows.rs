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
}
