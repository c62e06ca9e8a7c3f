//! Awaits in struct literals, tuples, arrays, indices, ranges and returns.

use crate::vocabulary::{Address, Event, Item, Order};

#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Totals {
    net: i64,
    tax: i64,
    label: String,
    lines: Vec<i64>,
}

twins! {
    async fn struct_literals(n: i64) -> Order {
        let id = get(n).await;
        let name = say("name").await;
        Order {
            name,
            id,
            items: { let end = Item { qty: get(id).await, sku: say("sku").await }; vec![end, Item { sku: "fix".into(), qty: 1 }] },
            address: Address { city: say("city").await, zip: 1 + get(2).await as u32 },
            note: if flag(n).await { Some(say("note").await) } else { None },
        }
    } for (1), (2);

    async fn struct_update(n: i64) -> Totals {
        let base = Totals { label: say("base").await, ..Totals::default() };
        let mut totals = Totals { net: get(n).await, lines: list(2).await, ..base };
        totals = Totals { tax: get(totals.net).await, ..totals };
        let address = Address { zip: get(1).await as u32, ..order(n).await.address };
        totals.label += &address.city;
        totals.lines.push(i64::from(address.zip));
        totals
    } for (1), (2);

    async fn enum_literals(n: i64) -> Vec<Event> {
        let moved = Event::Moved { y: get(n).await, x: get(n + 1).await };
        let twice = Event::Twice(Box::new(Event::Said(say("in").await)), Box::new(event(n).await));
        let many = Event::Many(list(get(0).await).await);
        vec![Event::Idle, moved, many, twice]
    } for (1), (2);

    async fn tuples(n: i64) -> (i64, (String, [i64; 2]), Option<i64>) {
        let pair = (get(n).await, say("t").await);
        let swapped = (pair.1, pair.0);
        let first = pair_of(swapped.1, get(swapped.1).await).0;
        (first, (swapped.0, [get(1).await, first]), Some(get(2).await))
    } for (1), (2);

    async fn tuple_fields_of_awaits(n: i64) -> String {
        let number = pair(n).await.0;
        let text = pair(number).await.1;
        let city = order(n).await.address.city;
        let length = order(number).await.items.len();
        format!("{number} {text} {city} {length}")
    } for (1), (2);

    async fn arrays(n: i64) -> [i64; 4] {
        let values = [get(n).await, n, get(n + 1).await];
        let repeated = [get(7).await; 3];
        let [a, b, c] = values;
        let grid = [[a, get(b).await], [c, repeated[1]]];
        [grid[0][1], grid[1][0], values[2], sum(&repeated).await]
    } for (1), (2);

    async fn indices(n: i64) -> String {
        let values = list(4).await;
        let at = values[(get(n).await % 4) as usize];
        let first = list(3).await[0];
        let element = values[get(0).await as usize..][0];
        let slice = sum(&values[1..get(0).await as usize + 1]).await;
        let table = table(3).await;
        let by_key = table["k1"] + table[&{ let end = get(0).await; format!("k{}", end) }];
        format!("{at} {first} {element} {slice} {by_key}")
    } for (0), (1), (2);

    async fn ranges(n: i64) -> Vec<i64> {
        let range = get(0).await..get(1).await;
        let inclusive = n..=get(n).await;
        let open = get(n).await..;
        let inside = range.contains(&get(n).await) as i64;
        vec![range.end, *inclusive.end(), open.start, inside, range.sum()]
    } for (0), (1);

    async fn values_of_blocks_in_literals(n: i64) -> Totals {
        Totals {
            net: {
                let a = get(n).await;
                a * 2
            },
            tax: match maybe(n).await {
                Some(v) => v,
                None => get(5).await,
            },
            label: if n > 1 { say("many").await } else { "one".into() },
            lines: loop {
                break list(n).await;
            },
        }
    } for (1), (3);

    async fn unit_and_nothing(n: i64) {
        let () = store("a".into()).await;
        let unit = store(format!("b{n}")).await;
        if n > 1 {
            return store("early".into()).await;
        }
        let _: () = unit;
        store("last".into()).await
    } for (1), (2);

    async fn expression_statements(n: i64) -> i64 {
        get(n).await;
        let _ = get(n).await + 1;
        (get(1).await, get(2).await);
        Some(get(3).await).map(|v| v + n);
        let _ = &get(4).await;
        [get(5).await];
        n
    } for (1);

    async fn options_and_results(n: i64) -> String {
        let some = Some(get(n).await);
        let ok: Result<_, String> = Ok(say("ok").await);
        let boxed = Box::new(get(1).await);
        let mapped = some.map(|v| v + *boxed).and_then(|v| v.checked_sub(n));
        let text = ok.unwrap_or_else(|e| e) + &mapped.unwrap_or(get(2).await).to_string();
        { let end = some.zip(maybe(n).await); format!("{text} {:?}", end) }
    } for (1), (3);
}

fn pair_of(a: i64, b: i64) -> (i64, i64) {
    (b, a)
}
