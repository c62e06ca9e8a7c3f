twins! {
    async fn statements(n: u64) -> u64 {
        let mut sum = 0;
        #[cfg(all())]
        let k = num(n).await;
        #[cfg(any())]
        let k = not_there(n).await;
        #[cfg(any())]
        no_such_function(k).await;
        #[cfg(all())]
        unit("there").await;
        #[cfg(all())]
        { sum += num(k).await; }
        #[cfg(any())]
        { sum += no_such().await; }
        #[cfg_attr(all(), allow(unused_variables))]
        let unused = num(1).await;
        #[cfg(any())]
        return missing;
        sum + k
    } with (1), (2);

    async fn arms_fields_and_arguments(n: u64, #[cfg(any())] gone: Gone) -> String {
        let state = State::Hold(num(n).await, "h".to_owned());
        let coupon = Coupon {
            #[cfg(all())]
            code: text("c").await,
            #[cfg(any())]
            code: missing().await,
            value: 1,
        };
        let all = [
            #[cfg(all())]
            num(1).await,
            #[cfg(any())]
            missing().await,
            2,
        ];
        let Coupon { ref code, #[cfg(any())] missing, .. } = coupon;
        let out = match state {
            #[cfg(any())]
            State::Missing(n) => num(n).await,
            #[cfg(all())]
            State::Hold(n, _) => num(n + 1).await,
            #[cfg(not(any()))]
            _ => 0,
        };
        format!("{code}{all:?}{out}")
    } with (1);

    async fn last_expressions(n: u64) -> u64 {
        let a = {
            #[cfg(all())]
            { num(n).await }
            #[cfg(not(all()))]
            { missing().await }
        };
        #[cfg(all())]
        { num(a).await + 1 }
        #[cfg(not(all()))]
        { missing(a).await }
    } with (1);
}
