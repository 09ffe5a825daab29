//! From the filter tree to SQL: the only place where what a user typed reaches a statement.
use super::{Compare, Field, Filter, Lookup, Test, Text, Type, View, fold, search_fields};
use crate::entity::{Kind, Scalar};
use sea_orm::sea_query::{Alias, BinOper, Expr, ExprTrait, Func, Query, SelectStatement};
use sea_orm::{DbBackend, Value};

/// The condition of a filter over the rows of a kind's table. Related rows outside the view do not count.
pub fn compile(filter: &Filter, kind: Kind, backend: DbBackend, view: &View) -> Expr {
    Compiler { backend, view }.filter(filter, kind)
}

/// Used memory in percent, NULL when a figure is missing or the size is 0.
pub fn memory_percent(backend: DbBackend) -> Expr {
    let column = |name| column(Kind::Node, name);
    sql(
        backend,
        "CASE WHEN ? <> 0 THEN CAST(? AS DOUBLE PRECISION) / CAST(? AS DOUBLE PRECISION) * 100 END",
        [column("max_memory"), column("memory_usage"), column("max_memory")],
    )
}

/// Own SQL around expressions, each `?` one of them: sea-query spells the placeholder `$1` for PostgreSQL.
pub(crate) fn sql(backend: DbBackend, text: &str, parts: impl IntoIterator<Item = Expr>) -> Expr {
    if backend != DbBackend::Postgres {
        return Expr::cust_with_exprs(text.to_owned(), parts);
    }
    let mut numbered = String::new();
    for (i, piece) in text.split('?').enumerate() {
        if i > 0 {
            numbered += &format!("${i}");
        }
        numbered += piece;
    }
    Expr::cust_with_exprs(numbered, parts)
}

fn column(kind: Kind, name: &'static str) -> Expr {
    Expr::col((Alias::new(kind.table()), Alias::new(name)))
}

struct Compiler<'a> {
    backend: DbBackend,
    view: &'a View,
}

impl Compiler<'_> {
    fn filter(&self, filter: &Filter, kind: Kind) -> Expr {
        match filter {
            Filter::All(parts) => self.balanced(parts, kind, BinOper::And).unwrap_or_else(|| constant(true)),
            Filter::Any(parts) => self.balanced(parts, kind, BinOper::Or).unwrap_or_else(|| constant(false)),
            Filter::Not(part) => not(self.filter(part, kind)),
            Filter::Test(test) => self.test(test, kind),
            Filter::Search(text) => self.search(text, kind),
        }
    }

    /// SQLite refuses expressions deeper than 1 000, and a plain chain of ORs is as deep as it is long.
    fn balanced(&self, parts: &[Filter], kind: Kind, operator: BinOper) -> Option<Expr> {
        match parts {
            [] => None,
            [part] => Some(self.filter(part, kind)),
            parts => {
                let (left, right) = parts.split_at(parts.len() / 2);
                let left = self.balanced(left, kind, operator)?;
                Some(left.binary(operator, self.balanced(right, kind, operator)?))
            }
        }
    }

    fn search(&self, text: &str, kind: Kind) -> Expr {
        let text = Text { value: text.to_owned(), fold: true };
        let found = |kind, name| self.contains(column(kind, name), &text);
        let own = search_fields(kind).iter().map(|name| found(kind, name)).reduce(ExprTrait::or);
        let own = own.unwrap_or_else(|| constant(false));
        if kind != Kind::Storage {
            return own;
        }
        let named = self.related(Kind::NetBoxCluster, "id", found(Kind::NetBoxCluster, "name"));
        own.or(column(kind, "cluster_id").in_subquery(named))
    }

    fn test(&self, test: &Test, kind: Kind) -> Expr {
        let Test { field, lookup } = test;
        match (field.ty, lookup) {
            (Type::One(target), Lookup::Null) => self.no_reference(field, kind, target),
            (Type::One(target), Lookup::Is(inner)) => {
                column(kind, field.column).in_subquery(self.related(target, "id", self.filter(inner, target)))
            }
            (Type::ClusterNodes, Lookup::Is(inner)) => self.cluster_nodes(inner),
            (Type::Tags, Lookup::TaggedAny(slugs)) => {
                self.tagged(kind, column(Kind::Tag, "slug").is_in(slugs.iter().cloned()))
            }
            (Type::Tags, _) => self.tagged(kind, constant(true)),
            (Type::MemoryPercent, lookup) => self.scalar(memory_percent(self.backend), lookup),
            (_, lookup) => self.scalar(column(kind, field.column), lookup),
        }
    }

    /// The rows of another table that may be viewed and for which the condition holds, by one of their columns.
    fn related(&self, kind: Kind, by: &'static str, condition: Expr) -> SelectStatement {
        let mut query = Query::select();
        query.expr(column(kind, by)).from(Alias::new(kind.table())).and_where(condition);
        if let Some(scope) = self.view.scope(kind) {
            // Constraints were written by whoever made the token, who sees everything.
            query.and_where(compile(scope, kind, self.backend, &View::everything()));
        }
        query
    }

    fn no_reference(&self, field: &Field, kind: Kind, target: Kind) -> Expr {
        let key = column(kind, field.column);
        match self.view.scope(target) {
            None => key.is_null(),
            Some(_) => not(key.in_subquery(self.related(target, "id", constant(true)))),
        }
    }

    fn cluster_nodes(&self, inner: &Filter) -> Expr {
        let by = |key| {
            let mut nodes = self.related(Kind::Node, key, self.filter(inner, Kind::Node));
            nodes.and_where(column(Kind::Node, key).is_not_null());
            nodes
        };
        let mut standalone = column(Kind::Cluster, "mode")
            .eq("standalone")
            .and(column(Kind::Cluster, "endpoint_id").in_subquery(by("endpoint_id")));
        if self.view.scope(Kind::Endpoint).is_some() {
            let viewable = self.related(Kind::Endpoint, "id", constant(true));
            standalone = standalone.and(column(Kind::Cluster, "endpoint_id").in_subquery(viewable));
        }
        column(Kind::Cluster, "id").in_subquery(by("proxmox_cluster_id")).or(standalone)
    }

    fn tagged(&self, kind: Kind, condition: Expr) -> Expr {
        let assignment = |name| Expr::col((Alias::new("tag_assignment"), Alias::new(name)));
        let objects = Query::select()
            .expr(assignment("object_id"))
            .from(Alias::new("tag_assignment"))
            .and_where(assignment("object_type").eq(kind.table()))
            .and_where(assignment("tag_id").in_subquery(self.related(Kind::Tag, "id", condition)))
            .take();
        column(kind, "id").in_subquery(objects)
    }

    fn scalar(&self, value: Expr, lookup: &Lookup) -> Expr {
        match lookup {
            Lookup::In(values) => any_of(value, values.iter().map(|operand| self.operand(operand))),
            Lookup::Compare(how, operand) => compare(value, *how, self.operand(operand)),
            Lookup::InFolded(values) => {
                any_of(self.folded(value), values.iter().map(|text| Expr::val(fold::fold(text))))
            }
            Lookup::CompareFolded(how, operand) => compare(self.folded(value), *how, Expr::val(fold::fold(operand))),
            Lookup::Contains(text) => self.contains(value, text),
            Lookup::StartsWith(text) => self.anchored(value, text, true),
            Lookup::EndsWith(text) => self.anchored(value, text, false),
            Lookup::Regex(text) => self.regex(value, text),
            Lookup::Null => value.is_null(),
            Lookup::Empty => value.eq(""),
            Lookup::HasPart(part) => {
                let parts = self.sql("(',' || REPLACE(?, ' ', '') || ',')", [value]);
                self.position(parts, format!(",{part},")).gt(0)
            }
            Lookup::NoParts => self.sql("REPLACE(REPLACE(COALESCE(?, ''), ' ', ''), ',', '')", [value]).eq(""),
            // `test` lets no other pair through.
            Lookup::Is(_) | Lookup::TaggedAny(_) | Lookup::Tagged => constant(false),
        }
    }

    /// A value to compare with. Whole numbers have 64 bits whatever their column has, and PostgreSQL is told so in the
    /// statement: a connection prepares a text once, and one of the same text that looks up a row by an id of 32 bits
    /// would send what it does not expect.
    fn operand(&self, operand: &Scalar) -> Expr {
        let value = Expr::val(Value::from(operand.clone()));
        match (self.backend, operand) {
            (DbBackend::Postgres, Scalar::Int(_)) => value.cast_as(Alias::new("bigint")),
            _ => value,
        }
    }

    /// A text without its case, to be compared with a folded operand.
    fn folded(&self, value: Expr) -> Expr {
        match self.backend {
            DbBackend::Postgres => self.sql("(LOWER(? COLLATE \"und-x-icu\") COLLATE \"C\")", [value]),
            _ => self.sql("(? COLLATE PROXBOX_FOLD)", [value]),
        }
    }

    fn sql(&self, text: &str, parts: impl IntoIterator<Item = Expr>) -> Expr {
        sql(self.backend, text, parts)
    }

    /// Only SQLite has this operator; it is the crate `regex` there.
    fn regexp(&self, value: Expr, pattern: String) -> Expr {
        self.sql("(? REGEXP ?)", [value, Expr::val(pattern)])
    }

    fn position(&self, value: Expr, needle: String) -> Expr {
        let name = if self.backend == DbBackend::Postgres { "STRPOS" } else { "INSTR" };
        Func::cust(Alias::new(name)).arg(value).arg(needle).into()
    }

    fn contains(&self, value: Expr, text: &Text) -> Expr {
        if text.value.is_empty() {
            return value.is_not_null();
        }
        match (text.fold, self.backend) {
            (false, _) => self.position(value, text.value.clone()).gt(0),
            (true, DbBackend::Postgres) => self.position(self.folded(value), fold::fold(&text.value)).gt(0),
            (true, _) => self.regexp(value, fold::pattern(&text.value)),
        }
    }

    /// Starts or ends with the text.
    fn anchored(&self, value: Expr, text: &Text, start: bool) -> Expr {
        if text.value.is_empty() {
            return value.is_not_null();
        }
        if text.fold && self.backend != DbBackend::Postgres {
            let pattern = fold::pattern(&text.value);
            return self.regexp(value, if start { format!(r"\A{pattern}") } else { format!(r"{pattern}\z") });
        }
        let (value, needle) = match text.fold {
            true => (self.folded(value), fold::fold(&text.value)),
            false => (value, text.value.clone()),
        };
        let length = needle.chars().count();
        let part = match (self.backend, start) {
            (DbBackend::Postgres, true) => format!("LEFT(?, {length})"),
            (DbBackend::Postgres, false) => format!("RIGHT(?, {length})"),
            (_, true) => format!("SUBSTR(?, 1, {length})"),
            (_, false) => format!("SUBSTR(?, -{length})"),
        };
        self.sql(&part, [value]).eq(needle)
    }

    fn regex(&self, value: Expr, text: &Text) -> Expr {
        match (self.backend, text.fold) {
            (DbBackend::Postgres, false) => self.sql("(? ~ ?)", [value, Expr::val(text.value.clone())]),
            // Under "C" it would fold ASCII letters only.
            (DbBackend::Postgres, true) => {
                self.sql("(? COLLATE \"und-x-icu\" ~* ?)", [value, Expr::val(text.value.clone())])
            }
            (_, false) => self.regexp(value, text.value.clone()),
            (_, true) => self.regexp(value, format!("(?i){}", text.value)),
        }
    }
}

fn any_of(value: Expr, operands: impl Iterator<Item = Expr>) -> Expr {
    let mut operands: Vec<Expr> = operands.collect();
    match (operands.pop(), operands.is_empty()) {
        (None, _) => constant(false),
        (Some(only), true) => value.eq(only),
        (Some(last), false) => {
            operands.push(last);
            value.is_in(operands)
        }
    }
}

fn compare(value: Expr, how: Compare, operand: Expr) -> Expr {
    match how {
        Compare::Lt => value.lt(operand),
        Compare::Lte => value.lte(operand),
        Compare::Gt => value.gt(operand),
        Compare::Gte => value.gte(operand),
    }
}

/// SQL's NOT of NULL is NULL; ours holds.
pub(crate) fn not(condition: Expr) -> Expr {
    Expr::expr(Func::coalesce([condition, Expr::val(false)])).not()
}

fn constant(holds: bool) -> Expr {
    Expr::cust(if holds { "1 = 1" } else { "1 = 0" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{entity::Scalar, filter::field};

    #[test]
    fn every_search_field_is_a_field() {
        for kind in Kind::ALL {
            for name in search_fields(kind) {
                assert!(field(kind, name).is_some(), "{kind}: {name}");
            }
        }
    }

    #[test]
    fn operands_are_never_part_of_the_statement() {
        let name = field(Kind::Node, "name").expect("a field");
        let filter =
            super::super::test(name, Lookup::In(vec![Scalar::Text("'; DROP TABLE".into())])).expect("a filter");
        for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
            let mut query = Query::select();
            query.expr(Expr::val(1)).and_where(compile(&filter, Kind::Node, backend, &View::everything()));
            assert!(!backend.build(&query).sql.contains("DROP"));
        }
    }
}
