#![allow(clippy::unwrap_used)]

use std::time::Instant;

use async_graphql_parser::parse_query;
use serde_json::{Value as Json, json};

use super::super::report::code;
use super::*;

const SDL: &str = r#"
    scalar BigInt
    scalar DateTime
    scalar JSON
    scalar Other
    enum Mode { ALONE CLUSTER }
    enum Letter { A B C D E F G H I J K L M N }
    input Inner { port: Int, host: String!, size: Int! = 3 }
    input Tree { and: [Tree!], not: Tree, name: Text, items: [Inner!], mode: Mode, json: JSON, big: BigInt, at: DateTime }
    input Text { eq: String, in: [String!] }
    extend input Text { more: Float }
    input Either @oneOf { a: Int, b: String }
    interface Named { name(upper: Boolean): String }
    type Row implements Named { name(upper: Boolean): String rows(first: Int! = 5, filter: Tree): [Row!]! }
    union Thing = Row
    type Query {
        row(id: ID!, mode: Mode, letter: Letter): Row
        rows(filter: Tree, text: [Text!], either: Either, first: Int! = 5, n: Int, other: Other, ids: [ID!]): [Row!]!
        matrix(of: [[Int]]): Int
    }
    type Mutation { make(input: Inner!): Row }
    directive @include(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
    directive @skip(if: Boolean!) on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT
    schema { query: Query mutation: Mutation }
"#;

/// The errors of the first operation, by place in the text.
fn errors(query: &str, variables: Json) -> Vec<ServerError> {
    let shape = InputShape::from_sdl(SDL).unwrap();
    let document = parse_query(query).unwrap();
    let (_, operation) = document.operations.iter().min_by_key(|(_, operation)| operation.pos).unwrap();
    check_values(&document, &operation.node, &Variables::from_json(variables), &shape).err().unwrap_or_default()
}

/// Code and message of each error.
fn told(query: &str, variables: Json) -> Vec<(String, String)> {
    let errors = errors(query, variables).into_iter();
    errors.map(|error| (code(&error).unwrap().to_owned(), error.message)).collect()
}

fn fine(query: &str, variables: Json) {
    assert_eq!(told(query, variables.clone()), [], "{query} {variables}");
}

/// The document has one mistake.
fn wrong(query: &str) -> String {
    let told = told(query, json!({}));
    let [(code, message)] = &told[..] else { panic!("{query} {told:?}") };
    assert_eq!(code, "GRAPHQL_VALIDATION_FAILED", "{query}");
    message.clone()
}

#[test]
fn variables_of_every_type() {
    for (ty, good) in [
        ("Int", json!(-2_147_483_648)),
        ("Int", json!(null)),
        ("Float", json!(1)),
        ("Float!", json!(1.5)),
        ("String", json!("")),
        ("Boolean!", json!(true)),
        ("ID", json!(i64::MAX)),
        ("ID!", json!("x")),
        ("[Int!]!", json!([1, 2])),
        ("[Int!]!", json!(1)),
        ("[Int!]", json!(null)),
        ("[[Int]]", json!([[1, null], null, 3])),
        ("BigInt", json!(i64::MIN)),
        ("BigInt", json!("-9223372036854775808")),
        ("DateTime", json!("2026-04-01T00:00:00+02:00")),
        ("JSON", json!({"a": [1, {"b": null}]})),
        ("JSON", json!(null)),
        ("Other", json!({"any": ["thing"]})),
        ("Mode", json!("CLUSTER")),
        ("[Mode!]", json!("CLUSTER")),
        ("Inner", json!({"host": "a"})),
        ("Inner!", json!({"host": "a", "port": null, "size": 4})),
        ("Tree", json!({})),
        ("Tree", json!({"and": {"name": {"eq": null, "in": "x"}}, "items": [], "mode": "ALONE", "json": [1]})),
        ("Either", json!({"a": 1})),
    ] {
        fine(&format!("query($v: {ty}) {{ a }}"), json!({ "v": good }));
    }
    for (ty, bad, place) in [
        ("Int", json!(2_147_483_648_i64), ""),
        ("Int", json!(1.0), ""),
        ("Int", json!("1"), ""),
        ("Int", json!([1]), ""),
        ("Int!", json!(null), ""),
        ("Float", json!("1"), ""),
        ("String", json!(1), ""),
        ("String", json!({}), ""),
        ("Boolean", json!(0), ""),
        ("ID", json!(1.5), ""),
        ("ID", json!(u64::MAX), ""),
        ("ID", json!(true), ""),
        ("[ID!]", json!({}), ""),
        ("[Int!]", json!([1, null]), "[1]"),
        ("[[Int]]", json!([[1], [2, "x"]]), "[1][1]"),
        ("BigInt", json!(u64::MAX), ""),
        ("BigInt", json!(1.5), ""),
        ("BigInt", json!("1x"), ""),
        ("BigInt", json!([]), ""),
        ("DateTime", json!("yesterday"), ""),
        ("DateTime", json!(5), ""),
        ("JSON!", json!(null), ""),
        ("Mode", json!("NOPE"), ""),
        ("Mode", json!(1), ""),
        ("Mode", json!({"eq": "ALONE"}), ""),
        ("Inner", json!("x"), ""),
        ("Inner", json!([{"host": "x"}]), ""),
        ("Inner", json!({}), ".host"),
        ("Inner", json!({"host": null}), ".host"),
        ("Inner", json!({"host": "x", "size": null}), ".size"),
        ("Inner", json!({"host": "x", "nope": 1}), ""),
        ("[Tree]", json!([{}, {"items": [{"host": ""}, {"host": "", "port": "x"}]}]), "[1].items[1].port"),
        ("Tree", json!({"not": {"name": "x"}}), ".not.name"),
        ("Tree", json!({"name": {"in": ["a", null]}}), ".name.in[1]"),
        ("Either", json!({}), ""),
        ("Either", json!({"a": 1, "b": "x"}), ""),
        ("Either", json!({"a": null}), ".a"),
    ] {
        let told = told(&format!("query($v: {ty}) {{ a }}"), json!({ "v": bad }));
        let [(code, message)] = &told[..] else { panic!("{ty} {bad} {told:?}") };
        assert_eq!(code, "BAD_USER_INPUT");
        assert!(message.starts_with(&format!("Variable \"$v{place}\" of type ")), "{message}");
    }
}

#[test]
fn variables_that_are_not_given() {
    let query = "query($a: Int!, $b: [ID!]!, $c: Int, $d: Int! = 1) { a }";
    let told = |variables| told(query, variables).into_iter().map(|(_, message)| message).collect::<Vec<_>>();
    assert_eq!(told(json!({})).len(), 2);
    assert_eq!(told(json!({"a": 1, "b": 1, "c": null, "unknown": {}})), [""; 0]);
    assert_eq!(
        told(json!({"a": 1, "b": [], "d": null})),
        ["Variable \"$d\" of type \"Int!\" has a wrong value: expected a value, got null."],
        "a default only stands in for a value left out"
    );
    let error = errors("query(\n $a: Int!) { a }", json!(null)).remove(0);
    assert_eq!((error.locations[0].line, error.locations[0].column), (2, 2));
}

#[test]
fn types_of_variables_are_input_types() {
    for ty in ["Nope", "[Nope!]!", "Row", "[Named]", "Thing", "Query"] {
        wrong(&format!("query($v: {ty}) {{ a }}"));
        wrong(&format!("query($v: {ty} = 1) {{ a }}"));
    }
    wrong("query A { a } query B($v: [Nope] = [1]) { a }");
}

#[test]
fn literals_of_every_type() {
    for arguments in [
        "filter: null",
        "filter: {}",
        "filter: {name: {eq: null}, mode: CLUSTER, big: \"12\", at: \"2026-04-01T00:00:00Z\"}",
        "filter: {json: {a: [ENUM, 1.5, {b: null}]}, items: {host: \"x\"}}",
        "text: {eq: \"\"}, first: 7, ids: 5",
        "other: [ANY, {thing: 1}]",
        "either: {b: \"x\"}",
        "nope: 1",
    ] {
        fine(&format!("{{ rows({arguments}) {{ nope(x: 1) {{ name(upper: 1) }} }} }}"), json!({}));
    }
    for (arguments, place) in [
        ("filter: \"x\"", "filter"),
        ("filter: {name: \"x\"}", "filter.name"),
        ("filter: [{}]", "filter"),
        ("filter: {nope: 1}", "filter"),
        ("filter: {name: {eq: ENUM}}", "filter.name.eq"),
        ("filter: {name: {in: [null]}}", "filter.name.in[0]"),
        ("filter: {name: {more: \"1\"}}", "filter.name.more"),
        ("filter: {mode: \"CLUSTER\"}", "filter.mode"),
        ("filter: {mode: NOPE}", "filter.mode"),
        ("filter: {mode: true}", "filter.mode"),
        ("filter: {big: 9223372036854775808}", "filter.big"),
        ("filter: {big: 1.0}", "filter.big"),
        ("filter: {at: 5}", "filter.at"),
        ("filter: {at: TODAY}", "filter.at"),
        ("filter: {items: {port: 1}}", "filter.items.host"),
        ("filter: {items: [{host: \"\"}, {host: \"\", port: 2147483648}]}", "filter.items[1].port"),
        ("filter: {and: [{not: {and: {mode: 1}}}]}", "filter.and[0].not.and.mode"),
        ("first: 1.5", "first"),
        ("first: null", "first"),
        ("first: \"1\"", "first"),
        ("ids: [1, true]", "ids[1]"),
        ("either: {a: 1, b: \"\"}", "either"),
        ("either: {a: null}", "either.a"),
    ] {
        let message = wrong(&format!("{{ rows({arguments}) {{ name }} }}"));
        assert!(message.starts_with(&format!("Argument \"{place}\" of type \"")), "{arguments}: {message}");
    }
    assert_eq!(
        wrong("{ rows(filter: {name: \"hunter2\"}) { name } }"),
        "Argument \"filter.name\" of type \"Text\": expected an object, got a string."
    );
    let error = errors("{\n  rows(first:\n \"1\") { name } }", json!({})).remove(0);
    assert_eq!((error.locations[0].line, error.locations[0].column), (3, 2));
}

#[test]
fn literals_everywhere() {
    for query in [
        "mutation { make(input: {port: \"x\", host: \"\"}) { name } }",
        "{ row(id: 1) { rows(first: \"1\") { name } } }",
        "{ ... { matrix(of: [[\"1\"]]) } }",
        "{ ... on Query { matrix(of: {}) } }",
        "{ row(id: 1) { ... on Named { name(upper: 1) } } }",
        "{ ...F } fragment F on Query { ...G } fragment G on Query { matrix(of: {}) }",
        "{ ...F ...F } fragment F on Query { ...F matrix(of: {}) }",
        "query A { a } fragment F on Query { matrix(of: {}) } query B { ...F }",
        "query A { a } query B { matrix(of: {}) }",
        "query($v: Int = \"1\") { a }",
        "query($v: Int! = null) { a }",
        "query($v: Mode = \"ALONE\") { a }",
        "query($v: [Tree!] = [{name: {eq: 5}}]) { a }",
        "query A { a } query B($v: Int = \"1\") { a }",
        "{ a @include(if: \"yes\") }",
        "{ __typename @include(if: 1) }",
        "{ ... @skip(if: 1) { a } }",
        "{ ...F @skip(if: 1) } fragment F on Query { a }",
    ] {
        wrong(query);
    }
    fine("{ __schema { types(x: 1) { fields(includeDeprecated: 1) { name } } } __type(name: 5) { name } }", json!({}));
}

#[test]
fn directives() {
    for query in [
        "{ a @nope }",
        "{ __typename @nope }",
        "query($v: Int @nope) { a }",
        "query @nope { a }",
        "{ ... @nope { a } }",
        "{ ...F } fragment F on Query @nope { a }",
        "{ ...F @nope } fragment F on Query { a }",
        "{ __schema { __typename @nope } }",
        "query($v: Int @skip(if: true)) { a }",
        "query @skip(if: true) { a }",
        "{ __typename @skip }",
        "{ __typename @skip(if: true, nope: 1) }",
        "{ __typename(nope: 1) }",
        "{ __typename @skip(if: $v) }",
    ] {
        wrong(query);
    }
    fine("query($v: Boolean!) { a: __typename @skip(if: $v) @include(if: false) }", json!({"v": true}));
}

#[test]
fn variables_in_their_places() {
    for (definition, arguments) in [
        ("$v: Int", "n: $v"),
        ("$v: Int!", "n: $v"),
        ("$v: Int", "first: $v"),
        ("$v: Tree", "filter: $v"),
        ("$v: [Text!]!", "text: $v"),
        ("$v: String!", "text: {in: [$v]}"),
        ("$v: String", "text: {eq: $v}"),
        ("$v: String! = \"\"", "text: [{in: [$v, \"a\"]}]"),
        ("$v: Int", "filter: {items: {host: \"\", size: $v}}"),
        ("$v: String = \"\"", "filter: {items: {host: $v}}"),
        ("$v: Int", "filter: {json: {any: [$v]}}"),
        ("$v: Int!", "either: {a: $v}"),
    ] {
        let query = format!("query({definition}) {{ rows({arguments}) {{ name }} }}");
        let told = told(&query, json!({}));
        assert!(told.iter().all(|(code, _)| code == "BAD_USER_INPUT"), "{query} {told:?}");
    }
    for (definition, arguments) in [
        ("$v: String", "n: $v"),
        ("$v: [Int]", "n: $v"),
        ("$v: Text! = {}", "text: $v"),
        ("$v: [Text]! = []", "text: $v"),
        ("$v: String", "text: {in: [$v]}"),
        ("$v: String = null", "text: {in: [$v]}"),
        ("$v: Int", "text: {eq: $v}"),
        ("$v: String", "filter: {items: {host: $v}}"),
        ("$v: Int", "either: {a: $v}"),
        ("$w: Int", "n: $v"),
    ] {
        wrong(&format!("query({definition}) {{ ...F }} fragment F on Query {{ rows({arguments}) {{ name }} }}"));
    }
    // A null does not let the default in.
    let query = "query($v: String = \"\") { rows(text: {in: [$v]}) { name } }";
    fine(query, json!({}));
    fine(query, json!({"v": "a"}));
    assert_eq!(told(query, json!({"v": null}))[0].0, "BAD_USER_INPUT");
    // Other operations have variables of their own.
    fine(
        "query A { ...F } query B($v: Int) { ...G } fragment F on Query { a } fragment G on Query { rows(n: $v) { name } }",
        json!({}),
    );
}

#[test]
fn nothing_private_and_not_too_much_is_told() {
    let query = "query($v: [Tree]) { rows(filter: {mode: \"hunter2\", name: {eq: 1}}) { name } }";
    let told_all = told(query, json!({"v": vec![json!({"mode": "hunter2", "big": "hunter2"}); 1000]}));
    assert_eq!(told_all.len(), 20);
    assert_eq!(
        told_all[0].1,
        "Argument \"filter.mode\" of type \"Mode\": expected one of ALONE, CLUSTER without quotes, got a string."
    );
    assert_eq!(told_all[1].0, "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(
        told_all[2],
        (
            "BAD_USER_INPUT".to_owned(),
            "Variable \"$v[0].mode\" of type \"Mode\" has a wrong value: expected one of ALONE, CLUSTER, got a string."
                .to_owned()
        )
    );
    assert!(told_all.iter().all(|(_, message)| !message.contains("hunter2")));
    let long = "x".repeat(10_000);
    for query in [
        format!("query(${long}: Int!) {{ a }}"),
        format!("query($v: {long}) {{ a }}"),
        format!("{{ a @{long} }}"),
        format!("{{ rows(filter: {{{long}: 1}}) {{ a }} }}"),
        format!("{{ rows(filter: {{mode: {long}}}) {{ a }} }}"),
        format!("{{ rows(n: ${long}) {{ a }} }}"),
        format!("{{ __typename({long}: 1) }}"),
        "{ row(id: 1, letter: X) { name } }".to_owned(),
    ] {
        let told = told(&query, json!({}));
        assert!(told.len() == 1 && told[0].1.len() < 250, "{told:?}");
    }
}

/// What would hurt if something was visited more than once, or was slow where there is much of it.
#[test]
fn much_is_checked_in_little_time() {
    let bomb: String = (0..200).map(|i| format!("fragment F{i} on Query {{ ...F{0} ...F{0} }}\n", i + 1)).collect();
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(95), close.repeat(95));
    let begun = Instant::now();
    fine(&format!("{{ ...F0 }} {bomb} fragment F200 on Query {{ a }}"), json!({}));
    fine(&format!("{{ rows(filter: {}) {{ a }} }}", deep("{not: ", "}").replace("not: }", "not: {} }")), json!({}));
    wrong(&format!("{{ matrix(of: {}) }}", deep("[", "]")));
    let nested = (0..120).fold(json!({}), |inner, _| json!({ "not": inner }));
    fine("query($v: Tree) { a }", json!({ "v": nested }));
    fine("query($v: Tree) { a }", json!({"v": {"and": vec![json!({}); 200_000]}}));
    assert_eq!(told("query($v: [Int]) { a }", json!({ "v": vec!["x"; 200_000] })).len(), 20);
    let ty = format!("{}Int{}", "[".repeat(95), "]".repeat(95));
    fine(&format!("query($v: {ty}) {{ a }}"), json!({"v": 1}));
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}
