//! Why something did not work, told so that every door can say it in its own words and none leaks what is inside.
use sea_orm::{DbErr, RuntimeErr};

/// The errors of the library.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller can put it right: which parts of the input, and why.
    #[error("{}", told(.0))]
    Input(Vec<Problem>),
    /// A cursor that this server did not make, or made for another ordering.
    #[error("{0}")]
    Cursor(&'static str),
    /// More rows asked for than one page may hold.
    #[error("`{argument}` is {given}; a page holds at most {most} rows")]
    PageTooLarge { argument: &'static str, given: i64, most: i64 },
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// There is nothing of that name or id.
    #[error("{0}")]
    NotFound(String),
    /// It exists already, or something stands in the way.
    #[error("{0}")]
    Conflict(String),
    /// The row was changed since the caller read it.
    #[error("{0}")]
    Stale(String),
    /// What followed this position of the change log is no longer kept.
    #[error("{0}")]
    Expired(&'static str),
    /// Others write the same rows at the same time: beginning anew may do.
    #[error("others are changing the same objects at this moment; try again")]
    Contention,
    /// The database took longer than a request may.
    #[error("the database did not answer in time")]
    Timeout,
    /// The database failed. Its words are for the log only.
    #[error("the database failed: {0}")]
    Database(DbErr),
    /// A key that is missing or wrong, told to the operator.
    #[error("{0}")]
    Key(String),
    /// Anything else that is our fault or the machine's. Its words are for the log only.
    #[error("{0}")]
    Internal(String),
}

/// The result of the library's operations.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What is wrong with one part of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    /// Where in the input, under REST's names.
    pub path: Vec<String>,
    /// For people: NetBox's words where NetBox has some, so that REST's bodies are the plugin's.
    pub message: String,
}

/// Which kind of wrong it is, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// It is missing, or null where a value is needed.
    Required,
    /// Of the wrong form.
    Invalid,
    TooLong,
    OutOfRange,
    /// Another object has this value, which must be unique.
    Conflict,
    /// Another object has this natural key: a name, and what it is unique with.
    KeyTaken,
    /// It refers to something that is not there.
    ReferenceNotFound,
}

impl Problem {
    /// A problem of one field.
    pub fn new(code: Code, field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code, path: vec![field.into()], message: message.into() }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Input(vec![problem])
    }
}

fn told(problems: &[Problem]) -> String {
    let each = problems.iter().map(|problem| format!("{}{}", at(&problem.path), problem.message));
    each.collect::<Vec<_>>().join("; ")
}

/// Where in the input: `items[2].name: `, or nothing for the whole.
fn at(path: &[String]) -> String {
    let mut text = String::new();
    for step in path {
        if step.bytes().all(|b| b.is_ascii_digit()) {
            text += &format!("[{step}]");
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text += step;
        }
    }
    if !text.is_empty() {
        text += ": ";
    }
    text
}

impl Error {
    /// Input that is wrong as a whole or at a place that `within` adds later.
    pub fn input(message: impl Into<String>) -> Self {
        Self::Input(vec![Problem { code: Code::Invalid, path: Vec::new(), message: message.into() }])
    }

    /// Whether the caller can put it right by another input, so that it is told as the answer to it.
    pub fn is_the_callers(&self) -> bool {
        matches!(self, Self::Input(_) | Self::Forbidden(_) | Self::NotFound(_) | Self::Conflict(_) | Self::Stale(_))
    }

    /// Puts a step in front of the paths of an input error; others stay as they are.
    #[must_use]
    pub fn within(mut self, step: impl Into<String>) -> Self {
        if let Self::Input(problems) = &mut self {
            let step = step.into();
            problems.iter_mut().for_each(|problem| problem.path.insert(0, step.clone()));
        }
        self
    }
}

impl From<DbErr> for Error {
    /// Statements that the time limit stopped, or that met others' writes, are told apart; the rest stays unnamed.
    fn from(error: DbErr) -> Self {
        let text = error.to_string();
        // PostgreSQL: query_canceled 57014; SQLite: SQLITE_INTERRUPT from the progress handler; sqlx: no free connection.
        let stopped = ["57014", "canceling statement due to statement timeout", "(code: 9)", "interrupted"];
        if stopped.iter().any(|mark| text.contains(mark)) || matches!(error, DbErr::ConnectionAcquire(_)) {
            return Self::Timeout;
        }
        // PostgreSQL: serialization_failure, deadlock_detected, lock_not_available; SQLite: SQLITE_BUSY and its kinds.
        let met = ["40001", "40P01", "55P03", "5", "261", "517"];
        match sql_code(&error).as_deref() {
            Some(code) if met.contains(&code) => Self::Contention,
            // PostgreSQL: invalid_regular_expression; its own syntax lacks some of what ours has.
            Some("2201B") => Self::input("The database does not understand this regular expression."),
            _ => Self::Database(error),
        }
    }
}

/// The database's own code of an error: SQLSTATE, or SQLite's number.
fn sql_code(error: &DbErr) -> Option<String> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
            Some(error.as_database_error()?.code()?.into_owned())
        }
        _ => None,
    }
}
