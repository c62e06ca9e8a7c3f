//! The layout file.

use durable::lock::Lock;

#[test]
fn it_prints() {
    println!("{}", Lock::of_this_build().unwrap());
}
