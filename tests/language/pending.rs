//! Functions that the compiler does not get right yet, and that no test includes: to be moved to `scopes` when it does.
//!
//! An item in an inner block is seen by the whole function, and a variable can't be moved in parts across an await.

const LIMIT: i64 = 3;

twins! {
    async fn shadow_a_parameter_and_a_const(n: i64) -> i64 {
        let n = n + LIMIT;
        let m = get(n).await;
        {
            const LIMIT: i64 = 50;
            let n = get(LIMIT).await;
            store(n.to_string()).await;
        }
        let n = n + get(m).await;
        n + LIMIT
    } for (1);

    async fn moved_in_parts(n: i64) -> String {
        let order = order(n).await;
        let name = order.name;
        store(name).await;
        let city = order.address.city;
        let length = order.items.len();
        let said = say(&city).await;
        format!("{said} {length} {:?} {city} {}", order.note, order.id)
    } for (1), (2);
}
