#[derive(Serialize, Deserialize, Debug)]
struct Uncloned {
    name: String,
    rest: Rest,
}

#[derive(Serialize, Deserialize, Debug)]
struct Rest {
    tags: Vec<String>,
    pair: (u64, (String, u64)),
    list: Vec<Item>,
}

fn uncloned(n: u64) -> Uncloned {
    Uncloned {
        name: format!("name{n}"),
        rest: Rest { tags: vec!["a".to_owned(), "b".to_owned()], pair: (n, ("in".to_owned(), 7)), list: order(n).items },
    }
}

fn send(s: String) -> Call<String> {
    Call::new(format!("send {s}"), &s)
}

/// Lets none of its fields go.
#[derive(Serialize, Deserialize)]
struct Closed {
    count: u64,
    name: String,
}

impl Drop for Closed {
    fn drop(&mut self) {}
}

twins! {
    async fn moved_by_let(order: Order) -> String {
        let all = order.items.len();
        let name = order.name;
        let said = send(name).await;
        let first = &order.items[0].sku;
        let sent = text(first).await;
        format!("{said}{all}{sent}{first}{:?}{}", order.coupon, order.pair.0)
    } with (order(1)), (order(3));

    async fn moved_into_calls(n: u64) -> String {
        let what = uncloned(n);
        unit(&what.name).await;
        let sent = send(what.name).await;
        let inner = send(what.rest.pair.1.0).await;
        let count = what.rest.pair.1.1 + what.rest.pair.0;
        let mut out = format!("{sent}{inner}{count}");
        for item in what.rest.list {
            out += &text(&item.sku).await;
            out.push_str(&what.rest.tags[0]);
        }
        for tag in what.rest.tags {
            out += &send(tag).await;
        }
        out
    } with (0), (2);

    async fn moved_on_one_way(order: Order) -> String {
        let mut order = order;
        let mut out = String::new();
        if order.pair.0 > 1 {
            out += &send(order.name).await;
            order.pair.0 += 1;
            out += &order.pair.0.to_string();
        } else {
            out += &text(&order.name).await;
            order.items.clear();
        }
        unit("joined").await;
        order.items.push(Item { sku: "new".to_owned(), qty: order.pair.0 });
        num(order.items.len() as u64).await;
        format!("{out}{:?}{}", order.items, order.pair.1)
    } with (order(1)), (order(2));

    async fn moved_by_patterns(n: u64) -> String {
        let order = order(n);
        let Some(Coupon { code, value }) = order.coupon else {
            return send(order.name).await + &order.pair.1;
        };
        num(value).await;
        let (k, label) = order.pair;
        let mut out = send(code).await;
        match order.tags.len() {
            2 if yes(k > 1).await => out += &send(label).await,
            _ => out += &label,
        }
        out + &order.name
    } with (0), (1), (3);

    async fn whole_again(n: u64) -> String {
        let mut order = order(n);
        let mut out = String::new();
        for i in 0..3 {
            out += &send(order.name).await;
            out += &num(order.pair.0).await.to_string();
            order = super::order(i);
            num(order.items.len() as u64).await;
        }
        format!("{out}{order:?}")
    } with (1);

    async fn copied_and_not_moved(n: u64) -> String {
        let closed = Closed { count: n, name: text("closed").await };
        let count = closed.count;
        num(count).await;
        unit(&closed.name).await;
        num(closed.count).await;
        let shared = std::sync::Arc::new(order(n));
        num(shared.pair.0).await;
        text(&shared.name).await;
        let order = order(n);
        let k = order.pair.0;
        num(k).await;
        format!("{order:?}{}", shared.items.len())
    } with (1), (2);
}
