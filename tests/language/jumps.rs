//! Labels, `break` with a value, `continue`, early `return`.

twins! {
    async fn labelled_break(n: i64) -> i64 {
        let mut seen = 0;
        'outer: for i in 0..n {
            for j in 0..n {
                seen += 1;
                if get(i * j).await > 6 {
                    break 'outer;
                }
                if flag(j).await && j > 1 {
                    break;
                }
            }
        }
        seen
    } for (0), (2), (4);

    async fn labelled_continue(n: i64) -> Vec<(i64, i64)> {
        let mut out = vec![];
        'rows: for i in 0..n {
            let mut j = 0;
            'columns: while j < 3 {
                j += 1;
                if add(i, j).await == 3 {
                    continue 'rows;
                }
                if j == 1 {
                    continue 'columns;
                }
                out.push((i, j));
                if flag(i + j).await {
                    continue;
                }
                out.push((get(i).await, j));
            }
            out.push((i, -1));
        }
        out
    } for (0), (2), (4);

    async fn labelled_break_with_value(n: i64) -> String {
        let mut tries = 0;
        let found = 'search: loop {
            tries += 1;
            for value in list(n).await {
                if get(value + tries).await % 5 == 0 {
                    break 'search Some(value);
                }
            }
            if tries == 3 {
                break None;
            }
        };
        format!("{found:?} after {tries}")
    } for (0), (2), (4);

    async fn labelled_block(n: i64) -> i64 {
        let value = 'block: {
            if flag(n).await {
                break 'block get(n).await;
            }
            let Some(inner) = maybe(n).await else { break 'block -1 };
            for i in 0..inner {
                if get(i).await > 10 {
                    break 'block i;
                }
            }
            inner
        };
        let again = get(value).await;
        value + again
    } for (2), (3), (1), (5);

    async fn continue_skips(n: i64) -> i64 {
        let mut total = 0;
        let mut i = 0;
        loop {
            i += 1;
            if i > n {
                break total;
            }
            if flag(i).await {
                continue;
            }
            let value = get(i).await;
            let Some(more) = maybe(value).await else { continue };
            total += more;
        }
    } for (0), (3), (5);

    async fn early_returns(n: i64) -> Result<String, i64> {
        let first = get(n).await;
        if first > 30 {
            return Err(first);
        }
        let text = match maybe(n).await {
            None => return Ok("none".to_string()),
            Some(10) => return Ok(say("ten").await),
            Some(value) => {
                if flag(value + n).await {
                    return Err(get(value).await);
                }
                value.to_string()
            }
        };
        for i in 0.. {
            if get(i).await > n * 2 {
                return Ok(format!("{text} {i} {first}"));
            }
        }
        unreachable!("the loop has no end")
    } for (1), (2), (3), (5), (11);

    async fn return_of_an_await(n: i64) -> i64 {
        if n == 0 {
            return get(get(n).await).await;
        }
        loop {
            if n == 1 {
                break get(n).await;
            }
            return add(get(n).await, get(n + 1).await).await + 1;
        }
    } for (0), (1), (2);

    async fn break_out_of_a_match(n: i64) -> i64 {
        let mut i = 0;
        let end = loop {
            i += 1;
            let value = match nested(n + i).await {
                None if i > 4 => break i,
                None => continue,
                Some(None) => break get(i).await,
                Some(Some(value)) => value,
            };
            if let 7.. = get(value).await {
                break value;
            }
        };
        end + i
    } for (0), (1), (2), (-6);

    async fn jump_as_a_value(n: i64) -> i64 {
        let mut total = 0;
        for i in 0..n {
            let value = if flag(i).await { get(i).await } else { continue };
            let other: i64 = match maybe(value).await {
                Some(v) => v,
                None => break,
            };
            total += add(value, if other > 100 { return -total } else { other }).await;
        }
        total
    } for (0), (3), (7), (9);

    async fn while_label_and_return(n: i64) -> i64 {
        let mut i = n;
        'down: while i > 0 {
            i -= 1;
            while let Some(v) = maybe(i).await {
                if v > 40 {
                    break 'down;
                }
                if v == 20 {
                    return get(v).await;
                }
                i -= 1;
                continue 'down;
            }
        }
        i
    } for (0), (2), (4), (6), (8);
}
