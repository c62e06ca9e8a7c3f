//! A compound assignment whose right side changes the index of its left side by a method.
use durable::prelude::*;
use shop::*;

trait Bump {
    fn bump(&mut self);
}

impl Bump for usize {
    fn bump(&mut self) {
        *self += 1;
    }
}

#[workflow]
async fn wrong(mut names: Vec<String>, mut at: usize) -> String {
    names[at] += &{
        at.bump();
        //~ error[E0502] at `at.bump()`
        price("a").await.to_string()
    };
    names.concat()
}
