twins! {
    async fn arguments(n: u64) -> u64 {
        fn add(a: u64, b: u64, c: u64) -> u64 {
            a * 100 + b * 10 + c
        }
        let x = n + 1;
        let first = add(x, num(2).await, num(x).await);
        let second = add(num(1).await, num(num(2).await).await, 3);
        first + add(second, ready(x).await, x)
    } with (1), (4);

    async fn argument_order(n: u64) -> String {
        let mut log = Vec::new();
        let mut note = |what: u64| {
            log.push(what);
            what
        };
        let a = note(1);
        let text = format!("{a}{}", note(2));
        let pair = (text.clone(), num(n).await, text + "x");
        let shown = text_of(&pair.0, num(3).await, String::from("owned"), num(4).await);
        format!("{shown} {pair:?}")
    } with (1), (4);

    async fn moved_argument(name: String) -> String {
        let s = text(&name).await;
        join(s, text("b").await, name, num(2).await)
    } with ("a".to_owned());

    async fn method_chain(n: u64) -> usize {
        let name = text("abc").await.to_uppercase().repeat(num(2).await as usize);
        list(n).await.into_iter().map(|x| x * 2).filter(|x| *x != 4).count() + name.trim().len()
    } with (0), (4);

    async fn receivers(n: u64) -> Vec<u64> {
        let mut v = vec![n];
        v.push(num(1).await);
        v.extend(list(num(n).await).await);
        v.insert(num(0).await as usize, v.len() as u64);
        let last = v.iter().copied().max().unwrap_or(num(9).await);
        v.push(last);
        v
    } with (0), (3);

    async fn literals(n: u64) -> (Order, [u64; 3], (u64, String), std::ops::Range<u64>) {
        let base = order(n);
        let name = String::from("new");
        let order = Order { pair: (num(1).await, text("p").await), name, coupon: None, ..base };
        let array = [num(1).await, n, num(3).await];
        let tuple = (n, text("t").await);
        (order, array, tuple, n..num(n + 5).await)
    } with (1), (2);

    async fn indexes(n: u64) -> u64 {
        let mut v = list(5).await;
        let i = 1;
        v[num(2).await as usize] = num(n).await;
        v[i] += num(7).await;
        v[0] = v[num(3).await as usize] + v[i];
        v.iter().sum::<u64>() + v[num(1).await as usize]
    } with (1), (20);

    async fn compound(n: u64) -> u64 {
        let mut order = order(2);
        let mut total = 0;
        total += num(n).await;
        total *= 2 + num(1).await;
        order.pair.0 += try_num(n).await.unwrap_or(50);
        order.items[1].qty -= num(1).await;
        total + order.pair.0 + order.items[1].qty
    } with (1), (200);

    async fn operators(n: u64) -> bool {
        let a = num(n).await + num(2).await * n - num(1).await;
        let same = n == num(n).await;
        let name = String::from("abc");
        let other = name == text("abc").await;
        let cast = num(300).await as u8;
        let not = !num(1).await;
        let neg = -(num(2).await as i64);
        (same && other) && a > num(a - 1).await && cast == 44 && not > 5 && neg < 0
    } with (1), (9);

    async fn references(n: u64) -> usize {
        let one = &num(n).await;
        let made = &text("made").await;
        let kept = &format!("{one}{n}");
        unit("between").await;
        let total = made.len() + kept.len() + *one as usize;
        total + text(&text("inner").await).await.len() + text(&format!("{n}")).await.len()
    } with (1), (77);

    async fn question_everywhere(n: u64) -> Result<u64, String> {
        let sum = try_num(n).await? + try_num(try_num(n * 2).await?).await?;
        let list: Vec<u64> = Vec::from([try_num(1).await?, sum]);
        if try_num(sum).await? > 5 {
            return Ok(try_num(list[0]).await?.max(try_num(3).await?));
        }
        Ok(match try_num(4).await? {
            4 => list[1],
            _ => try_num(1000).await?,
        })
    } with (0), (1), (10), (30), (60), (101);

    async fn closures(n: u64) -> u64 {
        let factor = num(n).await;
        let scale = |x: u64| x * factor;
        let a = scale(2);
        let values: Vec<u64> = list(4).await.into_iter().map(|x| x + factor).collect();
        let mut count = 0;
        values.iter().for_each(|v| count += v);
        num(a + count).await + values.len() as u64
    } with (2), (3);

    async fn block_operand(n: u64) -> u64 {
        let x = n;
        let y = { unit("y").await; x + 1 } * if yes(n > 1).await { 2 } else { num(3).await };
        let z = match some(y).await { Some(v) => v, None => return 0 } + { let t = num(4).await; t };
        z + loop { break num(z).await }
    } with (1), (2);

    async fn return_operand(n: u64) -> u64 {
        let x = if n > 1 { return num(n).await } else { num(1).await };
        x + match n { 0 => return num(50).await, k => k }
    } with (0), (1), (2);

    async fn not_suspended(n: u64) -> u64 {
        let mut sum = ready(n).await;
        for i in 0..3 {
            sum += ready(i).await + num(sum).await;
            sum += ready(sum).await;
        }
        while sum < 500 {
            sum += ready(100).await;
        }
        sum
    } with (1), (100);

    async fn nothing_awaited(n: u64) -> u64 {
        n + 1
    } with (1);

    async fn unit_result(n: u64) -> () {
        if n > 1 {
            unit("more").await;
        }
    } with (1), (2);

    async fn shadowing(n: u64) -> u64 {
        let x = n;
        let x = x + num(x).await;
        let num_before = x;
        {
            let x = text("inner").await;
            let n = x.len() as u64;
            num(n).await;
        }
        let y = if x > 2 { let x = x * 2; num(x).await } else { x };
        let num = num(x + y).await;
        let text = text(&format!("{num}")).await;
        num + num_before + text.len() as u64 + n
    } with (1), (2);

    async fn patterns(order: Order) -> u64 {
        let (a, mut b) = (num(1).await, String::from("b"));
        let Order { ref name, pair: (left, ref right), .. } = order.clone();
        let Item { sku, qty } = Item { sku: text("s").await, qty: 3 };
        let [x, y, .., z] = [1, 2, 3, num(4).await];
        b.push_str(name);
        num(left).await;
        b.push_str(right);
        let n @ 0..=100 = num(5).await else { return 0 };
        let &(first, ref second) = &order.pair;
        num(n).await;
        a + b.len() as u64 + left + sku.len() as u64 + qty + x + y + z + n + first + second.len() as u64
    } with (order(1)), (order(2));

    async fn macros(n: u64) -> String {
        let total = num(n).await;
        let width = 6;
        let name = text("nm").await;
        unit("x").await;
        let mut out = String::new();
        use std::fmt::Write as _;
        write!(out, "{total:>width$} {name:?} {}", total + 1).unwrap();
        assert!(total == n, "{total} is not {n}");
        assert_eq!(name, "nm", "{name}");
        let many = vec![total; 2];
        num(3).await;
        let small = matches!(many.first(), Some(k) if *k < 3);
        println!("{out} {small} {many:?} {n}");
        format!("{out}{small}{many:?}{n}{0}", name.len())
    } with (1), (5);

    async fn renamed_captures(n: u64) -> String {
        let x = n;
        let first = num(x).await;
        let x = format!("<{x}>");
        unit("a").await;
        let y = { let x = num(9).await; format!("{x}{first}") };
        unit("b").await;
        format!("{x:>5} {y} {x}")
    } with (1);
}
