const A: u64 = 7;

twins! {
    async fn constants_in_blocks(n: u64) -> u64 {
        let mut sum = A;
        {
            const A: u64 = 50;
            sum += num(A + n).await;
            sum += A;
        }
        sum += {
            const A: u64 = 60;
            static B: u64 = A + 1;
            num(A).await + B
        };
        if n > 1 {
            const A: &str = "text";
            sum += text(A).await.len() as u64;
            sum += format!("{A}").len() as u64 + format!("{A:>9} {{A}}").len() as u64;
        }
        sum + A + num(A).await
    } with (1), (2);

    async fn functions_in_blocks(n: u64) -> u64 {
        let mut sum = 0;
        {
            fn twice(x: u64) -> u64 { x * 2 }
            sum += twice(num(n).await);
        }
        {
            fn twice(x: u64) -> u64 { x * 20 }
            let n = twice(num(n).await);
            sum += twice(n);
            struct S { twice: u64 }
            let s = S { twice: twice(n) };
            sum += s.twice;
            unit("s").await;
        }
        let twice = num(5).await;
        sum + twice
    } with (1), (2);

    async fn types_in_blocks(n: u64) -> String {
        let mut out = String::new();
        for i in 0..2 {
            #[derive(Serialize, Deserialize, Debug)]
            struct Pair { left: u64, right: String }
            impl Pair {
                fn sum(&self) -> u64 { self.left + self.right.len() as u64 }
            }
            let pair = Pair { left: num(i).await, right: text("r").await };
            let sum = num(pair.sum()).await;
            out += &format!("{pair:?} {sum}");
        }
        match n {
            1 => {
                use std::collections::BTreeSet as Map;
                let mut map = Map::new();
                map.insert(num(n).await);
                unit("m").await;
                out += &format!("{map:?}");
            }
            _ => {
                use std::collections::BTreeMap as Map;
                use std::fmt::Write as _;
                let mut map = Map::new();
                map.insert(num(n).await, 1);
                unit("m").await;
                write!(out, "{map:?}").unwrap();
            }
        }
        out
    } with (1), (2);

    async fn imports_in_blocks(n: u64) -> u64 {
        let a = {
            use State::*;
            match step(State::More { n }).await {
                Ok(More { n }) => num(n).await,
                Ok(Done { .. }) => 1,
                Ok(Hold(k, _)) => k,
                Err(_) => 0,
            }
        };
        let b = {
            use std::cmp::{max, min as least};
            max(num(a).await, least(4, a))
        };
        let max = num(3).await;
        a + b + max
    } with (0), (1), (2);

    async fn macros_in_blocks(n: u64) -> u64 {
        let mut sum = n;
        {
            macro_rules! add { ($x:expr) => { sum_of($x, 1) } }
            fn sum_of(a: u64, b: u64) -> u64 { a + b }
            let m = num(n).await; sum += add!(m.max(2));
            let k = add!(sum);
            sum += num(k).await;
            sum += add!(k);
        }
        {
            macro_rules! add { ($x:expr) => {{ let y = $x; y * 2 }} }
            sum += num(add!(sum)).await;
            sum += add!(n);
        }
        sum
    } with (1);
}
