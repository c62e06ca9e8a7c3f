//! Two items of one stored name: no engine opens, and the error names both places. A binary of its
//! own, because no engine opens in it.

use durable::{OpenError, prelude::*};

mod shop {
    use durable::prelude::*;

    #[workflow]
    pub(crate) async fn fulfil(order: u32) -> u32 {
        order
    }
}

mod warehouse {
    use durable::prelude::*;

    #[workflow(name = "fulfil")]
    pub(crate) async fn pick(order: u32) -> u32 {
        order + 1
    }
}

#[tokio::test]
async fn two_workflows_of_one_name_are_refused_with_both_places() {
    let directory = tempfile::tempdir().unwrap();
    let refused = Engine::open(directory.path().join("store.redb")).await.unwrap_err();
    let text = refused.to_string();
    match refused {
        OpenError::Duplicate { name, first, second } => {
            assert_eq!(name, "fulfil");
            let mut places = [first, second];
            places.sort();
            assert!(
                places[0].contains("shop::fulfil") && places[0].contains("duplicate_names.rs:10"),
                "{places:?}"
            );
            assert!(
                places[1].contains("warehouse::pick") && places[1].contains("duplicate_names.rs:19"),
                "{places:?}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(text.contains("rename one"), "{text}");
    let _ = (shop::fulfil(1), warehouse::pick(1));
}
