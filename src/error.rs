//! Why something did not work, told so that every door can say it in its own words and none leaks what is inside.
use sea_orm::DbErr;

/// The errors of the library.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller can put it right: which part of the input, and why.
    #[error("{}{message}", at(path))]
    Input { path: Vec<String>, message: String },
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
        Self::Input { path: Vec::new(), message: message.into() }
    }

    /// Puts a step in front of the path of an input error; others stay as they are.
    #[must_use]
    pub fn within(mut self, step: impl Into<String>) -> Self {
        if let Self::Input { path, .. } = &mut self {
            path.insert(0, step.into());
        }
        self
    }
}

impl From<DbErr> for Error {
    /// A statement that the time limit stopped is told apart; the rest stays unnamed.
    fn from(error: DbErr) -> Self {
        let text = error.to_string();
        // PostgreSQL: query_canceled 57014; SQLite: SQLITE_INTERRUPT from the progress handler; sqlx: no free connection.
        let stopped = ["57014", "canceling statement due to statement timeout", "(code: 9)", "interrupted"];
        if stopped.iter().any(|mark| text.contains(mark)) || matches!(error, DbErr::ConnectionAcquire(_)) {
            return Self::Timeout;
        }
        Self::Database(error)
    }
}
