//! What is on disk. When one of these fails, existing stores can't be read any more: bump a version and keep reading the old.

use serde::{Deserialize, Serialize};

use crate::codec::{Codec, LayoutId};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u16,
    kind: Kind,
    tags: Vec<Option<char>>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Kind {
    Plain,
    Gift { note: String },
}

fn order() -> Order {
    Order { id: 300, kind: Kind::Gift { note: "hi".into() }, tags: vec![Some('x'), None] }
}

#[test]
fn by_position() {
    let codec = Codec::new();
    let stored = codec.encode(&order()).unwrap();
    assert_eq!(*stored.bytes, *b"\xac\x02\x01\x02hi\x02\x01\x01x\x00");
    let [(id, definition)] = codec.take_new().try_into().unwrap();
    assert_eq!(LayoutId(id), stored.layout);
    assert_eq!(stored.layout.to_string(), "b7c6aaed91518478");
    assert_eq!(
        definition.escape_ascii().to_string(),
        r"\x01\x08\t\x05Order\x03\x02id\x04kind\x04tags\x03\x01\x02\x03\x01\x07\x00\n\x04Kind\x01\x04\x03\x01\x05\x0b\x01\x04Gift\x03\x01\x04note\x01\x06\x02\x01\x07\x01\x0f\x00\x01\r\x00"
    );
}

#[test]
fn by_name() {
    let value = serde_json::json!({"k": [1, "s", null, -1, true, 0.5], "l": {"k": 2}});
    let stored = Codec::new().encode(&value).unwrap();
    assert_eq!(stored.layout, LayoutId::NAMED);
    assert_eq!(
        stored.bytes.escape_ascii().to_string(),
        r#"#\x02\x0f\x01k\"\x06\t\x01\x0f\x01s\x0e\x04\x01\x00\x01\x0c\x00\x00\x00\x00\x00\x00\xe0?\x0f\x01l#\x01\x0f\x01k\t\x02"#
    );

    let tree = crate::codec::capture::capture(&order(), true).unwrap().tree;
    assert_eq!(
        crate::codec::named::write(&tree).escape_ascii().to_string(),
        r#"(\x00\x05Order\x03\x00\x02id\x07\xac\x02\x00\x04kind,\x00\x04Kind\x01\x00\x04Gift\x01\x00\x04note\x0f\x02hi\x00\x04tags\"\x02!\r\x01x "#
    );
}
