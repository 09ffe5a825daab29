//! Who asks and what they may: pure data. One principal decides for every door.
use crate::entity::Kind;
use crate::error::{Error, Result};
use crate::filter::{Filter, View, constraint};
use serde_json::Value;
use std::sync::Arc;

/// Somebody who asks, with the rights that decide for every door.
#[derive(Clone, Debug)]
pub struct Principal {
    /// As the change log names them: `token:NAME`, `cli`, `anonymous`.
    pub name: String,
    permissions: Arc<[Permission]>,
    view: Arc<View>,
}

/// What a permission is about: a kind of resource, or one of the models that are not resources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    Of(Kind),
    Change,
    SyncRun,
}

/// What a permission allows to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    View,
    Add,
    Change,
    Delete,
}

/// Models, what may be done with them, and with which rows of them.
#[derive(Clone, Debug)]
pub struct Permission {
    models: Vec<Model>,
    actions: Vec<Act>,
    constraints: Value,
}

impl Model {
    /// Every model that a permission can name.
    pub fn all() -> impl Iterator<Item = Self> {
        Kind::ALL.into_iter().map(Self::Of).chain([Self::Change, Self::SyncRun])
    }

    /// As NetBox spells it in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Of(kind) => kind.permission_name(),
            Self::Change => "change",
            Self::SyncRun => "syncrun",
        }
    }
}

impl Act {
    /// Every action with its name.
    pub const ALL: [(Self, &'static str); 4] =
        [(Self::View, "view"), (Self::Add, "add"), (Self::Change, "change"), (Self::Delete, "delete")];

    /// As people say it, and permissions spell it.
    pub fn verb(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// Names of tokens have a prefix, so that none is this.
const ANONYMOUS: &str = "anonymous";

impl Principal {
    /// The operator at the command line, who may do everything.
    pub fn operator() -> Self {
        Self::new("cli", vec![Permission::everything()], true)
    }

    /// Somebody without a token where `--anonymous-read` allows it: sees everything, changes nothing.
    pub fn anonymous() -> Self {
        Self::new(ANONYMOUS, vec![Permission::everything()], false)
    }

    /// Whether this is somebody without a token.
    pub fn is_anonymous(&self) -> bool {
        self.name == ANONYMOUS
    }

    /// The holder of a token. Without `write` all actions but `view` are void.
    pub fn new(name: impl Into<String>, mut permissions: Vec<Permission>, write: bool) -> Self {
        if !write {
            permissions.iter_mut().for_each(|permission| permission.actions.retain(|act| *act == Act::View));
        }
        let view = View::of(|kind| scope(&permissions, kind, Act::View));
        Self { name: name.into(), permissions: permissions.into(), view: Arc::new(view) }
    }

    /// What exists for them.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The program itself at some task, which may do everything.
    pub fn program(task: &str) -> Self {
        Self::new(task, vec![Permission::everything()], true)
    }

    /// Whether some permission allows this at all, be it with few rows or none.
    pub fn may(&self, kind: Kind, act: Act) -> bool {
        self.permissions.iter().any(|permission| permission.allows(Model::Of(kind), act))
    }

    /// Whether they may read the change log.
    pub fn reads_changes(&self) -> bool {
        self.permissions.iter().any(|permission| permission.allows(Model::Change, Act::View))
    }

    /// Whether they may do this with runs of sync: view them, or add one, which is to start it.
    pub fn may_with_runs(&self, act: Act) -> bool {
        self.permissions.iter().any(|permission| permission.allows(Model::SyncRun, act))
    }

    /// The rows of a kind with which they may do this.
    pub fn scope(&self, kind: Kind, act: Act) -> Filter {
        scope(&self.permissions, kind, act)
    }
}

/// The rows that some permission allows: any of their constraints.
fn scope(permissions: &[Permission], kind: Kind, act: Act) -> Filter {
    let allowing = permissions.iter().filter(|permission| permission.allows(Model::Of(kind), act));
    let mut any = Vec::new();
    for permission in allowing {
        match constraint(kind, &permission.constraints) {
            Ok(filter) if filter.is_everything() => return Filter::everything(),
            Ok(filter) => any.push(filter),
            // `parse` refused such a constraint; should one get into the table otherwise, it allows nothing.
            Err(error) => tracing::error!("a constraint on {} is void: {error}", kind.permission_name()),
        }
    }
    Filter::Any(any)
}

impl Permission {
    fn allows(&self, model: Model, act: Act) -> bool {
        self.actions.contains(&act) && self.models.contains(&model)
    }

    /// All models, all actions, all rows.
    pub fn everything() -> Self {
        Self {
            models: Model::all().collect(),
            actions: Act::ALL.map(|(act, _)| act).to_vec(),
            constraints: Value::Null,
        }
    }

    /// The JSON of [`Permission::everything`].
    pub fn everything_json() -> Value {
        let actions = Act::ALL.map(|(_, name)| name);
        serde_json::json!({"models": ["*"], "actions": actions, "constraints": null})
    }

    /// A list of permissions as tokens keep them; unknown models, actions, fields and lookups are refused by path.
    pub fn parse_all(value: &Value) -> Result<Vec<Self>> {
        let list = value.as_array().ok_or_else(|| Error::input("must be a list of permissions"))?;
        list.iter().enumerate().map(|(i, one)| Self::parse(one).map_err(|error| error.within(i.to_string()))).collect()
    }

    /// One permission: `{"models": […], "actions": […], "constraints": …}`.
    pub fn parse(value: &Value) -> Result<Self> {
        let object = value.as_object().ok_or_else(|| Error::input("must be an object"))?;
        if let Some(key) = object.keys().find(|key| !["models", "actions", "constraints"].contains(&key.as_str())) {
            return Err(Error::input("unknown key; there are models, actions and constraints").within(key));
        }
        let models = names(value, "models")?.into_iter().try_fold(Vec::new(), |mut models, name| {
            models.extend(Model::all().filter(|model| name == "*" || model.name() == name));
            known(&models, &name, || Model::all().map(Model::name).chain(["*"]).collect())?;
            Ok(models)
        });
        let actions = names(value, "actions")?.into_iter().map(|name| {
            let act = Act::ALL.into_iter().find(|(_, known)| *known == name).map(|(act, _)| act);
            act.ok_or_else(|| Error::input(format!("unknown action `{name}`; there are view, add, change and delete")))
        });
        let permission = Self {
            models: models.map_err(|error: Error| error.within("models"))?,
            actions: actions.collect::<Result<_>>().map_err(|error| error.within("actions"))?,
            constraints: object.get("constraints").cloned().unwrap_or(Value::Null),
        };
        permission.check_constraints().map_err(|error| error.within("constraints"))?;
        Ok(permission)
    }

    /// The constraint must make sense for every model it is about.
    fn check_constraints(&self) -> Result<()> {
        self.filters().try_for_each(|filter| filter?.1.check_size())?;
        let bare = self.models.iter().find(|model| !matches!(model, Model::Of(_)));
        match bare {
            Some(model) if !is_void(&self.constraints) => {
                Err(Error::input(format!("`{}` takes no constraints", model.name())))
            }
            _ => Ok(()),
        }
    }

    /// The constraint as a filter of each kind it is about.
    pub fn filters(&self) -> impl Iterator<Item = Result<(Kind, Filter)>> {
        self.models.iter().filter_map(|model| match model {
            Model::Of(kind) => Some(constraint(*kind, &self.constraints).map(|filter| (*kind, filter))),
            _ => None,
        })
    }
}

fn is_void(constraints: &Value) -> bool {
    match constraints {
        Value::Null => true,
        Value::Object(object) => object.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

fn names(value: &Value, key: &str) -> Result<Vec<String>> {
    let list = value.get(key).and_then(Value::as_array);
    let names = list.and_then(|list| list.iter().map(|name| name.as_str().map(str::to_owned)).collect());
    names.ok_or_else(|| Error::input("must be a list of names").within(key))
}

fn known(found: &[Model], name: &str, all: impl Fn() -> Vec<&'static str>) -> Result<()> {
    if name == "*" || found.iter().any(|model| model.name() == name) {
        return Ok(());
    }
    Err(Error::input(format!("unknown model `{name}`; there are {}", all().join(", "))))
}
