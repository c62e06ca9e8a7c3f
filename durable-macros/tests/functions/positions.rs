fn bump(x: &mut u64) -> u64 {
    *x += 1;
    *x
}

twins! {
    async fn index_changed_meanwhile(n: u64) -> (u64, Vec<u64>) {
        let mut v = list(6).await;
        let mut i = n as usize;
        fn both(a: &u64, b: u64, c: u64) -> u64 { a * 100 + b * 10 + c }
        let a = both(&v[i], { i += 1; num(i as u64).await }, v[i]);
        v[i] = { i += 1; num(9).await };
        let less = { i -= 1; num(3).await };
        v[i] += less;
        let same = i == { i += 1; num(i as u64).await as usize };
        let sum = v[i] + { i -= 1; num(1).await } + v[i];
        let k = i.wrapping_add({ i += 2; num(1).await as usize });
        (a + sum + k as u64 + i as u64 + u64::from(same), v)
    } with (0), (1);

    async fn lent_meanwhile(n: u64) -> u64 {
        let mut x = n;
        let a = x * 10 + { let y = bump(&mut x); num(y).await } + x;
        let b = x < { let y = bump(&mut x); num(y).await };
        a + u64::from(b)
    } with (1), (4);

    async fn compound_left_sides(n: u64) -> Vec<u64> {
        let mut v = list(4).await;
        let one = 1;
        v[num(1).await as usize] += 5;
        v[num(2).await as usize] *= n + one;
        let r = &mut v[0];
        *r += num(8).await;
        *r -= 1;
        let mut boxed = Box::new(v);
        boxed[1] += num(1).await;
        (*boxed)[2] += num(2).await;
        let mut pair = (0, [1, 2]);
        pair.1[num(1).await as usize] <<= 1;
        pair.0 |= num(6).await;
        boxed.push(pair.0 + pair.1[1]);
        *boxed
    } with (1), (3);

    async fn destructuring_assignments(n: u64) -> String {
        let (mut a, mut b);
        (a, b) = (num(n).await, text("t").await);
        unit(&b).await;
        let mut order = order(2);
        (order.pair.0, order.items[1].qty) = (num(4).await, num(5).await);
        [a, order.pair.0] = [order.pair.0, num(a).await];
        (_, b) = (num(1).await, format!("{b}!"));
        Item { qty: a, .. } = Item { sku: text("s").await, qty: a + 1 };
        let c;
        let d;
        (c, d) = (num(2).await, 3);
        format!("{a}{b}{order:?}{c}{d}")
    } with (1);

    async fn deferred_patterns(n: u64) -> String {
        let (a, b);
        let (c, d): (u8, String);
        let [e, f]: [u16; 2];
        if n > 1 {
            (a, b) = (num(n).await, 1);
        } else {
            a = 4;
            b = num(6).await;
        }
        (c, d) = (3, text("d").await);
        e = 1;
        f = num(n).await as u16;
        #[allow(unused_variables)]
        let later: u64;
        unit("z").await;
        format!("{a}{b}{c}{d}{e}{f}")
    } with (1), (2);

    async fn borrows_of_awaited_temporaries(n: u64) -> String {
        fn join(a: &str, b: &str, c: String) -> String { format!("{a}-{b}-{c}") }
        let name = String::from("name");
        let mut out = join(&name, text("b").await.as_str(), name.clone());
        out += text("x").await.trim();
        out += &text(&out).await[1..];
        let k = text(" t ").await.trim().len() + list(n).await.iter().filter(|x| **x > 1).count();
        for word in text("one two").await.split_whitespace() {
            out.push_str(word);
        }
        out = join(text("l").await.as_str(), out.as_str(), text("r").await);
        out.push_str(text("end").await.trim_start());
        format!("{out}{k}")
    } with (0), (3);

    async fn conditions(n: u64) -> u64 {
        let mut sum = 0;
        if n > 0 && yes(n > 1).await || yes(n == 0).await && !yes(n > 5).await { sum += 1; }
        if let Some(k) = some(n).await && k > 1 && let Ok(m) = try_num(k * 40).await { sum += m; }
        else if let Some(k) = some(n + 1).await && yes(k > 1).await { sum += k * 1000; }
        else if yes(n == 1).await { sum += 5 } else { sum += num(7).await; }
        while let Some(k) = some(3 - sum % 4).await && yes(k > 1).await { sum += k; }
        let all = yes(true).await && n > 1 || sum > 3;
        sum + u64::from(all) + u64::from(!(yes(n > 0).await & yes(n < 2).await))
    } with (0), (1), (2), (3);

    async fn chains_that_look_back(n: u64) -> u64 {
        let mut sum = 0;
        if let mut v = list(n).await && let [.., last] = &mut v[..] && yes(*last > 1).await {
            *last += 5;
            sum += *last;
            unit("in").await;
            sum += *last;
        }
        if let mut e = Some(vec![n]) && let Some(q) = (&e) && [false, if n > 2 { false } else { yes(true).await }][q.len() % 2] {
            e = None;
            sum += u64::from(e.is_none());
        }
        match text("7").await.parse::<u64>().unwrap_or_default().to_string().as_str() {
            "1" => sum,
            other => sum + text(other).await.len() as u64 + other.len() as u64,
        }
    } with (0), (1), (3);

    async fn let_elses(n: u64) -> Result<u64, String> {
        let Some(a) = some(n).await else { return Err(text("none").await) };
        let (Ok(b) | Err(b)) = Ok::<u64, u64>(num(a).await);
        let mut sum = 0;
        for i in 0..4 {
            let Some(k @ (1 | 3..)) = some(i).await else {
                if i > 1 { break }
                sum += num(i).await;
                continue
            };
            let [first, .., last] = list(k + 1).await[..] else { return Ok(99) };
            sum += first + last;
        }
        let Ok(c) = try_num(a * 60).await else { panic!("too much") };
        Ok(a + b + c + sum)
    } with (0), (1);

    async fn loop_values(n: u64) -> u64 {
        let a = loop { if yes(n > 1).await { break num(4).await; } else { break 5; } };
        let b = 'out: {
            if n == 0 { break 'out 1; }
            for i in 0..n {
                if num(i).await == 1 { break 'out i + num(9).await; }
            }
            let c = 'inner: { if yes(n == 1).await { break 'inner 3 } num(6).await };
            c * 2
        };
        let c = 'l: loop { loop { if yes(true).await { break 'l [num(n).await; 3] } } };
        a + b + c[2] + num('x: { break 'x n }).await
    } with (0), (1), (2);

    async fn return_and_break_in_operands(n: u64) -> u64 {
        fn three(a: u64, b: u64, c: u64) -> u64 { a + b + c }
        let mut sum = 0;
        for i in 0..5 {
            sum += three(num(i).await, if i == 3 { break } else { i }, if i == 1 { continue } else { num(2).await });
        }
        sum += num(if n > 3 { return sum + num(1).await } else { n }).await;
        let x: u64 = match some(n).await { Some(x) => x, None => return three(1, num(sum).await, 77) };
        three(x, num(sum).await, 'b: { if yes(n == 1).await { break 'b 1 } return num(8).await })
    } with (0), (1), (2), (4);

    async fn never_typed(n: u64) -> u64 {
        let a = if yes(n < 5).await { n } else { panic!("no") };
        let b: u64 = match some(n).await { Some(b) => b, None => unreachable!("{}", n) };
        let c = if n > 100 { std::process::exit(1) } else { num(a).await };
        a + b + c
    } with (1), (2);

    async fn inference(n: u64) -> (u64, Vec<u64>, Option<u64>) {
        let mut total = 0;
        let mut list = Vec::new();
        let mut best = None;
        unit("a").await;
        total += 1;
        unit("b").await;
        list.push(total);
        best = best.max(list.last().copied());
        unit("c").await;
        total += num(n).await;
        (total, list, best)
    } with (1);

    async fn patterns_of_every_kind(n: u64) -> String {
        let boxed = Box::new((num(n).await, text("b").await));
        let (a, b) = *boxed;
        let v = list(n + 2).await;
        let [x, ref rest @ ..] = v[..] else { return "none".to_owned() };
        unit("1").await;
        let (Ok((k, ref s)) | Err((k, ref s))) = Ok::<_, (u64, String)>((3, text("s").await));
        let mut pair = (num(1).await, text("q").await);
        let (ref mut left, ref right) = pair;
        *left += right.len() as u64;
        unit("2").await;
        if let Some(rest) = text("abc").await.strip_prefix('a') && rest.len() == 2 { unit(rest).await; }
        let out = match (n, text(s).await.as_str()) {
            (0..=1, "s") => "low".to_owned(),
            (m @ 2.., t @ ("s" | "t")) => format!("{m}{t}"),
            _ => "other".to_owned(),
        };
        format!("{a}{b}{x}{rest:?}{k}{out}{pair:?}")
    } with (1), (2);

    async fn casts_ranges_tuples(n: u64) -> String {
        let r = num(n).await..=num(n + 3).await;
        let t = (num(1).await as u8 as char, -(num(2).await as i64), !num(3).await, [num(4).await; 2], (num(5).await,));
        let s = &text("abcdef").await[num(1).await as usize..num(4).await as usize];
        let up = ..num(3).await;
        let sum = (num(1).await..num(4).await).sum::<u64>();
        format!("{r:?}{t:?}{s}{up:?}{sum}")
    } with (1);

    async fn const_blocks(n: u64) -> u64 {
        let a = const { 3 + 4 };
        let b = num(const { 5 }).await;
        a + b + n
    } with (1);

    async fn attributes(n: u64) -> u64 {
        #[allow(unused_variables)]
        let unused = num(1).await;
        #[allow(unused_mut)]
        let mut a = num(2).await;
        #[expect(unused_variables)]
        let b = 3;
        #[rustfmt::skip]
        let c = num( 3 ).await;
        #[allow(unused_must_use)]
        if n > 1 {
            #[allow(clippy::needless_return)]
            num(4).await;
            Ok::<u8, u8>(1);
        }
        #[allow(unused_assignments, unused_variables)]
        {
            let mut d = num(5).await;
            d = 1;
        }
        #[allow(unreachable_code)]
        match some(n).await {
            #[allow(unused_variables)]
            Some(k) => { unit("k").await; return a + c; 1 }
            None => 2,
        }
    } with (0), (2);
}
