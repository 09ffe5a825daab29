//! What each route does, and what it may answer.
use super::super::field::Spec;
use super::parameters::{self, named};
use super::{schema, tag};
use crate::entity::Kind;
use serde_json::{Map, Value, json};

/// The operations of a list route.
pub fn of_list(path: &str, spec: &'static Spec) -> Value {
    let name = spec.kind.type_name();
    let Spec { title, plural, .. } = spec;
    let whole = schema(name);
    let list = json!({"type": "array", "items": whole});
    let ids = "Unknown ids, and those of objects with which one may not do this, are passed over.";
    let post = if spec.upserts {
        format!("Makes a {title}, or changes the one that exists; or several of them, in order, all or none.")
    } else {
        format!("Makes a {title}, or several of them, all or none.")
    };
    let get = Operation::new(path, "list", format!("List {plural}."))
        .parameters(parameters::of_list(spec))
        .answer("200", page(name))
        .errors(&["304", "400", "403", "406"]);
    let one_or_many = |name: String| json!({"oneOf": [schema(&name), {"type": "array", "items": schema(&name)}]});
    let mut post = Operation::new(path, "create", post)
        .parameters(named(&["prefer"]))
        .body(one_or_many(format!("{name}Request")))
        .answer("201", written(json!({"oneOf": [whole, list]}), true, Some(path)))
        .errors(&["400", "403", "406", "408", "413", "415"])
        .conflicts(spec.kind);
    if spec.upserts {
        post = post.answer("200", written(json!({"oneOf": [whole, list]}), false, None));
    }
    let put = Operation::new(path, "bulk_replace", format!("Replace several {plural}, all or none. {ids}"))
        .parameters(named(&["prefer"]))
        .body(json!({"type": "array", "items": schema(&format!("Bulk{name}Replacement"))}))
        .answer("200", written(list.clone(), false, None))
        .errors(&["400", "403", "406", "408", "413", "415"])
        .conflicts(spec.kind);
    let patch = Operation::new(path, "bulk_update", format!("Change several {plural}, all or none. {ids}"))
        .parameters(named(&["prefer"]))
        .body(json!({"type": "array", "items": schema(&format!("Bulk{name}Patch"))}))
        .answer("200", written(list, false, None))
        .errors(&["400", "403", "406", "408", "413", "415"])
        .conflicts(spec.kind);
    let delete = Operation::new(path, "bulk_delete", format!("Delete several {plural}, all or none. {ids}"))
        .parameters(named(&["prefer"]))
        .body(schema("Ids"))
        .answer("204", gone())
        .errors(&["400", "403", "406", "408", "413", "415"])
        .conflicts(spec.kind);
    item([
        ("get", get),
        ("post", post),
        ("put", put),
        ("patch", patch),
        ("delete", delete),
        ("options", metadata(path)),
    ])
}

/// The operations of an object's route.
pub fn of_one(path: &str, spec: &'static Spec) -> Value {
    let name = spec.kind.type_name();
    let title = spec.title;
    let one = |action: &str, about: String| Operation::new(path, action, about).parameters(named(&["id", "prefer"]));
    let change = |operation: Operation, body: &str| {
        operation
            .parameters(named(&["if-match"]))
            .body(schema(&format!("{name}{body}")))
            .answer("200", written(schema(name), false, None))
            .errors(&["400", "403", "404", "406", "408", "412", "413", "415"])
            .conflicts(spec.kind)
    };
    let get = one("retrieve", format!("Show a {title}."))
        .parameters(named(&["fields", "omit", "brief", "format", "if-none-match"]))
        .answer("200", written(schema(&format!("{name}Part")), false, None))
        .errors(&["304", "400", "403", "404", "406"]);
    let put = change(
        one("replace", format!("Replace a {title}. What is required must be named; what is not named stays.")),
        "Replacement",
    );
    let patch = change(one("update", format!("Change a {title}. What is not named stays.")), "Patch");
    let delete = one("delete", format!("Delete a {title}, and what does not stay without it."))
        .parameters(named(&["if-match"]))
        .answer("204", gone())
        .errors(&["400", "403", "404", "406", "408", "412", "413", "415"])
        .conflicts(spec.kind);
    let options = metadata(&format!("{path}{{id}}/")).parameters(named(&["id"]));
    item([("get", get), ("put", put), ("patch", patch), ("delete", delete), ("options", options)])
}

/// A page that lists routes, or the status.
pub fn of_page(path: &str) -> Value {
    let about = if path == "/api/status/" { "Show versions." } else { "List the routes below." };
    let answer = json!({"description": "The page.", "content": {"application/json": {"schema": {"type": "object"}}}});
    let get = Operation::page(path, "retrieve", about).answer("200", answer).errors(&["400", "403", "406"]);
    item([("get", get), ("options", Operation { tag: "server".into(), ..metadata(path).errors(&["400"]) })])
}

/// The document itself.
pub fn of_schema() -> Value {
    let answer = json!({
        "description": "An OpenAPI 3.1 document.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    });
    let get = Operation::page("/api/schema/", "retrieve", "Show this document. Needs no token.").answer("200", answer);
    let mut item = item([("get", get)]);
    item["get"]["security"] = json!([]);
    item
}

/// An operation as it is put together.
pub struct Operation {
    id: String,
    tag: String,
    about: String,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: Map<String, Value>,
}

impl Operation {
    /// An operation on a path, named by what it does.
    pub fn new(path: &str, action: &str, about: String) -> Self {
        let id = path.trim_matches('/').trim_start_matches("api/").replace("/{id}", "_one").replace(['/', '-'], "_");
        Self {
            id: format!("{id}_{action}"),
            tag: tag(path.split("{id}").next().unwrap_or(path)),
            about,
            parameters: Vec::new(),
            body: None,
            responses: Map::new(),
        }
    }

    fn page(path: &str, action: &str, about: &str) -> Self {
        Self { tag: "server".into(), ..Self::new(path, action, about.to_owned()) }
    }

    /// With these parameters besides.
    pub fn parameters(mut self, parameters: Vec<Value>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    fn body(mut self, schema: Value) -> Self {
        self.body = Some(json!({"required": true, "content": {"application/json": {"schema": schema}}}));
        self
    }

    /// It may answer this.
    pub fn answer(mut self, status: &str, response: Value) -> Self {
        self.responses.insert(status.to_owned(), response);
        self
    }

    /// What is mirrored from NetBox is not written by hand.
    fn conflicts(self, kind: Kind) -> Self {
        if matches!(kind, Kind::NetBoxCluster | Kind::NetBoxDevice) { self.errors(&["409"]) } else { self }
    }

    /// It may be refused with these statuses.
    pub fn errors(mut self, statuses: &[&str]) -> Self {
        // What may happen to every request that asks the database.
        for status in statuses.iter().chain(&["429", "500", "503", "504"]) {
            let response = json!({"$ref": format!("#/components/responses/{status}")});
            self.responses.insert((*status).to_owned(), response);
        }
        self
    }
}

/// The operations of a path by their method.
pub fn item<const N: usize>(operations: [(&str, Operation); N]) -> Value {
    let operations = operations.map(|(method, operation)| {
        let mut value = json!({
            "operationId": operation.id,
            "tags": [operation.tag],
            "summary": operation.about,
            "parameters": operation.parameters,
            "responses": operation.responses,
        });
        if let Some(body) = operation.body {
            value["requestBody"] = body;
        }
        (method.to_owned(), value)
    });
    Value::Object(operations.into_iter().collect())
}

/// OPTIONS, which every path has.
pub fn metadata(path: &str) -> Operation {
    let answer = json!({"description": "The fields.", "content": {"application/json": {"schema": {"type": "object"}}}});
    Operation::new(path, "metadata", "Show what can be sent: `actions.POST` or `actions.PUT` by field.".into())
        .answer("200", answer)
        .errors(&["403", "406"])
}

fn page(name: &str) -> Value {
    let text = json!({"schema": {"type": "string"}});
    json!({
        "description": "A page of the list; as CSV or NDJSON all of it, unless `limit` is given.",
        "headers": refer_headers(&["ETag", "X-Ignored"]),
        "content": {
            "application/json": {"schema": schema(&format!("Paginated{name}List"))},
            "text/csv": text,
            "application/x-ndjson": text,
        },
    })
}

fn written(body: Value, created: bool, path: Option<&str>) -> Value {
    let names: &[&str] = if created { &["ETag", "Location", "X-Ignored"] } else { &["ETag", "X-Ignored"] };
    let mut response = json!({
        "description": if created { "It was made." } else { "The object as it is now." },
        "headers": refer_headers(names),
        "content": {"application/json": {"schema": body}},
    });
    if let Some(path) = path {
        let of = |action: &str| {
            let id = Operation::new(path, action, String::new()).id;
            json!({"operationId": id, "parameters": {"id": "$response.body#/id"}})
        };
        response["links"] = json!({"retrieve": of("retrieve"), "update": of("update"), "delete": of("delete")});
    }
    response
}

fn gone() -> Value {
    json!({"description": "Deleted.", "headers": refer_headers(&["X-Ignored"])})
}

/// References to headers of answers.
pub fn refer_headers(names: &[&str]) -> Value {
    let headers =
        names.iter().map(|name| ((*name).to_owned(), json!({"$ref": format!("#/components/headers/{name}")})));
    Value::Object(headers.collect())
}

/// The headers of answers.
pub fn headers() -> Value {
    let text = |about: &str| json!({"description": about, "schema": {"type": "string"}});
    json!({
        "ETag": text("Of an object `W/\"<last_updated>.<hash>\"`, of a list `W/\"<revision>.<hash>\"`."),
        "Location": text("Where the new object is."),
        "Retry-After": text("Seconds after which it may be tried again."),
        "X-Ignored": text("Names that were passed over: separated by commas, percent-encoded, at most 20."),
    })
}

/// The answers that many operations share.
pub fn responses() -> Value {
    let detail =
        |about: &str| json!({"description": about, "content": {"application/json": {"schema": schema("Detail")}}});
    let mut throttled = detail("The client asks more often than the operator allows.");
    throttled["headers"] = refer_headers(&["Retry-After"]);
    let mut busy =
        detail("Others are changing the same objects at this moment, or the server has too much to do; try again.");
    busy["headers"] = refer_headers(&["Retry-After"]);
    let wrong = json!({"anyOf": [schema("Detail"), schema("Errors"), schema("BulkErrors")]});
    json!({
        "304": {"description": "Nothing changed since the given ETag.", "headers": refer_headers(&["ETag"])},
        "400": {
            "description": "Something is wrong with the request, by field or parameter; nothing was changed.",
            "content": {"application/json": {"schema": wrong}},
        },
        "403": detail("No token, one that is not valid here, or one that may not do this."),
        "404": detail("There is no such object, or not for this token."),
        "406": detail("No representation that the client accepts."),
        "409": detail("The object changed at this moment in a way that forbids it, or it is mirrored from NetBox."),
        "412": detail("The object was changed since the given ETag."),
        "408": detail("The body did not come in time."),
        "413": detail("The body is too large."),
        "415": detail("The body is not JSON, or in an encoding other than gzip."),
        "429": throttled,
        "500": detail("A defect of the server; its log names it by the request's id."),
        "503": busy,
        "504": detail("The request took too long."),
    })
}
