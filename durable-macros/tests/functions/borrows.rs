twins! {
    async fn field_borrow(order: Order) -> usize {
        let name = &order.name;
        let first = &order.pair.1;
        let again = name;
        num(1).await;
        let n = name.len();
        text(first).await;
        n + first.len() + again.len()
    } with (order(1));

    async fn mutable_borrow(n: u64) -> Vec<String> {
        let mut notes = Vec::new();
        let w = &mut notes;
        w.push(format!("start {n}"));
        num(n).await;
        w.push("middle".to_owned());
        text("again").await;
        w.push("end".to_owned());
        notes.push("own".to_owned());
        notes
    } with (1);

    async fn reference_parameters(name: &str, order: &Order, list: &[u64]) -> u64 {
        let mut sum = name.len() as u64;
        for n in list {
            sum += num(*n).await + order.pair.0;
        }
        text(name).await;
        text(&order.name).await;
        sum + list.len() as u64
    } with ("nm", &order(2), &[1, 2, 3]);

    async fn pattern_parameters((a, b): (u64, String), Item { sku, mut qty }: Item, [x, _]: [u64; 2]) -> String {
        qty += num(a + x).await;
        let back = text(&b).await;
        format!("{b}{sku}{back}{qty}")
    } with ((1, "b".to_owned()), Item { sku: "s".to_owned(), qty: 2 }, [7, 8]);

    async fn loops_over_references(order: Order) -> Vec<String> {
        let mut seen = Vec::new();
        for (i, item) in order.items.iter().enumerate() {
            let k = num(i as u64).await;
            seen.push(format!("{k} {} {i}", item.sku));
        }
        for (key, value) in &order.tags {
            let back = text(key).await;
            seen.push(format!("{back}{value}"));
            num(*value).await;
        }
        for c in order.name.chars().rev() {
            seen.push(text(&c.to_string()).await);
        }
        for pair in order.items.chunks(2) {
            for Item { sku, qty } in pair {
                num(*qty).await;
                seen.push(sku.clone());
            }
        }
        seen
    } with (order(0)), (order(3));

    async fn loops_over_mutable(n: u64) -> Vec<u64> {
        let mut v = list(n).await;
        for x in &mut v {
            *x += num(*x).await;
            *x *= 2;
        }
        for (i, x) in v.iter_mut().enumerate() {
            unit("again").await;
            *x += i as u64;
        }
        v
    } with (0), (3);

    async fn loops_over_owned(order: Order) -> Vec<String> {
        let mut seen = Vec::new();
        let Order { items, tags, coupon, .. } = order;
        for item in items {
            let Item { sku, qty } = item;
            num(qty).await;
            seen.push(sku);
        }
        for (key, value) in tags {
            num(value).await;
            seen.push(key);
        }
        for coupon in coupon.into_iter().collect::<Vec<_>>() {
            seen.push(text(&coupon.code).await);
        }
        for mut word in ["a".to_owned(), "b".to_owned()] {
            word.push('x');
            text(&word).await;
            seen.push(word);
        }
        for n in list(3).await {
            if n == 1 && yes(true).await {
                continue;
            }
            seen.push(num(n).await.to_string());
        }
        for n in (0..=4).rev().step_by(2) {
            seen.push(num(n).await.to_string());
        }
        seen
    } with (order(0)), (order(3));

    async fn nested_loops(order: Order) -> u64 {
        let mut sum = 0;
        let names = &order.items;
        for a in names {
            let label = &a.sku;
            for b in &order.items {
                let both = format!("{label}{}", b.sku);
                for c in 0..2 {
                    let t = text(&both).await;
                    sum += t.len() as u64 + c + a.qty;
                }
                text(label).await;
            }
            sum += num(a.qty).await;
        }
        sum
    } with (order(0)), (order(2));

    async fn match_borrowed(order: Order) -> String {
        let shown = match (&order.coupon, order.pair.0) {
            (Some(_), n) => text("some").await + &n.to_string(),
            (None, _) => text("none").await,
        };
        let label = match &order.items[..] {
            [] => String::new(),
            [only] => {
                text("one").await;
                only.sku.clone()
            }
            [first, .., last] => {
                let a = text(&first.sku).await;
                format!("{a}{}", last.sku)
            }
        };
        match order.coupon {
            Some(ref c) => {
                num(c.value).await;
                format!("{shown}{label}{}", c.code)
            }
            None => shown + &label,
        }
    } with (order(0)), (order(1)), (order(2)), (order(3));

    async fn index_borrow(order: Order) -> u64 {
        if order.items.len() < 2 {
            return 0;
        }
        let at = 1;
        let second = &order.items[at];
        let first = &order.items[0].sku;
        num(1).await;
        second.qty + text(first).await.len() as u64
    } with (order(1)), (order(3));

    async fn short_borrows(n: u64) -> u64 {
        let mut v = list(n).await;
        let first = v.first_mut();
        if let Some(first) = first {
            *first += 10;
        }
        let total: u64 = v.iter().sum();
        let view = &v;
        let longest = view.iter().max().copied();
        num(total).await + longest.unwrap_or(0)
    } with (0), (3);

    async fn loop_and_borrow(order: Order) -> Result<u64, String> {
        let name = &order.name;
        let mut turns = 0;
        let total = loop {
            turns += try_num(order.pair.0 + 1).await?;
            if turns > 3 {
                unit("last").await;
                break turns;
            }
            text(name).await;
        };
        Ok(total + name.len() as u64)
    } with (order(0)), (order(2)), (order(101));

    async fn static_text(n: u64) -> String {
        const NAME: &str = "const";
        let label = "literal";
        let name = NAME;
        let table = &[1, 2, 3];
        let bytes = b"by";
        let upper = label;
        let mut sum = 0;
        for k in table {
            sum += num(*k + n).await;
        }
        const LIST: [u64; 2] = [4, 5];
        for k in LIST {
            sum += num(k).await;
        }
        for word in ["a", NAME].map(String::from) {
            sum += text(&word).await.len() as u64;
        }
        format!("{label}{name}{sum}{upper}{}", bytes.len())
    } with (1);

    async fn views(order: Order) -> usize {
        let name = order.name.as_str();
        let items = order.items.as_slice();
        if let Some(c) = order.coupon.as_ref() {
            num(c.value).await;
            text(&c.code).await;
        }
        num(1).await;
        let mut n = name.len();
        for item in items {
            n += text(&item.sku).await.len();
        }
        n
    } with (order(0)), (order(3));
}
