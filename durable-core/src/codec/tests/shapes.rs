//! The shapes of serde's data model, and the attributes that postcard alone would lose.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{check, check_by, check_named, check_positional};
use crate::codec::{Codec, LayoutId};

macro_rules! data {
    ($($item:item)*) => { $(#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)] $item)* };
}

#[test]
fn leaves() {
    check_positional(&(), "null");
    check_positional(&true, "true");
    check_positional(
        &(i8::MIN, i16::MIN, i32::MIN, i64::MIN),
        "[-128,-32768,-2147483648,-9223372036854775808]",
    );
    check_positional(&(u8::MAX, u16::MAX, u32::MAX, u64::MAX), "[255,65535,4294967295,18446744073709551615]");
    check_positional(&(i128::MIN, u128::MAX), &format!(r#"["{}","{}"]"#, i128::MIN, u128::MAX));
    check_positional(&(i128::MAX, -1_i128, u128::MIN), &format!(r#"["{}",-1,0]"#, i128::MAX));
    check_positional(&(0.1_f32, 0.1_f64, -0.0_f64), "[0.1,0.1,-0.0]");
    check_positional(&(f64::INFINITY, f32::NEG_INFINITY), r#"["inf","-inf"]"#);
    let (layout, json) = check_by(&f64::NAN, |a, b| a.to_bits() == b.to_bits());
    assert_eq!((layout == LayoutId::NAMED, json.as_str()), (false, r#""NaN""#));
    check_positional(&('a', '\u{10FFFF}'), "[\"a\",\"\u{10FFFF}\"]");
    check_positional(&"naïve \"text\"".to_owned(), r#""naïve \"text\"""#);
    check_positional(&String::new(), r#""""#);
}

#[test]
fn options_within_options() {
    check_positional(&None::<u8>, "null");
    check_positional(&Some(7_u8), "7");
    check_positional(&Some(()), "null");
    check_positional(&vec![None::<Option<u8>>, Some(None), Some(Some(1))], "[null,null,1]");
    check_positional(&Some(Some(())), "null");
    check_positional(&Some(None::<()>), "null");
    check_positional(&vec![Some(Some(None)), Some(None), None::<Option<Option<()>>>], "[null,null,null]");
}

#[test]
fn sequences_tuples_and_arrays() {
    check_positional(&Vec::<u64>::new(), "[]");
    check_positional(&vec![vec![1_u32], vec![], vec![2, 3]], "[[1],[],[2,3]]");
    check_positional(&[1_u8; 32], &format!("{:?}", [1; 32]).replace(' ', ""));
    check_positional(&([] as [u8; 0],), "[[]]");
    check_positional(
        &(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, "12".to_owned()),
        r#"[1,2,3,4,5,6,7,8,9,10,11,"12"]"#,
    );
    check_positional(&Ok::<u8, String>(1), r#"{"Ok":1}"#);
    check_positional(&vec![Err(String::from("no")), Ok(2_u8)], r#"[{"Err":"no"},{"Ok":2}]"#);
    check_positional(&(Box::<str>::from("b"), Cow::<'static, str>::Borrowed("c")), r#"["b","c"]"#);
    check_positional(&vec![(); 64], &format!("[{}]", vec!["null"; 64].join(",")));
}

#[test]
fn a_long_list_of_nothing_is_written_by_name_so_that_few_bytes_never_stand_for_many_values() {
    let (layout, _) = check(&vec![(); 20_000]);
    assert_eq!(layout, LayoutId::NAMED);
}

data! {
    struct Unit;
    struct Empty {}
    struct Meters(f64);
    struct Pair(u8, String);
    struct Order { sku: String, qty: u32, note: Option<String> }
    struct Generic<T> { of: T }
    struct Marked<T> { id: u8, of: PhantomData<T> }
    enum Shape { Dot, Circle(f64), Line(i32, i32), Box { w: u8, h: u8 } }
    struct Node { value: u8, next: Option<Box<Node>> }
    enum Expr { Lit(i64), Neg(Box<Expr>), Add(Box<Expr>, Box<Expr>), Call { name: String, args: Vec<Expr> } }
    struct List(Option<Box<List>>);
}

#[test]
fn structs_and_enums() {
    check_positional(&Unit, "null");
    check_positional(&Empty {}, "{}");
    check_positional(&Meters(1.5), "1.5");
    check_positional(&Pair(1, "a".into()), r#"[1,"a"]"#);
    check_positional(&Order { sku: "A".into(), qty: 2, note: None }, r#"{"note":null,"qty":2,"sku":"A"}"#);
    check_positional(&Marked::<String> { id: 1, of: PhantomData }, r#"{"id":1,"of":null}"#);
    let shapes =
        vec![Shape::Box { w: 1, h: 2 }, Shape::Dot, Shape::Line(-1, 1), Shape::Circle(0.5), Shape::Dot];
    check_positional(&shapes, r#"[{"Box":{"h":2,"w":1}},"Dot",{"Line":[-1,1]},{"Circle":0.5},"Dot"]"#);
}

#[test]
fn one_generic_type_with_two_parameters() {
    let both =
        (Generic { of: 1_u8 }, Generic { of: "a".to_owned() }, Generic { of: Generic { of: Some(2_u64) } });
    check_positional(&both, r#"[{"of":1},{"of":"a"},{"of":{"of":2}}]"#);
}

mod mine {
    use super::{Deserialize, Serialize};
    data! { pub(super) struct Item { inner: super::theirs::Item, tag: String } }
    data! { pub(super) struct Wrap { value: Option<super::theirs::Wrap> } }
    impl Item {
        pub(super) fn new() -> Self {
            Self { inner: super::theirs::Item { id: 7 }, tag: "t".into() }
        }
    }
    impl Wrap {
        pub(super) fn new() -> Self {
            Self { value: Some(super::theirs::Wrap { value: Some("s".into()) }) }
        }
    }
}

mod theirs {
    use super::{Deserialize, Serialize};
    data! { pub(super) struct Item { pub(super) id: u32 } }
    data! { pub(super) struct Wrap { pub(super) value: Option<String> } }
}

#[test]
fn two_types_of_one_name() {
    check_positional(&mine::Item::new(), r#"{"inner":{"id":7},"tag":"t"}"#);
    check_positional(
        &(mine::Item::new(), theirs::Item { id: 1 }),
        r#"[{"inner":{"id":7},"tag":"t"},{"id":1}]"#,
    );
    check_positional(&mine::Wrap::new(), r#"{"value":{"value":"s"}}"#);
}

fn chain(len: u8) -> Node {
    (0..len).fold(Node { value: 0, next: None }, |next, value| Node { value, next: Some(Box::new(next)) })
}

#[test]
fn recursive_types_have_one_layout_however_deep_the_value() {
    check(&chain(40));
    let codec = Codec::new();
    let short = codec.encode(&chain(2)).unwrap().layout;
    assert_ne!(short, LayoutId::NAMED);
    assert_eq!(codec.encode(&chain(30)).unwrap().layout, short);
    assert_eq!(Codec::new().encode(&chain(30)).unwrap().layout, short);
    check_positional(&List(Some(Box::new(List(Some(Box::new(List(None))))))), "null");

    let lit = || Box::new(Expr::Lit(1));
    let expr = Expr::Add(
        Box::new(Expr::Neg(lit())),
        Box::new(Expr::Call { name: "f".into(), args: vec![*lit(), Expr::Add(lit(), lit())] }),
    );
    check_positional(
        &expr,
        r#"{"Add":[{"Neg":{"Lit":1}},{"Call":{"args":[{"Lit":1},{"Add":[{"Lit":1},{"Lit":1}]}],"name":"f"}}]}"#,
    );
}

#[test]
fn maps_with_keys_of_every_kind() {
    check_positional(&BTreeMap::from([(1_u64, "a".to_owned()), (2, "b".into())]), r#"{"1":"a","2":"b"}"#);
    check_positional(
        &BTreeMap::from([((1_u8, 'x'), None), ((2, 'y'), Some(1))]),
        r#"{"[1,\"x\"]":null,"[2,\"y\"]":1}"#,
    );
    check_positional(&HashMap::from([(Some(i128::MIN), 1)]), &format!(r#"{{"{}":1}}"#, i128::MIN));
    check_positional(&BTreeMap::from([(true, 1), (false, 0)]), r#"{"false":0,"true":1}"#);
    check_positional(&BTreeMap::<String, u8>::new(), "{}");
}

data! {
    struct SkipIf {
        id: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")] note: Option<String>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")] tags: Vec<u8>,
        end: u16,
    }
    struct SkipDefault { id: u8, #[serde(skip_serializing, default)] secret: u64, #[serde(skip)] cache: Option<String>, end: u8 }
    struct Page { page: u32, size: Option<u32> }
    struct Flat { id: u64, #[serde(flatten)] page: Page, #[serde(flatten)] rest: BTreeMap<String, serde_json::Value> }
    #[serde(tag = "type")]
    enum Internal { Text { text: String }, Ping, Nested(Order) }
    #[serde(tag = "t", content = "c")]
    enum Adjacent { Unit, One(u8), Two(u8, String), Named { a: u8 } }
    #[serde(untagged)]
    enum Untagged { Int(i64), Text(String), Many(Vec<Untagged>), Named { a: u8 }, Nothing }
    #[serde(rename_all = "camelCase")]
    struct Renamed { first_name: String, #[serde(rename = "n")] number: u8 }
    #[serde(transparent)]
    struct Transparent { inner: Vec<u8> }
    struct Message { role: String, content: Vec<Internal>, meta: serde_json::Value }
}

#[test]
fn skipped_fields() {
    let full = SkipIf { id: 1, note: Some("n".into()), tags: vec![1], end: 9 };
    check_positional(&full, r#"{"end":9,"id":1,"note":"n","tags":[1]}"#);
    check_named(&SkipIf { note: None, ..full.clone() }, r#"{"end":9,"id":1,"tags":[1]}"#);
    check_named(&SkipIf { note: None, tags: vec![], ..full.clone() }, r#"{"end":9,"id":1}"#);
    check_named(
        &vec![full.clone(), SkipIf { note: None, ..full }],
        r#"[{"end":9,"id":1,"note":"n","tags":[1]},{"end":9,"id":1,"tags":[1]}]"#,
    );
    check_positional(&SkipDefault { id: 1, secret: 0, cache: None, end: 3 }, r#"{"end":3,"id":1}"#);
}

#[test]
fn a_type_that_skips_only_sometimes_changes_to_names_and_its_earlier_values_stay_readable() {
    let codec = Codec::new();
    let full = SkipIf { id: 1, note: Some("n".into()), tags: vec![1], end: 9 };
    let bare = SkipIf { note: None, tags: vec![], ..full.clone() };
    let (first, second, third) =
        (codec.encode(&full).unwrap(), codec.encode(&bare).unwrap(), codec.encode(&full).unwrap());
    assert_ne!(first.layout, LayoutId::NAMED);
    assert_eq!((second.layout, third.layout), (LayoutId::NAMED, LayoutId::NAMED));
    for (stored, value) in [(first, &full), (second, &bare), (third, &full)] {
        assert_eq!(codec.decode::<SkipIf>(stored.layout, &stored.bytes).unwrap(), *value);
    }
}

#[test]
fn flatten() {
    let rest = BTreeMap::from([("x".to_owned(), json!({"deep": [1, null, "s", 2.5, true]}))]);
    let flat = Flat { id: u64::MAX, page: Page { page: 2, size: None }, rest };
    check_named(
        &flat,
        r#"{"id":18446744073709551615,"page":2,"size":null,"x":{"deep":[1,null,"s",2.5,true]}}"#,
    );
    check_named(
        &Flat { page: Page { page: 2, size: Some(1) }, ..flat },
        r#"{"id":18446744073709551615,"page":2,"size":1,"x":{"deep":[1,null,"s",2.5,true]}}"#,
    );
}

#[test]
fn tagged_and_untagged_enums() {
    check_named(&Internal::Text { text: "hi".into() }, r#"{"text":"hi","type":"Text"}"#);
    check_named(&Internal::Ping, r#"{"type":"Ping"}"#);
    let order = Order { sku: "A".into(), qty: 2, note: Some("n".into()) };
    check_named(&Internal::Nested(order), r#"{"note":"n","qty":2,"sku":"A","type":"Nested"}"#);

    check_positional(&Adjacent::Unit, r#"{"t":"Unit"}"#);
    check_positional(&Adjacent::One(1), r#"{"c":1,"t":"One"}"#);
    check_positional(&Adjacent::Two(1, "b".into()), r#"{"c":[1,"b"],"t":"Two"}"#);
    check_named(&Adjacent::Named { a: 1 }, r#"{"c":{"a":1},"t":"Named"}"#);
    check(&vec![Adjacent::One(1), Adjacent::Unit, Adjacent::Two(1, "b".into()), Adjacent::Named { a: 1 }]);

    check_named(&Untagged::Int(-5), "-5");
    check_named(&Untagged::Text("t".into()), r#""t""#);
    check_named(&Untagged::Many(vec![Untagged::Int(1), Untagged::Many(vec![])]), "[1,[]]");
    check_named(&Untagged::Named { a: 1 }, r#"{"a":1}"#);
    check_named(&Untagged::Nothing, "null");
}

#[test]
fn renamed_and_transparent() {
    check_positional(&Renamed { first_name: "A".into(), number: 1 }, r#"{"firstName":"A","n":1}"#);
    check_positional(&Transparent { inner: vec![1, 2] }, "[1,2]");
}

#[test]
fn any_json() {
    check_named(&json!(null), "null");
    check_named(
        &json!({"a": [1, -2, 3.5, null, true, "s", {"b": {}}], "": []}),
        r#"{"":[],"a":[1,-2,3.5,null,true,"s",{"b":{}}]}"#,
    );
    check_named(
        &vec![json!(u64::MAX), json!(i64::MIN), json!(1e300)],
        "[18446744073709551615,-9223372036854775808,1e+300]",
    );
    let message = Message {
        role: "user".into(),
        content: vec![Internal::Ping, Internal::Text { text: "hi".into() }],
        meta: json!({"tokens": 12}),
    };
    check_named(
        &message,
        r#"{"content":[{"type":"Ping"},{"text":"hi","type":"Text"}],"meta":{"tokens":12},"role":"user"}"#,
    );
}

data! {
    enum Gapped { First, #[serde(skip)] Second, Third(u8), #[serde(skip_deserializing)] Fourth, #[serde(other)] Rest }
    struct Ignored { #[serde(skip_deserializing)] made_up: u8, id: u8 }
    #[serde(deny_unknown_fields, default)]
    struct Strict { a: u8, b: String }
    #[serde(from = "(u8, u8)", into = "(u8, u8)")]
    struct Through { low: u8, high: u8 }
}

impl Default for Strict {
    fn default() -> Self {
        Self { a: 1, b: "b".into() }
    }
}

impl From<(u8, u8)> for Through {
    fn from((low, high): (u8, u8)) -> Self {
        Self { low, high }
    }
}

impl From<Through> for (u8, u8) {
    fn from(through: Through) -> Self {
        (through.low, through.high)
    }
}

/// `Serialize` and `Deserialize` count such variants differently: by their indices `Third` may be read as `Rest`.
#[test]
fn skipped_variants_and_other_attributes() {
    check(&vec![Gapped::First, Gapped::Third(1), Gapped::Rest]);
    check_positional(&Gapped::Third(1), r#"{"Third":1}"#);
    let error = Codec::new().encode(&Gapped::Second).unwrap_err().to_string();
    assert!(error.contains("Gapped` can't be stored: its `Serialize` failed"), "{error}");
    Codec::new().encode(&Gapped::Fourth).expect_err("it would be read as `Rest`");

    check_named(&Ignored { made_up: 0, id: 1 }, r#"{"id":1,"made_up":0}"#);
    Codec::new().encode(&Ignored { made_up: 1, id: 1 }).expect_err("it would be read as 0");
    check_positional(&Strict { a: 2, b: String::new() }, r#"{"a":2,"b":""}"#);
    check_positional(&Through { low: 1, high: 2 }, "[1,2]");
}

type Owned = (String, Vec<Order>, u64, Option<String>);

#[test]
fn borrowed_arguments_are_read_back_owned() {
    let codec = Codec::new();
    let (sku, items) = ("A-1".to_owned(), vec![Order { sku: "B".into(), qty: 1, note: None }]);
    let borrowed = (&*sku, &items[..], &7_u64, Some("x"));
    let stored = codec.encode_borrowed::<_, Owned>(&borrowed).unwrap();
    let back: Owned = codec.decode(stored.layout, &stored.bytes).unwrap();
    assert_eq!(back, (sku, items, 7, Some("x".into())));
    assert_eq!(codec.encode(&back).unwrap(), stored, "the owned form has the same bytes and layout");
}
