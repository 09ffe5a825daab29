#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use async_graphql_parser::parse_query;
use async_graphql_value::Variables;
use serde_json::{Value as Json, json};

use super::*;

const SDL: &str = r#"
schema { query: Query mutation: Mutation subscription: Subscription }
"""A block "string".""" interface Node { id: ID! }
enum Mode { A B }
type Tag implements Node { id: ID! name: String! }
type Endpoint implements Node { id: ID! name: String! clusters(first: Int): ClusterConnection! tags: [Tag!]! }
type Cluster implements Node {
  id: ID! name: String! mode: Mode! contentTypes: [String!]!
  endpoint: Endpoint
  nodes(first: Int, last: Int): PNodeConnection!
  storages(first: Int): PNodeConnection!
  tags: [Tag!]!
}
type PNode implements Node { id: ID! name: String! endpoint: Endpoint cluster: Cluster tags: [Tag!]! cpuStats: FloatStats! }
type PageInfo { hasNextPage: Boolean! }
type ClusterEdge { cursor: String! node: Cluster! }
type ClusterConnection { edges: [ClusterEdge!]! nodes: [Cluster!]! pageInfo: PageInfo! totalCount: Int! }
type PNodeConnection {
  nodes: [PNode!]! totalCount: Int! aggregate: PNodeAggregate!
  groups(by: [Mode!]!, first: Int): [PNodeGroup!]!
}
type FloatStats { min: Float }
type PNodeAggregate { count: Int! cpu: FloatStats! }
type PNodeGroup { key: String! cluster: Cluster aggregate: PNodeAggregate! }
union Any = Tag | Cluster
type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  any: Any
  cluster(id: ID): Cluster
  clusters(first: Int, last: Int): ClusterConnection!
  pnodes(first: Int, last: Int): PNodeConnection!
  pnodeList(limit: Int, offset: Int): [PNode!]!
  short(first: Int = 7): [PNode!]!
  version: String!
}
input Item { name: String }
input ItemsInput { items: [Item!]! }
input IdsInput { ids: [ID!]! }
type UserError { message: String! }
type BulkItem { index: Int! node: PNode userErrors: [UserError!]! }
type BulkPayload { results: [BulkItem!]! succeeded: Int! effects: [UserError!]! }
type Payload { node: PNode userErrors: [UserError!]! }
type Mutation { create(input: Item!): Payload! createMany(input: ItemsInput!): BulkPayload! updateMany(input: ItemsInput!): BulkPayload! deleteMany(input: IdsInput!): BulkPayload! }
type Subscription { changed: PNode! }
extend type Query { late: [Tag!]! }
"#;

fn check(
    document: &async_graphql_parser::types::ExecutableDocument,
    variables: &Variables,
    shape: &SchemaShape,
    limits: &Limits,
) -> Result<(), Refusal> {
    measure(document, variables, shape, limits)?.check(limits)
}

fn verdict(query: &str, variables: Json, limits: &Limits) -> Result<(), Refusal> {
    scan(query, limits)?;
    let document = parse_query(query).unwrap();
    check(&document, &Variables::from_json(variables), &SchemaShape::from_sdl(SDL).unwrap(), limits)
}

/// The cost of a query, read from the refusal under a limit of nothing.
fn cost_with(query: &str, variables: Json) -> u64 {
    match verdict(query, variables, &Limits { cost: 0, ..Limits::default() }) {
        Ok(()) => 0,
        Err(Refusal::TooComplex { what: Measure::Cost, actual, .. }) => actual.unwrap_or(u64::MAX),
        Err(other) => panic!("{query}: {other}"),
    }
}

fn cost(query: &str) -> u64 {
    cost_with(query, json!({}))
}

fn depth(query: &str) -> usize {
    match verdict(query, json!({}), &Limits { depth: 0, cost: u64::MAX, ..Limits::default() }) {
        Err(Refusal::TooDeep { what: Depth::Data, actual, .. }) => actual.unwrap(),
        other => panic!("{query}: {other:?}"),
    }
}

fn code(query: &str) -> &'static str {
    verdict(query, json!({}), &Limits::default()).map_or_else(|refusal| refusal.code(), |()| "")
}

/// Runs the closure on a stack of one megabyte, half of what the server's threads have.
fn on_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(1 << 20).spawn(run).unwrap().join().unwrap()
}

// ---- scan ------------------------------------------------------------------------------------

fn nesting_passes(text: &str, nesting: usize) -> bool {
    !matches!(scan(text, &Limits { nesting, ..Limits::default() }), Err(Refusal::TooDeep { .. }))
}

#[test]
fn counts_brackets_outside_strings_and_comments() {
    for (text, deep) in [
        ("{a(n:[[1]])}", 4),
        ("{a}{b}", 1),
        (r#"{a(s:"[[[[\"[") #[[[["#, 2),
        ("{#[[[\r[}", 2),
        (r#"{a(s:"""[[[ \""" [[" "" \ ["""[)}"#, 3),
        (r#"{a(s:"\\"[)}"#, 3),
        (r#"{a(s:"é[" "")}"#, 2),
        ("\"[[[[\n[[", 2),
        (")))]{", 1),
        ("", 0),
    ] {
        assert!(nesting_passes(text, deep), "{text}");
        assert!(deep == 0 || !nesting_passes(text, deep - 1), "{text}");
    }
}

#[test]
fn counts_tokens() {
    for (text, tokens) in [
        ("query Q($a: Int! = -1.5e+3) { ...F @skip(if: $a) }", 23),
        ("\u{feff}{ a , b,,,c # d e f\n }", 5),
        (r#"{a(s:"x y z" t:"""a "b" c""")}"#, 11),
        ("[1-1-1 1.e 1..2]", 12),
        ("", 0),
    ] {
        let passes = |tokens| scan(text, &Limits { tokens, ..Limits::default() }).is_ok();
        assert!(passes(tokens), "{text}");
        assert!(tokens == 0 || !passes(tokens - 1), "{text}");
    }
}

#[test]
fn refuses_long_texts_and_open_block_strings() {
    assert_eq!(code(&format!("{{ a #{}\n}}", " ".repeat(65_536))), "QUERY_TOO_COMPLEX");
    // The parser would read `""`, `" "` and then the brackets.
    let trick = format!("{{\n é(n:[\"\"\" \" {}", "[".repeat(90));
    let refusal = scan(&trick, &Limits::default()).unwrap_err();
    assert_eq!(refusal, Refusal::UnterminatedString { line: 2, column: 7 });
    assert_eq!(refusal.code(), "GRAPHQL_PARSE_FAILED");
    for text in [
        "\"",
        "\"\\",
        "\"\\\"",
        "\"\"",
        "\"\"\"",
        "\"\"\"\\",
        "\"\"\"\\\"\"\"",
        "\"\"\"\"",
        "\"\"\"\"\"",
        "\"\"\"\"\"\"",
        "-",
        ".",
        "..",
        "1e",
        "é",
        "\u{feff}",
    ] {
        let _ = scan(text, &Limits::default());
    }
}

#[test]
fn bracket_bombs_do_not_reach_the_parser() {
    for open in ["[", "{a:", "{a", "{a(b:{c:[", "{...on A"] {
        assert_eq!(scan(&open.repeat(600), &Limits::default()).unwrap_err().code(), "QUERY_TOO_DEEP", "{open}");
    }
    let types = format!("query($a: {}Int{}) {{ a }}", "[".repeat(600), "]".repeat(600));
    assert_eq!(scan(&types, &Limits::default()).unwrap_err().code(), "QUERY_TOO_DEEP");
    // What passes does not overflow the parser.
    on_small_stack(|| {
        for (open, close) in [("[", "]"), ("{a:", "}"), ("{a:[", "]}")] {
            let n = 98 / open.matches(['[', '{']).count();
            for close in [close, ""] {
                let text = format!("{{a(n:{}1{})}}", open.repeat(n), close.repeat(n));
                scan(&text, &Limits::default()).unwrap();
                assert_eq!(parse_query(&text).is_ok(), !close.is_empty());
            }
        }
        for open in ["{a", "{...on A", "{a @b(c:1)"] {
            let text = format!("{}{{a}}{}", open.repeat(99), "}".repeat(99));
            scan(&text, &Limits::default()).unwrap();
            let _ = parse_query(&text);
        }
    });
}

#[test]
fn scan_is_fast_and_never_panics() {
    let huge = Limits { text_bytes: usize::MAX, tokens: usize::MAX, nesting: usize::MAX, ..Limits::default() };
    let started = Instant::now();
    for unit in ["[", "\"\"\" ", "\\\"\"\"", "\"", "a ", "#\n", "\"\"\"\\\"\"\""] {
        let _ = scan(&unit.repeat((1 << 19) / unit.len()), &huge);
    }
    assert!(started.elapsed() < Duration::from_secs(5));

    let parts = [
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "\"",
        "\"\"\"",
        "\\",
        "#",
        "\n",
        "\r",
        " ",
        ",",
        "a",
        "é",
        "\u{feff}",
        "1",
        "-",
        ".",
        "...",
        "$",
        ":",
        "e",
        "fragment F on A",
        "...F",
        "@b",
        "__type",
        "first:",
    ];
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut random = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    let shape = SchemaShape::from_sdl(SDL).unwrap();
    for _ in 0..20_000 {
        let length = random(24);
        let text: String = (0..length).map(|_| parts[random(parts.len())]).collect();
        if scan(&text, &Limits::default()).is_ok()
            && let Ok(document) = parse_query(&text)
        {
            let _ = check(&document, &Variables::default(), &shape, &Limits::default());
        }
    }
}

// ---- fragments -------------------------------------------------------------------------------

#[test]
fn fragment_bombs_are_refused_at_once() {
    let fragments: String = (0..20).map(|i| format!("fragment F{i} on Query {{ ...F{0} ...F{0} }} ", i + 1)).collect();
    for root in ["{ ...F0 }", "{ a: cluster { name } ...F0 }"] {
        let query = format!("{root} {fragments} fragment F20 on Query {{ version }}");
        let document = parse_query(&query).unwrap();
        let shape = SchemaShape::from_sdl(SDL).unwrap();
        let started = Instant::now();
        let refusal = check(&document, &Variables::default(), &shape, &Limits::default()).unwrap_err();
        assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
        assert!(
            matches!(
                refusal,
                Refusal::TooComplex { what: Measure::Selections, actual: Some(3_000_000..), limit: 5_000 }
            ),
            "{refusal:?}"
        );
    }
    // Beyond 64 bits.
    let fragments: String = (0..90).map(|i| format!("fragment F{i} on Query {{ ...F{0} ...F{0} }} ", i + 1)).collect();
    let refusal =
        verdict(&format!("{{ ...F0 }} {fragments} fragment F90 on Query {{ version }}"), json!({}), &Limits::default());
    assert_eq!(refusal.unwrap_err(), Refusal::TooComplex { what: Measure::Selections, actual: None, limit: 5_000 });
    // Operations are added up.
    let many: String = (0..9).map(|i| format!("query Q{i} {{ ...F }} ")).collect();
    let refusal = verdict(
        &format!("{many} fragment F on Query {{ version version }}"),
        json!({}),
        &Limits { selections: 26, ..Limits::default() },
    );
    assert!(matches!(refusal, Err(Refusal::TooComplex { actual: Some(27), .. })), "{refusal:?}");
}

#[test]
fn chains_of_fragments_need_no_stack() {
    on_small_stack(|| {
        // Within the limits of the text: 8 tokens a link.
        let chain: String = (0..248).map(|i| format!("fragment F{i} on Query{{...F{}}}", i + 1)).collect();
        let query = format!("{{...F0}} {chain} fragment F248 on Query{{version}}");
        assert_eq!(verdict(&query, json!({}), &Limits::default()), Ok(()));
        // Each link deep in itself, and beyond the limits.
        let open = "{any{... on Query".repeat(15);
        let chain: String =
            (0..1_000).map(|i| format!("fragment F{i} on Query {open}{{...F{}}}{}", i + 1, "}}".repeat(15))).collect();
        let document = parse_query(format!("{{...F0}} {chain} fragment F1000 on Query{{version}}")).unwrap();
        let limits = Limits { selections: u64::MAX, ..Limits::default() };
        let refusal =
            check(&document, &Variables::default(), &SchemaShape::from_sdl(SDL).unwrap(), &limits).unwrap_err();
        assert_eq!(refusal, Refusal::TooDeep { what: Depth::Data, actual: Some(15_001), limit: 12 });
    });
}

#[test]
fn cycles_and_unknown_fragments_count_nothing() {
    for query in [
        "{ ...A } fragment A on Query { ...A ...A version }",
        "{ ...A ...B } fragment A on Query { ...B } fragment B on Query { cluster { ...A } }",
        "{ ...Gone cluster { ...Gone } }",
        "{ version } fragment Unused on Query { ...Unused }",
    ] {
        assert_eq!(code(query), "", "{query}");
    }
}

// ---- aliases, root fields, depth ---------------------------------------------------------------

#[test]
fn counts_aliases_through_fragments() {
    let spreads = |n: usize| {
        format!(
            "{{ clusters(first: 1) {{ nodes {{ {} }} }} }} fragment F on Cluster {{ a: name b: name c: name }}",
            "...F ".repeat(n)
        )
    };
    assert_eq!(code(&spreads(10)), "");
    assert_eq!(code(&spreads(11)), "TOO_MANY_ALIASES");
    // Every operation has its own thirty.
    let operation = |name| format!("query {name} {{ cluster {{ {} }} }}", "a: name ".repeat(16));
    assert_eq!(code(&format!("{} {}", operation("A"), operation("B"))), "");
}

#[test]
fn counts_root_fields_through_fragments() {
    let query = |n: usize| {
        format!("{{ version ... {{ __typename ...F }} }} fragment F on Query {{ {} }}", "version ".repeat(n))
    };
    assert_eq!(code(&query(18)), "");
    let refusal = verdict(&query(19), json!({}), &Limits::default()).unwrap_err();
    assert_eq!(refusal, Refusal::TooComplex { what: Measure::RootFields, actual: Some(21), limit: 20 });
    // Deeper ones are no root fields.
    assert_eq!(
        code("{ cluster { id name mode endpoint { id name } nodes { nodes { id name cluster { id name mode } } } } }"),
        ""
    );
}

#[test]
fn depth_counts_fields_only() {
    assert_eq!(depth("{ version }"), 1);
    assert_eq!(depth("{ cluster { __typename } }"), 1);
    assert_eq!(
        depth("{ node(id: 1) { ... on Cluster { ...F ... { name } } } } fragment F on Cluster { endpoint { name } }"),
        3
    );
    assert_eq!(depth("{ __schema { types { name } } cluster { name } }"), 2);
    let deep = |n: usize| {
        format!(
            "{{ cluster {} name {} }}",
            "{ endpoint { clusters(first: 1) { nodes ".repeat(n) + "{",
            "}".repeat(3 * n + 1)
        )
    };
    assert_eq!(depth(&deep(3)), 11);
    assert_eq!(code(&deep(3)), "");
    assert_eq!(code(&deep(4)), "QUERY_TOO_DEEP");
    assert_eq!(
        code(
            "query A { version } query B { a { b { c { d { e { f { g { h { i { j { k { l { m } } } } } } } } } } } } }"
        ),
        "QUERY_TOO_DEEP"
    );
}

// ---- repeats and directives ---------------------------------------------------------------------

/// How often a field stands at one place, read from the refusal under a limit of nothing.
fn repeats(query: &str) -> u64 {
    match verdict(query, json!({}), &Limits { repeats: 0, ..Limits::default() }) {
        Err(Refusal::TooComplex { what: Measure::Repeats, actual, .. }) => actual.unwrap(),
        other => panic!("{query}: {other:?}"),
    }
}

#[test]
fn counts_fields_that_stand_at_one_place() {
    for (query, times) in [
        ("{ version }", 1),
        ("{ version a: version b: version cluster { name } }", 1),
        ("{ version version a: version a: cluster { name } a: cluster { name } }", 3),
        ("{ cluster { name name name } pnodes { nodes { name } } }", 3),
        ("{ cluster { name ...F ... { name ...F } ... on Cluster { name } } } fragment F on Cluster { name }", 5),
        // Fields of one name are one place, as in the answer.
        ("{ cluster { name } cluster { name name } ...F } fragment F on Query { cluster { id name } }", 4),
        ("{ node(id: 1) { ... on Tag { name } ... on Cluster { name } } }", 2),
        // Spreads that never end are validation's to refuse.
        ("{ version ...A } fragment A on Query { version ...A }", 0),
        ("{ ...Gone }", 0),
    ] {
        if times > 0 {
            assert_eq!(repeats(query), times, "{query}");
        } else {
            assert_eq!(verdict(query, json!({}), &Limits { repeats: 0, ..Limits::default() }), Ok(()), "{query}");
        }
    }
    let names = |n: usize| format!("{{ cluster {{ {} }} }}", "name ".repeat(n));
    assert_eq!(code(&names(20)), "");
    assert_eq!(code(&names(21)), "QUERY_TOO_COMPLEX");
    let refusal = verdict(&format!("{{ {} }}", "__typename ".repeat(500)), json!({}), &Limits::default());
    assert_eq!(refusal, Err(Refusal::TooComplex { what: Measure::Repeats, actual: Some(500), limit: 20 }));
    // Each place has its own twenty, and so has each operation.
    assert_eq!(code(&format!("query A {} query B {}", names(20), names(20))), "");
}

#[test]
fn counts_directives_wherever_they_stand() {
    let ten = "@a ".repeat(10);
    for place in [
        "query ^ { version }",
        "query($v: Int ^) { version }",
        "{ version ^ }",
        "{ cluster { endpoint { name ^ } } }",
        "{ ... ^ { version } }",
        "{ ...F ^ } fragment F on Query { version }",
        "{ ...F } fragment F on Query ^ { version }",
        "{ version } fragment Unused on Query { cluster { name ^ } }",
        "query A { version } query B { version ^ }",
    ] {
        assert_eq!(code(&place.replace('^', &ten)), "", "{place}");
        let refusal = verdict(&place.replace('^', &format!("{ten}@b")), json!({}), &Limits::default());
        let expected = Refusal::TooComplex { what: Measure::Directives, actual: Some(11), limit: 10 };
        assert_eq!(refusal, Err(expected), "{place}");
    }
}

/// As long as the limits of the text allow, and as nested: whatever it is, it is told at once.
#[test]
fn the_longest_documents_are_measured_at_once() {
    let text = |head: &str, unit: &str| format!("{{ {head}{} }}", unit.repeat(1_990 / unit.split(' ').count()));
    let fan = (0..60).map(|i| format!("fragment F{i} on Query {{ {} ...F{} }} ", "version ".repeat(20), i + 1));
    let cycle = format!("query Q {{ ...A }} fragment A on Query {{ {} }}", "...A ".repeat(600));
    let documents = [
        text("", "version"),
        text("", "version @a"),
        text("", "cluster { cluster { name } }"),
        text("", "... { version }"),
        format!("{{ ...F0 }} {} fragment F60 on Query {{ version }}", fan.collect::<String>()),
        cycle,
    ];
    let shape = SchemaShape::from_sdl(SDL).unwrap();
    let started = Instant::now();
    for document in documents {
        let document = parse_query(document).unwrap();
        for _ in 0..20 {
            let _ = check(&document, &Variables::default(), &shape, &Limits::default());
        }
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn the_cost_is_that_of_the_operation() {
    let query = "query A { a: pnodes(first: 3) { nodes { name @skip(if: false) name } totalCount } __typename }
        query B { __schema { types { name } } }";
    let document = parse_query(query).unwrap();
    let limits = Limits::default();
    let measured = measure(&document, &Variables::default(), &SchemaShape::from_sdl(SDL).unwrap(), &limits).unwrap();
    let cost = |name: &str| {
        let (_, operation) = document.operations.iter().find(|(key, _)| key.is_some_and(|key| key == name)).unwrap();
        serde_json::to_value(measured.cost(&operation.node, &limits).unwrap()).unwrap()
    };
    let share = |requested: u64, limit: u64| json!({ "requested": requested, "limit": limit });
    assert_eq!(
        cost("A"),
        json!({
            "requested": 1 + 3 + 10, "limit": 10_000, "introspection": share(0, 10_000), "depth": share(3, 12),
            "aliases": share(1, 30), "rootFields": share(2, 20), "selections": share(9, 5_000),
            "repeats": share(2, 20), "directives": share(1, 10),
        })
    );
    assert_eq!((cost("B")["requested"].clone(), cost("B")["introspection"].clone()), (json!(0), share(6, 10_000)));
    assert!(measured.introspects());
}

// ---- introspection -----------------------------------------------------------------------------

/// The introspection query graphql-js builds, with everything on or everything off.
fn introspection(all: bool, levels: usize) -> String {
    let on = |text: &'static str| if all { text } else { "" };
    let deprecated = on("(includeDeprecated: true)");
    let description = on("description");
    format!(
        "query IntrospectionQuery {{
          __schema {{
            {description}
            queryType {{ name kind }} mutationType {{ name kind }} subscriptionType {{ name kind }}
            types {{ ...FullType }}
            directives {{ name {description} {} locations args{deprecated} {{ ...InputValue }} }}
          }}
        }}
        fragment FullType on __Type {{
          kind name {description} {} {}
          fields(includeDeprecated: true) {{
            name {description}
            args{deprecated} {{ ...InputValue }}
            type {{ ...TypeRef }}
            isDeprecated deprecationReason
          }}
          inputFields{deprecated} {{ ...InputValue }}
          interfaces {{ ...TypeRef }}
          enumValues(includeDeprecated: true) {{ name {description} isDeprecated deprecationReason }}
          possibleTypes {{ ...TypeRef }}
        }}
        fragment InputValue on __InputValue {{ name {description} type {{ ...TypeRef }} defaultValue {} }}
        fragment TypeRef on __Type {{ kind name {} {} }}",
        on("isRepeatable"),
        on("specifiedByURL"),
        on("isOneOf"),
        on("isDeprecated deprecationReason"),
        "ofType { kind name ".repeat(levels),
        "}".repeat(levels),
    )
}

#[test]
fn the_standard_introspection_query_passes() {
    // Whatever the operator allows for data.
    let limits = Limits { depth: 1, cost: 1, aliases: 1, ..Limits::default() };
    for all in [false, true] {
        for levels in [7, 9] {
            assert_eq!(verdict(&introspection(all, levels), json!({}), &limits), Ok(()));
        }
    }
    assert_eq!(
        verdict("{ __type(name: \"A\") { name fields { name type { name fields { name } } } } }", json!({}), &limits),
        Ok(())
    );
}

#[test]
fn introspection_bombs_are_refused() {
    for query in [
        "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }",
        "{ __schema { types { ...T } } } fragment T on __Type { fields { type { ...U } } } fragment U on __Type { fields { type { ... { fields { name } } } } }",
        "{ __type(name: \"A\") { interfaces { possibleTypes { interfaces { name } } } } }",
        "{ __schema { types { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { ofType { name } } } } } } } } } } } } } } } } } } } } }",
    ] {
        assert_eq!(code(query), "QUERY_TOO_DEEP", "{query}");
    }
    let nested = "{ types { fields { args { type { inputFields { type { kind } } } } } } }";
    let query = |n: usize| format!("{{ {} }}", (0..n).map(|i| format!("a{i}: __schema {nested} ")).collect::<String>());
    assert_eq!(code(&query(1)), "");
    let refusal = verdict(&query(20), json!({}), &Limits::default()).unwrap_err();
    assert!(matches!(refusal, Refusal::TooComplex { what: Measure::IntrospectionCost, .. }), "{refusal:?}");
}

// ---- cost --------------------------------------------------------------------------------------

#[test]
fn costs_of_the_rules() {
    for (query, expected) in [
        ("{ version __typename }", 0),
        ("{ cluster { name mode contentTypes } }", 1),
        ("{ cluster { endpoint { name } tags { name } } }", 1 + 1 + 5),
        // Connections hand their page size to `nodes` and `edges`.
        ("{ pnodes(first: 1000) { nodes { endpoint { name } cluster { name } tags { name } } } }", 8001),
        ("{ pnodes { nodes { name } } }", 51),
        ("{ pnodes(last: 3) { nodes { name } } }", 4),
        ("{ pnodes(first: 2, last: 3) { nodes { name } } }", 4),
        ("{ pnodes(first: 0) { nodes { cluster { name } } } }", 1),
        ("{ pnodes(first: -1) { nodes { name } } }", 1),
        ("{ pnodes(first: 99999999999999999999) { nodes { name } } }", 51),
        ("{ pnodes(first: 5000) { nodes { name } } }", 1001),
        ("{ pnodes(first: \"3\") { nodes { name } } }", 51),
        ("{ pnodes(first: null) { nodes { name } } }", 51),
        (
            "{ clusters(first: 10) { pageInfo { hasNextPage } edges { cursor node { name } } nodes { name } } }",
            1 + 1 + 20 + 10,
        ),
        (
            "{ clusters(first: 20) { nodes { nodes(first: 25) { nodes { name } } storages(first: 10) { nodes { name } } } } }",
            1 + 20 * (1 + 26 + 11),
        ),
        // The page of an outer connection does not reach into an inner one.
        ("{ clusters(first: 2) { nodes { endpoint { clusters { nodes { name } } } } } }", 1 + 2 * (1 + 1 + 51)),
        // Plain lists.
        ("{ pnodeList { name } }", 50),
        ("{ pnodeList(limit: 3, offset: 9) { cluster { name } } }", 6),
        ("{ short { name } }", 7),
        ("{ late { name } }", 5),
        ("{ nodes(ids: [\"A:1\", \"A:2\", \"A:3\"]) { id ... on Cluster { endpoint { name } } } }", 6),
        ("{ nodes(ids: \"A:1\") { id } }", 1),
        ("{ nodes(ids: []) { id } }", 0),
        ("{ any { ... on Cluster { endpoint { name } } ... on Tag { name } } }", 2),
        // Statements of their own.
        ("{ pnodes(first: 0) { totalCount } }", 11),
        ("{ pnodes(first: 0) { aggregate { count cpu { min } } } }", 1 + 10 + 2),
        (
            "{ pnodes(first: 0) { groups(by: [A], first: 3) { key cluster { name } aggregate { count } } } }",
            1 + 10 + 3 * 3,
        ),
        ("{ pnodes(first: 0) { groups(by: [A]) { key } } }", 1 + 10 + 50),
        // Fragments on a connection, at different page sizes.
        (
            "{ a: pnodes(first: 2) { ...P } b: pnodes(first: 3) { ... { ...P } } } fragment P on PNodeConnection { totalCount nodes { ...N } } fragment N on PNode { cluster { name } }",
            (11 + 4) + (11 + 6),
        ),
        // Mutations and subscriptions.
        ("mutation { create(input: {}) { node { name } userErrors { message } } }", 1 + 1 + 5),
        (
            "mutation { createMany(input: {items: [{name: \"a\"}, {}]}) { results { node { name } userErrors { message } } effects { message } } }",
            1 + 2 * (1 + 1 + 5) + 5,
        ),
        ("mutation { updateMany(input: {items: [{name: \"a\"}, {}]}) { results { index } } }", 3),
        (
            "mutation { deleteMany(input: {ids: [1, 2, 3]}) { ...R } } fragment R on BulkPayload { results { index } }",
            4,
        ),
        ("mutation { deleteMany { results { index } } }", 1),
        ("subscription { changed { cluster { name } } }", 2),
        // Unknown to the schema: validation's to report.
        ("{ gone { a b { c } } ...G } fragment G on Gone { a { b } }", 3),
        ("{ version { a } cluster }", 1),
    ] {
        assert_eq!(cost(query), expected, "{query}");
    }
}

#[test]
fn costs_read_variables() {
    let page = "query($n: Int) { pnodes(first: $n) { nodes { name } } }";
    for (variables, expected) in [
        (json!({"n": 3}), 4),
        (json!({}), 51),
        (json!({"n": null}), 51),
        (json!({"n": "3"}), 51),
        (json!({"n": 3.5}), 51),
        (json!({"n": -3}), 1),
        (json!({"n": u64::MAX}), 1001),
    ] {
        assert_eq!(cost_with(page, variables.clone()), expected, "{variables}");
    }
    let page = "query($n: Int = 7) { ...F } fragment F on Query { pnodes(first: $n) { nodes { name } } }";
    assert_eq!(cost(page), 8);
    assert_eq!(cost_with(page, json!({"n": 3})), 4);
    assert_eq!(cost_with(page, json!({"n": null})), 51);
    assert_eq!(cost_with("query($i: [ID!]!) { nodes(ids: $i) { id } }", json!({"i": [1, 2, 3]})), 3);
    let bulk = "mutation($x: Any, $y: Any) { a: createMany(input: $x) { results { index } } b: createMany(input: {items: $y}) { results { index } } }";
    assert_eq!(cost_with(bulk, json!({"x": {"items": [{}, {}]}, "y": [{}, {}, {}]})), 3 + 4);
    assert_eq!(cost_with(bulk, json!({"x": 1})), 2);
}

#[test]
fn expensive_queries_are_refused() {
    let nested = "{ clusters(first: 1000) { nodes { nodes { nodes { name } } } } }";
    let refusal = verdict(nested, json!({}), &Limits::default()).unwrap_err();
    assert_eq!(refusal, Refusal::TooComplex { what: Measure::Cost, actual: Some(52_001), limit: 10_000 });
    // One fragment, another price in each operation.
    let query = "query A { ...F } query B($n: Int = 1000) { ...F } fragment F on Query { pnodes(first: $n) { nodes { tags { name } cluster { tags { name } } } } }";
    assert_eq!(code(query), "QUERY_TOO_COMPLEX");
    assert_eq!(code(&query.replace("1000", "100")), "");
}

#[test]
fn texts_name_the_limit() {
    for what in [Depth::Brackets, Depth::Data, Depth::Introspection, Depth::IntrospectionLists] {
        for actual in [None, Some(99)] {
            let text = Refusal::TooDeep { what, actual, limit: 77 }.to_string();
            assert!(text.contains("at most 77 are allowed. "), "{text}");
            assert_eq!(text.contains("99"), actual.is_some());
        }
    }
    assert_eq!(
        Refusal::TooComplex { what: Measure::Cost, actual: Some(52_001), limit: 10_000 }.to_string(),
        "The query has 52001 points of cost; at most 10000 are allowed. An object costs 1, a list its page size \
         (`first`, 50 by default) times its element: ask for smaller pages, or for fewer objects in each row."
    );
}
