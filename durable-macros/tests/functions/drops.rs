/// Says when it is dropped. It can't be stored, so it is alive over no suspension.
struct Loud(&'static str);

impl Drop for Loud {
    fn drop(&mut self) {
        mini::log(&format!("drop {}", self.0));
    }
}

fn loud(name: &'static str) -> Loud {
    mini::log(&format!("make {name}"));
    Loud(name)
}

/// The same, and can be stored: what is alive over a suspension is dropped there and made again.
#[derive(Serialize, Deserialize)]
struct Kept(String);

impl Drop for Kept {
    fn drop(&mut self) {
        mini::log(&format!("drop {}", self.0));
    }
}

fn kept(name: &str) -> Call<Kept> {
    Call::new(format!("ready {name}"), &Kept(name.to_owned()))
}

twins! {
    async fn inner_blocks(n: u64) -> u64 {
        let a = num(n).await;
        {
            let _outer = loud("outer");
            mini::log("inside");
        }
        let b = {
            let k = num(1).await;
            let _first = loud("first");
            let _second = loud("second");
            mini::log("end of block");
            k + 1
        };
        mini::log("after");
        {
            num(b).await;
            let _third = loud("third");
        }
        mini::log("end");
        a + b
    } with (1);

    async fn branches_and_arms(n: u64) -> u64 {
        if n > 0 {
            unit("then").await;
            let _g = loud("then");
        } else {
            let _g = loud("else");
            mini::log("only here");
        }
        mini::log("after if");
        let k = match some(n).await {
            Some(1) => {
                let k = num(2).await;
                let _g = loud("one");
                k
            }
            Some(k) => { let _g = loud("other"); k }
            None => return 5,
        };
        mini::log("after match");
        if n == 2 {
            return num(9).await;
        } else {
            let _g = loud("rest");
            mini::log("not returned");
        }
        mini::log("end");
        k
    } with (0), (1), (2), (3);

    async fn held_over_a_branch_that_suspends(n: u64) -> u64 {
        let mut sum = 0;
        {
            let g = loud("guard");
            if n > 1 {
                drop(g);
                sum += num(n).await;
            } else {
                // Where the other branch comes back from a suspension there is no guard: it ends before that.
                mini::log(g.0);
            }
        }
        mini::log("after");
        'out: {
            let _g = loud("labelled");
            if n == 0 { break 'out; }
            mini::log("not broken");
            drop(_g);
            unit("x").await;
            let _h = loud("behind");
            if n == 1 { break 'out; }
            mini::log("still inside");
        }
        mini::log("end");
        sum
    } with (0), (1), (2);

    async fn each_iteration(n: u64) -> u64 {
        let mut sum = 0;
        for i in 0..n {
            let _early = loud("early");
            if i == 1 { continue; }
            mini::log("body");
            drop(_early);
            sum += num(i).await;
            let _late = loud("late");
            if i == 2 { break; }
            mini::log("end of body");
        }
        mini::log("after the loop");
        while sum < 10 {
            let _a = loud("a");
            {
                let _b = loud("b");
            }
            drop(_a);
            sum += num(4).await;
            let _c = loud("c");
        }
        mini::log("end");
        sum
    } with (0), (2), (4);

    async fn assigned_and_shadowed(n: u64) -> u64 {
        let k = num(n).await;
        let mut g = loud("first");
        mini::log("before");
        mini::log(g.0);
        g = loud("second");
        let g2 = loud("third");
        let g2 = (g2, loud("fourth")).1;
        mini::log(g2.0);
        let _ = loud("at once");
        let _g = loud("fifth");
        loud("statement");
        mini::log(g.0);
        k
    } with (1);

    async fn temporaries(n: u64) -> usize {
        num(n).await;
        let len = loud("operand").0.len() + { mini::log("second operand"); 1 };
        mini::log("after the statement");
        match loud("matched").0.len() {
            7 => mini::log("in the match"),
            _ => unit("never").await,
        }
        mini::log("after the match");
        if let Some(c) = loud("let").0.chars().next() && c == 'l' {
            mini::log("in the if");
        } else {
            unit("never").await;
        }
        mini::log("end");
        len
    } with (1);

    async fn nothing_is_suspended(n: u64) -> u64 {
        let a = kept("a").await;
        let b = {
            let c = kept("c").await;
            let d = kept("d").await;
            ready(1).await + c.0.len() as u64 + d.0.len() as u64
        };
        let e = kept("e").await;
        ready(2).await;
        mini::log(&format!("{}{}{b}", a.0, e.0));
        n
    } with (1);
}
