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

    async fn a_pattern_is_matched_again_without_its_literals(order: Order) -> String {
        let mut pair = (order.pair.0, order.name, Some(1u64));
        match pair {
            (1, ref mut name, Some(_)) => {
                pair.0 = 7;
                pair.2 = None;
                name.push_str(&text("x").await);
                num(pair.0).await;
                name.push('!');
            }
            (_, ref name, _) => {
                text(name).await;
                num(name.len() as u64).await;
            }
        }
        format!("{pair:?}")
    } with (order(1)), (order(2));

    async fn an_exit_may_change_what_was_iterated(order: Order) -> u64 {
        let mut order = order;
        for (i, item) in order.items.iter().enumerate() {
            if item.qty == 2 {
                let sku = item.sku.clone();
                order.items.clear();
                text(&sku).await;
                return i as u64 + num(9).await + order.items.len() as u64;
            }
            num(item.qty).await;
        }
        num(77).await
    } with (order(0)), (order(1)), (order(3));

    async fn copied_items_outlive_a_change(n: u64) -> u64 {
        let mut v = list(n).await;
        for x in v.iter().copied() {
            if x == 1 {
                v[1] = 100;
                num(5).await;
                return x + v[1];
            }
            num(x).await;
        }
        for c in "ab".chars() {
            text(&c.to_string()).await;
        }
        0
    } with (0), (3);

    async fn a_changing_index_is_copied(order: Order) -> String {
        let mut i = 0;
        let mut out = String::new();
        while i < order.items.len() {
            let item = &order.items[i];
            let other = order.items.get(i + 1);
            i += 1;
            out += &text(&item.sku).await;
            if let Some(next) = order.items.get(i) {
                i += 0;
                out += &text(&next.sku).await;
                out += &next.sku;
            }
            if let Some(other) = other {
                num(other.qty).await;
            }
            out += &item.sku;
        }
        out
    } with (order(0)), (order(1)), (order(3));

    async fn look_ups(order: Order) -> String {
        let first = order.items.first();
        let tag = order.tags.get("t").unwrap();
        let name = order.name.trim().trim_start_matches('a');
        let code = order.coupon.as_ref().map(|c| c.code.clone());
        let coupon = order.coupon.as_ref();
        let key = "u".to_owned();
        let by_key = order.tags.get(&key);
        let Some(last) = order.items.last() else { return text("none").await };
        num(*tag).await;
        let (head, tail) = order.items.split_at(1);
        num(tail.len() as u64).await;
        let max = order.items.iter().max_by_key(|i| i.qty).map(|i| i.qty);
        num(max.unwrap_or(0)).await;
        format!("{first:?}{tag}{name}{code:?}{coupon:?}{by_key:?}{last:?}{head:?}{tail:?}")
    } with (order(0)), (order(1)), (order(3));

    async fn tuples_of_borrows(order: Order) -> String {
        let pair = (&order.name, &order.items);
        let (name, n) = (&order.name, order.pair.0 + 1);
        let some = Some(&order.tags);
        num(n).await;
        let (a, b) = pair;
        num(n).await;
        match (&order.coupon, &order.pair.1) {
            (Some(c), t) => {
                text(t).await;
                text(&c.code).await;
            }
            (None, t) => {
                text(t).await;
                text(t).await;
            }
        }
        format!("{a}{b:?}{name}{n}{some:?}")
    } with (order(0)), (order(1));

    async fn choices_between_texts(order: Order) -> String {
        let label = if order.pair.0 > 1 { "many" } else { "few" };
        let kind = match order.pair.0 {
            0 => "zero",
            1 if order.coupon.is_some() => "one",
            2 => return text("two").await,
            _ => "more",
        };
        let asked = if yes(order.pair.0 == 3).await { "three" } else { "other" };
        let which = if order.coupon.is_some() { &order.name } else { &order.pair.1 };
        let back = text(label).await;
        num(1).await;
        format!("{label}{kind}{asked}{which}{back}")
    } with (order(0)), (order(1)), (order(2)), (order(3)), (order(4));

    async fn static_texts(n: u64) -> String {
        const NAMES: &[&str] = &["x", "y"];
        let mut out = String::new();
        for name in ["a", "b"] {
            out += &text(name).await;
            out += name;
        }
        for name in NAMES {
            out += &text(name).await;
            out += name;
        }
        for name in NAMES.iter().copied() {
            out += &text(name).await;
            out += name;
        }
        for (i, name) in ["c", "d"].into_iter().enumerate() {
            out += &text(name).await;
            out += name;
            num(i as u64).await;
        }
        let list = vec!["e", "f"];
        let table = [("g", 1), ("h", 2)];
        let path = concat!("a", "/", "b");
        num(n).await;
        let second = table[1].0;
        for name in &list {
            out += &text(name).await;
            out += name;
        }
        for (name, value) in table {
            out += &text(name).await;
            num(value).await;
            out += name;
        }
        for name in list {
            out += &text(name).await;
            out += name;
        }
        text(path).await;
        out + path + second + NAMES[1]
    } with (1);

    async fn iterations_of_all_kinds(order: Order) -> String {
        let mut order = order;
        let mut out = String::new();
        let mut skip = 1;
        for item in order.items.iter().skip(skip).rev() {
            skip += 1;
            out += &text(&item.sku).await;
            num(skip as u64).await;
            out += &item.sku;
        }
        for (a, b) in order.items.iter().zip(order.tags.values()) {
            num(a.qty + b).await;
            out += &a.sku;
        }
        for window in order.items.windows(2) {
            out += &text(&window[0].sku).await;
            out += &window[1].sku;
        }
        for (i, item) in order.items.iter_mut().enumerate().skip(1) {
            item.qty += num(i as u64).await;
            item.sku.push('+');
            text(&item.sku).await;
            item.sku.push('-');
        }
        for two in order.items.chunks_mut(2) {
            two[0].qty += num(3).await;
            two[0].qty += num(two.len() as u64).await;
        }
        for word in "p q,r".split(' ') {
            for part in word.split(',') {
                out += &text(part).await;
                out += word;
            }
        }
        for (n, c) in order.name.char_indices().rev() {
            num(n as u64).await;
            out.push(c);
        }
        for n in (0..order.pair.0).step_by(2) {
            out += &num(n).await.to_string();
        }
        for item in order.items.drain(..) {
            out += &text(&item.sku).await;
        }
        for x in list(3).await.iter() {
            num(*x).await;
            out += &x.to_string();
        }
        let lines = order.name.chars();
        num(0).await;
        for c in lines {
            text(&c.to_string()).await;
        }
        format!("{out}{order:?}")
    } with (order(0)), (order(1)), (order(3));

    async fn mutable_borrows_of_parts(order: Order) -> Order {
        let mut order = order;
        let (items, tags) = (&mut order.items, &mut order.tags);
        items.push(Item { sku: text("new").await, qty: 1 });
        tags.insert("n".to_owned(), num(4).await);
        items[0].qty += num(1).await;
        if let Some(first) = order.items.first_mut() {
            first.qty += num(2).await;
            let sku = &mut first.sku;
            sku.push_str(&text("s").await);
            num(3).await;
            sku.push('.');
        }
        while let Some(last) = order.items.last() {
            if last.qty > 2 {
                break;
            }
            text(&last.sku).await;
            num(last.qty).await;
            order.items.pop();
        }
        if let Some(value) = order.tags.get_mut("t") {
            *value += num(9).await;
            *value += num(*value).await;
        }
        match &mut order.coupon {
            Some(Coupon { code, value }) if *value > 1 => {
                code.push('!');
                *value = num(0).await;
                code.push_str(&text("c").await);
            }
            _ => {}
        }
        order
    } with (order(0)), (order(1)), (order(3));

    async fn iterations_over_several_places(order: Order) -> String {
        let mut out = String::new();
        for (n, items) in order.items.chunks(2).enumerate() {
            out += &text(&items[0].sku).await;
            num(n as u64).await;
        }
        for (n, days) in [1, 3, 5].into_iter().enumerate() {
            num(days).await;
            num(n as u64 + days).await;
        }
        for code in [Some(&order.name), None, Some(&order.pair.1)].into_iter().flatten() {
            out += &text(code).await;
            out += code;
        }
        let names = std::iter::once(&order.name).chain(order.tags.keys());
        for name in names {
            out += &text(name).await;
            out += name;
        }
        for name in [&order.name, &order.pair.1] {
            out += &text(name).await;
            out += name;
        }
        out
    } with (order(1)), (order(3));

    async fn a_value_is_never_computed_again(n: u64) -> String {
        let mut v = list(3).await;
        let r = &v;
        let max = r.iter().copied().max();
        let doubled = r.iter().map(|x| x * 2).max();
        let last = v.iter().last().copied();
        let length = v.as_slice().len();
        v.push(100);
        num(n).await;
        format!("{max:?}{doubled:?}{last:?}{length}{v:?}")
    } with (1);
}
