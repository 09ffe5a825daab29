//! Random questions, each put to both doors, on random rows.
use crate::property::data::{self, Seen, World, world};
use crate::property::questions::{piece, texts};
use crate::property::{cases, hold, one, same};
use crate::rest::{CLUSTERS, DEVICES, ENDPOINTS, NETBOX_CLUSTERS, NODES, STORAGES, get};
use crate::support::{ADMIN, Server, TestDb, both, fill};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::Union;
use proxbox_graphql::entity::Kind;
use proxbox_graphql::graphql::limits::Limits;
use serde_json::{Value, json};
use std::cell::Cell;

/// What a filterable field holds.
#[derive(Clone, Copy, Debug)]
enum Ty {
    Id,
    Text,
    Address,
    Int,
    Bool,
    Time,
    Mode,
    /// An object that is always there, and one that need not be.
    Parent(Kind),
    Link(Kind),
    /// The name of the parent.
    ParentName(Kind),
    Tags,
    Search,
}

/// A resource in both APIs.
struct Resource {
    kind: Kind,
    path: &'static str,
    root: &'static str,
    /// GraphQL's type, in front of `Filter` and `Order`.
    ty: &'static str,
    fields: Vec<(&'static str, Ty)>,
    /// REST's keys of orderings that GraphQL has too.
    sorts: &'static [&'static str],
}

fn resources() -> Vec<Resource> {
    use Ty::{Address, Bool, Id, Int, Link, Mode, Parent, ParentName, Search, Tags, Text, Time};
    let all = |more: &[(&'static str, Ty)]| {
        let common =
            [("id", Id), ("name", Text), ("created", Time), ("last_updated", Time), ("tag", Tags), ("q", Search)];
        common.into_iter().chain(more.iter().copied()).collect::<Vec<_>>()
    };
    vec![
        Resource {
            kind: Kind::Endpoint,
            path: ENDPOINTS,
            root: "proxmoxEndpoints",
            ty: "ProxmoxEndpoint",
            fields: vec![
                ("id", Id),
                ("name", Text),
                ("domain", Text),
                ("ip_address", Address),
                ("mode", Mode),
                ("tag", Tags),
            ],
            sorts: &["id", "name", "mode", "created", "last_updated"],
        },
        Resource {
            kind: Kind::Cluster,
            path: CLUSTERS,
            root: "proxmoxClusters",
            ty: "ProxmoxCluster",
            fields: all(&[
                ("endpoint", Parent(Kind::Endpoint)),
                ("netbox_cluster", Link(Kind::NetBoxCluster)),
                ("mode", Mode),
                ("quorate", Bool),
            ]),
            sorts: &[
                "id",
                "name",
                "cluster_id",
                "mode",
                "nodes_count",
                "quorate",
                "version",
                "created",
                "last_updated",
                "endpoint__name",
                "netbox_cluster__name",
            ],
        },
        Resource {
            kind: Kind::Node,
            path: NODES,
            root: "proxmoxNodes",
            ty: "ProxmoxNode",
            fields: all(&[
                ("endpoint", Parent(Kind::Endpoint)),
                ("proxmox_cluster", Link(Kind::Cluster)),
                ("netbox_device", Link(Kind::NetBoxDevice)),
                ("ip_address", Address),
                ("online", Bool),
                ("local", Bool),
            ]),
            sorts: &[
                "id",
                "name",
                "node_id",
                "ip_address",
                "online",
                "cpu_usage",
                "max_cpu",
                "memory_usage",
                "memory_usage_percent",
                "max_memory",
                "created",
                "last_updated",
                "endpoint__name",
                "proxmox_cluster__name",
                "netbox_device__name",
            ],
        },
        Resource {
            kind: Kind::Storage,
            path: STORAGES,
            root: "proxmoxStorages",
            ty: "ProxmoxStorage",
            fields: all(&[
                ("cluster", Parent(Kind::NetBoxCluster)),
                ("cluster__name", ParentName(Kind::NetBoxCluster)),
                ("storage_type", Text),
                ("content", Text),
                ("path", Text),
                ("nodes", Text),
                ("shared", Bool),
                ("enabled", Bool),
                ("server", Text),
                ("port", Int),
                ("datastore", Text),
                ("pool", Text),
            ]),
            sorts: &[
                "id",
                "name",
                "storage_type",
                "shared",
                "enabled",
                "server",
                "created",
                "last_updated",
                "cluster__name",
            ],
        },
        Resource {
            kind: Kind::NetBoxCluster,
            path: NETBOX_CLUSTERS,
            root: "netboxClusters",
            ty: "NetBoxCluster",
            fields: vec![("id", Id), ("name", Text)],
            sorts: &[],
        },
        Resource {
            kind: Kind::NetBoxDevice,
            path: DEVICES,
            root: "netboxDevices",
            ty: "NetBoxDevice",
            fields: vec![("id", Id), ("name", Text)],
            sorts: &[],
        },
    ]
}

/// One parameter, with its values, and what it means in GraphQL.
#[derive(Clone, Debug)]
struct Asked {
    name: String,
    values: Vec<String>,
    filter: Value,
}

/// A question as both doors take it.
#[derive(Clone, Debug)]
struct Question {
    asked: Vec<Asked>,
    /// A key and whether it is descending.
    sorts: Vec<(&'static str, bool)>,
    limit: u64,
    offset: u64,
}

/// `last_updated` as GraphQL writes it.
fn camel(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let first = words.next().unwrap().to_owned();
    words.fold(first, |text, word| text + &word[..1].to_uppercase() + &word[1..])
}

/// One of these holds.
fn one_of(filters: impl IntoIterator<Item = Value>) -> Value {
    json!({"or": filters.into_iter().collect::<Vec<_>>()})
}

/// A parameter with one of the suffixes: those that begin with `n` mean that the rest does not hold.
fn asked(name: &str, how: &str, values: Vec<String>, filter: Value) -> Asked {
    let name = if how.is_empty() { name.to_owned() } else { format!("{name}__{how}") };
    let filter = if how.starts_with('n') { json!({"not": filter}) } else { filter };
    Asked { name, values, filter }
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text that a parameter can hold: trimmed, not blank, and not the word for NULL.
fn sayable(text: &str) -> String {
    let text = text.replace('\0', "").trim().to_owned();
    if text.is_empty() || text == "null" { "pve".to_owned() } else { text }
}

type Part = BoxedStrategy<Asked>;

/// What can be asked of a text, `place` puts a test of it where it belongs.
fn of_text(
    name: &'static str,
    values: BoxedStrategy<String>,
    is_text: bool,
    place: impl Fn(Value) -> Value + Clone + 'static,
) -> Part {
    let how = select(vec!["", "n", "ic", "nic", "isw", "nisw", "iew", "niew", "ie", "nie"]);
    let inner = place.clone();
    let compared = (how, vec(values, 1..3)).prop_map(move |(how, values)| {
        let one = |value: &String| {
            inner(match how.trim_start_matches('n') {
                "" => json!({"eq": value}),
                "ie" => json!({"eq": value, "ignoreCase": true}),
                "ic" => json!({"contains": value, "ignoreCase": true}),
                "isw" => json!({"startsWith": value, "ignoreCase": true}),
                _ => json!({"endsWith": value, "ignoreCase": true}),
            })
        };
        let filter = one_of(values.iter().map(one));
        asked(name, how, values, filter)
    });
    let inner = place.clone();
    let null = select(vec!["", "n"])
        .prop_map(move |how| asked(name, how, vec!["null".into()], inner(json!({"isNull": true}))));
    if !is_text {
        return prop_oneof![5 => compared, 1 => null].boxed();
    }
    let empty = proptest::bool::ANY.prop_map(move |yes| {
        let filter = one_of([place(json!({"isNull": true})), place(json!({"isEmpty": true}))]);
        asked(name, "empty", vec![yes.to_string()], if yes { filter } else { json!({"not": filter}) })
    });
    prop_oneof![6 => compared, 1 => null, 1 => empty].boxed()
}

/// Numbers and times: several values hold when one does.
fn of_order(name: &'static str, values: BoxedStrategy<Value>, nullable: bool) -> Part {
    let field = camel(name);
    let how = select(vec!["", "n", "lt", "lte", "gt", "gte"]);
    let place = field.clone();
    let compared = (how, vec(values, 1..3)).prop_map(move |(how, values)| {
        let operator = if how.trim_start_matches('n').is_empty() { "eq" } else { how };
        let filter = one_of(values.iter().map(|value| json!({&place: {operator: value}})));
        asked(name, how, values.iter().map(shown).collect(), filter)
    });
    if !nullable {
        return compared.boxed();
    }
    let empty = proptest::bool::ANY
        .prop_map(move |yes| asked(name, "empty", vec![yes.to_string()], json!({&field: {"isNull": yes}})));
    prop_oneof![5 => compared, 1 => empty].boxed()
}

/// Objects that a field refers to, under either name of the parameter.
fn of_relation(name: &'static str, ids: Vec<Value>, nullable: bool) -> Part {
    let field = camel(name);
    let given = (vec(select(ids), 0..3), proptest::bool::ANY, proptest::bool::ANY, select(vec!["", "n"]));
    let some = given.prop_map(move |(ids, null, other_name, how)| {
        let null = nullable && (null || ids.is_empty());
        let mut values = ids.iter().map(shown).collect::<Vec<_>>();
        let of_these = json!({"id": {"in": ids}});
        let mut filters = vec![json!({&field: if nullable { json!({"is": of_these}) } else { of_these }})];
        if null {
            values.push("null".into());
            filters.push(json!({&field: {"isNull": true}}));
        }
        let name = if other_name { format!("{name}_id") } else { name.to_owned() };
        // Nothing given asks nothing.
        let filter = if values.is_empty() { json!({}) } else { one_of(filters) };
        if values.is_empty() { Asked { name, values, filter } } else { asked(&name, how, values, filter) }
    });
    some.boxed()
}

/// Tags add up; none of them may be there for a negation.
fn of_tags(world: &World) -> Part {
    let slugs = vec(select(world.values(Kind::Tag, "slug")), 1..3);
    let by_slug = (slugs, select(vec!["", "n"])).prop_map(|(slugs, how)| {
        let values = slugs.iter().map(shown).collect();
        let filter = if how.is_empty() { json!({"tags": {"all": slugs}}) } else { json!({"tags": {"none": slugs}}) };
        let name = if how.is_empty() { "tag" } else { "tag__n" };
        Asked { name: name.into(), values, filter }
    });
    let tags = world.rows(Kind::Tag).iter().map(|tag| (tag["id"].clone(), tag["slug"].clone())).collect::<Vec<_>>();
    let by_id =
        select(tags).prop_map(|(id, slug)| asked("tag_id", "", vec![shown(&id)], json!({"tags": {"any": [slug]}})));
    let none = proptest::bool::ANY.prop_map(|yes| {
        let name = if yes { "tag" } else { "tag__n" };
        Asked { name: name.into(), values: vec!["null".into()], filter: json!({"tags": {"isEmpty": yes}}) }
    });
    prop_oneof![3 => by_slug, 1 => by_id, 1 => none].boxed()
}

fn part(world: &World, kind: Kind, name: &'static str, ty: Ty) -> Part {
    let field = camel(name);
    let at = move |test: Value| json!({&field: test});
    let words = |kind: Kind, name: &str| {
        let known = texts(world, kind, name);
        let whole = select(known.clone()).prop_map(|text| sayable(&text));
        prop_oneof![whole, piece(known).prop_map(|text| sayable(&text))].boxed()
    };
    match ty {
        Ty::Id => {
            let ids = vec(select(world.values(kind, "id")), 1..4);
            let all = (ids, select(vec!["", "n"])).prop_map(move |(ids, how)| {
                asked("id", how, ids.iter().map(shown).collect(), json!({"id": {"in": ids}}))
            });
            all.boxed()
        }
        Ty::Text => of_text(name, words(kind, name), true, at),
        Ty::Address => {
            let pieces = of_text(name, words(kind, name), false, at.clone());
            // Whole addresses must be some, in whatever form.
            let address = data::address().prop_map(|text| text.to_uppercase());
            let whole = (vec(address, 1..3), select(vec!["", "n"])).prop_map(move |(values, how)| {
                let filter = one_of(values.iter().map(|value| at(json!({"eq": value}))));
                asked(name, how, values, filter)
            });
            let pieces = pieces.prop_filter("a piece of an address", |one| {
                one.values == ["null"] || !matches!(one.name.as_str(), "ip_address" | "ip_address__n")
            });
            prop_oneof![pieces, whole].boxed()
        }
        Ty::Int => {
            let known = world.values(kind, name);
            let other = data::int().prop_map(Value::from);
            of_order(name, prop_oneof![select(known), other].boxed(), true)
        }
        Ty::Time => {
            let known = select(world.values(kind, name));
            of_order(name, prop_oneof![known, data::time().prop_map(Value::from)].boxed(), false)
        }
        Ty::Bool => {
            let yes = (proptest::bool::ANY, proptest::bool::ANY).prop_map(move |(yes, word)| {
                let text = match (yes, word) {
                    (true, true) => "Yes",
                    (true, false) => "true",
                    (false, true) => "off",
                    (false, false) => "0",
                };
                asked(name, "", vec![text.to_owned()], at(json!({"eq": yes})))
            });
            yes.boxed()
        }
        Ty::Mode => {
            let modes = vec(select(vec!["undefined", "standalone", "cluster"]), 1..3);
            let all = (modes, select(vec!["", "n"])).prop_map(move |(modes, how)| {
                let filter = at(json!({"in": modes.iter().map(|mode| mode.to_uppercase()).collect::<Vec<_>>()}));
                asked(name, how, modes.into_iter().map(str::to_owned).collect(), filter)
            });
            all.boxed()
        }
        Ty::Parent(target) => of_relation(name, world.values(target, "id"), false),
        Ty::Link(target) => of_relation(name, world.values(target, "id"), true),
        Ty::ParentName(target) => of_text(name, words(target, "name"), true, |test| json!({"cluster": {"name": test}})),
        Ty::Tags => of_tags(world),
        Ty::Search => {
            words(kind, "name").prop_map(|text| asked("q", "", vec![text.clone()], json!({"q": text}))).boxed()
        }
    }
}

fn question(world: &World, resource: &Resource) -> BoxedStrategy<Question> {
    let parts = resource.fields.iter().map(|(name, ty)| part(world, resource.kind, name, *ty)).collect::<Vec<_>>();
    let sorts = if resource.sorts.is_empty() {
        Just(Vec::new()).boxed()
    } else {
        vec((select(resource.sorts), proptest::bool::ANY), 0..3).boxed()
    };
    let page = (prop_oneof![1 => 1..6u64, 3 => Just(1000u64)], prop_oneof![1 => 1..6u64, 3 => Just(0u64)]);
    let all = (vec(Union::new(parts), 0..4), sorts, page);
    let whole = all.prop_map(|(mut asked, sorts, (limit, offset))| {
        // The same parameter again would mean something else.
        let mut seen = Vec::new();
        asked.retain(|one| {
            let new = !seen.contains(&one.name);
            seen.push(one.name.clone());
            new
        });
        Question { asked, sorts, limit, offset }
    });
    whole.boxed()
}

impl Question {
    /// The target that asks REST.
    fn target(&self, path: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", &self.limit.to_string()).append_pair("offset", &self.offset.to_string());
        for one in &self.asked {
            query.extend_pairs(one.values.iter().map(|value| (&one.name, value)));
        }
        let keys = self.sorts.iter().map(|(name, descending)| format!("{}{name}", if *descending { "-" } else { "" }));
        if !self.sorts.is_empty() {
            query.append_pair("ordering", &keys.collect::<Vec<_>>().join(","));
        }
        format!("{path}?{}", query.append_pair("fields", "id").finish())
    }

    /// What is asked of GraphQL. REST has NULLs last, and first in descending order.
    async fn of_graphql(&self, server: &Server, resource: &Resource) -> Value {
        let Resource { root, ty, .. } = resource;
        let filters = self.asked.iter().map(|one| one.filter.clone()).collect::<Vec<_>>();
        let order = self.sorts.iter().map(|(name, descending)| {
            let (direction, nulls) = if *descending { ("DESC", "FIRST") } else { ("ASC", "LAST") };
            json!({"field": name.replace("__", "_").to_uppercase(), "direction": direction, "nulls": nulls})
        });
        let (declared, given) = if resource.sorts.is_empty() {
            (String::new(), "")
        } else {
            (format!(", $o: [{ty}Order!]"), ", orderBy: $o")
        };
        let (limit, offset) = (self.limit, self.offset);
        let query = format!(
            "query($f: {ty}Filter{declared}) {{ list: {root}(filter: $f{given}, first: {limit}, offset: {offset}) {{ totalCount nodes {{ databaseId }} }} }}"
        );
        let variables = if resource.sorts.is_empty() {
            json!({"f": {"and": filters}})
        } else {
            json!({"f": {"and": filters}, "o": order.collect::<Vec<_>>()})
        };
        server.ask_as(ADMIN, &query, variables).await.data()["list"].clone()
    }
}

/// How many rows both doors find, which must be the same ones in the same order.
async fn agree(server: &Server, resource: &Resource, question: &Question) -> Result<usize, TestCaseError> {
    let target = question.target(resource.path);
    let answer = get(&target).with("prefer", "handling=strict").send(server).await;
    let rest = answer.json();
    same(&format!("{target}: {rest}"), answer.status.as_u16(), 200)?;
    let graphql = question.of_graphql(server, resource).await;
    let ids = |rows: &Value, key: &str| rows.as_array().unwrap().iter().map(|row| row[key].clone()).collect::<Vec<_>>();
    let (of_rest, of_graphql) = (ids(&rest["results"], "id"), ids(&graphql["nodes"], "databaseId"));
    let what = format!("{target}\n{:#?}", question.asked);
    let found = of_rest.len();
    same(&what, (&rest["count"], of_rest), (&graphql["totalCount"], of_graphql))?;
    Ok(found)
}

async fn the_same_question_finds_the_same_rows(db: TestDb) {
    let world = one(world());
    let app = db.open().await;
    fill(&app, &world.file(&Seen::most_of(&world))).await;
    let server = Server::limited(app, Limits { cost: u64::MAX, ..Limits::default() });
    for resource in resources() {
        hold(cases(60), question(&world, &resource), async |question| {
            agree(&server, &resource, &question).await.map(drop)
        });
    }
}

/// Each field alone with each of its suffixes, so that none is left to chance.
async fn each_parameter_asks_what_it_says(db: TestDb) {
    let world = one(world());
    let app = db.open().await;
    fill(&app, &world.file(&Seen::most_of(&world))).await;
    let server = Server::limited(app, Limits { cost: u64::MAX, ..Limits::default() });
    for resource in resources() {
        for (name, ty) in &resource.fields {
            let (alone, telling) = (part(&world, resource.kind, name, *ty), Cell::new(0));
            let all = world.rows(resource.kind).len();
            hold(cases(12), alone, async |one| {
                let question = Question { asked: vec![one], sorts: Vec::new(), limit: 1000, offset: 0 };
                let found = agree(&server, &resource, &question).await?;
                telling.set(telling.get() + usize::from(found > 0 && found < all));
                Ok(())
            });
            assert!(telling.get() > 0, "some questions about {name} must tell rows apart");
        }
        for sort in resource.sorts {
            for descending in [false, true] {
                let question = Question { asked: Vec::new(), sorts: vec![(sort, descending)], limit: 1000, offset: 0 };
                agree(&server, &resource, &question).await.unwrap();
            }
        }
    }
}

both!(the_same_question_finds_the_same_rows, each_parameter_asks_what_it_says);
