//! Texts of the program, `&'static str`, alive over a suspension: made again from what the program says.

twins! {
    async fn literals(n: i64) -> String {
        const GREETING: &str = "hello";
        let text = "text";
        let both = (GREETING, concat!("a", "/", "b"));
        let bytes = b"bytes";
        let said = say(text).await;
        { let end_3 = get(bytes.len() as i64 + n).await; format!("{text} {said} {} {} {}", both.0, both.1, end_3) }
    } for (1);

    async fn choice_by_if(n: i64) -> String {
        let mut n = n;
        let label = if n > 1 { "many" } else { "few" };
        n += 10;
        let said = say(label).await;
        let other = if flag(n).await { "even" } else if n == 11 { "eleven" } else { return said + label };
        { let end_1 = say(other).await; format!("{label} {said} {other} {} {other}", end_1) }
    } for (0), (1), (2), (3);

    async fn choice_by_match(n: i64) -> String {
        let mut event = event(n).await;
        let kind = match &event {
            crate::vocabulary::Event::Idle => "idle",
            crate::vocabulary::Event::Moved { x, .. } if *x > 0 => "moved",
            crate::vocabulary::Event::Said(_) => return say("said").await,
            _ => "other",
        };
        event = crate::vocabulary::Event::Idle;
        let said = say(kind).await;
        { let end_1 = get(n).await; format!("{kind} {said} {} {event:?}", end_1) }
    } for (0), (1), (2), (3);

    /// The condition is not evaluated again: the number of the branch is kept.
    async fn choice_between_borrows(n: i64) -> String {
        let (a, b) = (words(2).await, say("b").await);
        let mut which = n == 1;
        let chosen = if which { &a[1] } else { &b };
        which = !which;
        let said = say(chosen).await;
        { let end_1 = get(n).await; format!("{chosen} {said} {which} {}", end_1) }
    } for (1), (2);

    async fn lists(n: i64) -> String {
        const NAMES: &[&str] = &["x", "y", "z"];
        let mut out = String::new();
        for name in NAMES {
            out += &say(name).await;
            out += name;
        }
        for (i, name) in NAMES.iter().copied().enumerate().skip(1) {
            out += &say(name).await;
            out += &get(i as i64).await.to_string();
            out += name;
        }
        for name in ["a", "b"] {
            out += &say(name).await;
            out += name;
        }
        for (name, value) in [("c", 1), ("d", 2)] {
            out += &say(name).await;
            out += &get(value).await.to_string();
            out += name;
        }
        let list = vec!["e", "f"];
        let mut i = 0;
        let picked = list[i];
        i += 1;
        out += &say(picked).await;
        out += picked;
        for name in list {
            out += &say(name).await;
            out += name;
        }
        out + NAMES[i] + &get(n).await.to_string()
    } for (1);
}
