//! `run`: a fresh database, a server on it, and each query for some seconds.
use crate::client::Client;
use crate::postgres::Postgres;
use crate::process::{self, Server};
use crate::queries::{self, Query};
use crate::random::Random;
use crate::shape::Shape;
use crate::{Databases, Options, generate};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::time::{Duration, Instant};

pub async fn run(options: &Options) -> Result<()> {
    let names: Vec<_> = queries::NAMES.into_iter().filter(|name| wanted(options, name)).collect();
    ensure!(!names.is_empty(), "--only names none of {}", queries::NAMES.join(", "));
    let server = options.server.canonicalize().with_context(|| format!("no {}", options.server.display()))?;
    let shape = Shape { scale: options.scale };
    let folder = tempfile::Builder::new().prefix("proxbox-bench-").tempdir()?;
    let file = folder.path().join("rows.json");
    generate::to(Some(&file), &shape)?;
    say(&format!("{}\n", process::machine()));
    say(&format!(
        "{} nodes, {} storages; {} connections, {} s a query",
        shape.nodes(),
        shape.storages(),
        options.concurrency,
        options.seconds
    ));
    let run = Run { options, names, server: &server, shape };
    if options.database != Databases::Postgres {
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("bench.db").display());
        run.database("SQLite", &url, &file, folder.path(), None).await?;
    }
    if options.database != Databases::Sqlite {
        let postgres = Postgres::start()?;
        let title = format!("PostgreSQL {}", postgres.version);
        run.database(&title, &postgres.url(), &file, folder.path(), Some(&postgres)).await?;
    }
    Ok(())
}

/// `Q5` stands for Q5a and Q5b.
fn wanted(options: &Options, name: &str) -> bool {
    options.only.is_empty() || options.only.iter().any(|only| !only.is_empty() && name.starts_with(only.as_str()))
}

#[expect(clippy::print_stdout, reason = "the table is what this program is for")]
fn say(line: &str) {
    println!("{line}");
}

struct Run<'a> {
    options: &'a Options,
    names: Vec<&'static str>,
    server: &'a Path,
    shape: Shape,
}

impl Run<'_> {
    async fn database(
        &self,
        title: &str,
        url: &str,
        file: &Path,
        folder: &Path,
        postgres: Option<&Postgres>,
    ) -> Result<()> {
        let loading = process::load(self.server, url, file)?;
        if let Some(postgres) = postgres {
            postgres.settle()?;
        }
        let server = Server::start(self.server, url, folder).await?;
        let postmaster = postgres.map(Postgres::id).transpose()?;
        say(&format!("\n### {title}\n\nLoaded in {:.1} s.\n", loading.as_secs_f64()));
        say("| query | | requests | req/s | p50 ms | p99 ms | server CPU ms | PostgreSQL CPU ms | bytes |");
        say("|---|---|--:|--:|--:|--:|--:|--:|--:|");
        let mut walks = Vec::new();
        let mut memory = None;
        for name in &self.names {
            let mut client = Client::connect(server.address).await?;
            let told = || format!("{name} on {title}");
            let query = queries::prepare(name, &mut client, &self.shape).await.with_context(told)?;
            let seconds = Duration::from_secs(self.options.seconds);
            self.ask(&query, &server, seconds.min(Duration::from_secs(1))).await.with_context(told)?;
            let before = (process::cpu(server.id())?, postmaster.map(process::cpu_of_family).transpose()?);
            let begun = Instant::now();
            let asked = self.ask(&query, &server, seconds).await.with_context(told)?;
            let took = begun.elapsed();
            let after = (process::cpu(server.id())?, postmaster.map(process::cpu_of_family).transpose()?);
            let database = before.1.zip(after.1).map(|(before, after)| after - before);
            say(&row(&query, &asked, took, after.0 - before.0, database));
            if let Some((pages, took)) = query.walk {
                walks.push(format!("{name}: {pages} pages, one client alone: {:.2} s.", took.as_secs_f64()));
            }
            memory = memory.max(postmaster.and_then(process::memory_of_family));
        }
        say("");
        walks.iter().for_each(|walk| say(walk));
        say(&format!("Peak memory of the server: {} MiB.", process::peak_memory(server.id())? >> 20));
        if let Some(memory) = memory {
            say(&format!("Memory of PostgreSQL, the most after any query: {} MiB.", memory >> 20));
        }
        Ok(())
    }

    /// Every connection asks one question after the other until the time is over; every answer is checked.
    async fn ask(&self, query: &Query, server: &Server, time: Duration) -> Result<Asked> {
        let end = Instant::now() + time;
        let ask = |number: u16| async move {
            let mut random = Random::new(200, number.into());
            let mut client = Client::connect(server.address).await?;
            let mut asked = Asked::default();
            while Instant::now() < end {
                let case = random.one(&query.cases);
                let begun = Instant::now();
                let answer = client.ask(&case.question).await?;
                asked.times.push(begun.elapsed());
                asked.bytes += answer.len() as u64;
                (case.check)(&answer)?;
            }
            anyhow::Ok(asked)
        };
        let mut all = Asked::default();
        for asked in together((0..self.options.concurrency).map(ask)).await? {
            all.times.extend(asked.times);
            all.bytes += asked.bytes;
        }
        all.times.sort_unstable();
        Ok(all)
    }
}

/// All of them at once on this one thread; the first failure ends it.
async fn together<T>(futures: impl Iterator<Item = impl Future<Output = Result<T>>>) -> Result<Vec<T>> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut done = true;
        for (future, result) in waiting.iter_mut().filter(|(_, result)| result.is_none()) {
            match future.as_mut().poll(context) {
                std::task::Poll::Ready(Ok(value)) => *result = Some(value),
                std::task::Poll::Ready(Err(error)) => return std::task::Poll::Ready(Err(error)),
                std::task::Poll::Pending => done = false,
            }
        }
        if done { std::task::Poll::Ready(Ok(())) } else { std::task::Poll::Pending }
    })
    .await?;
    Ok(waiting.into_iter().filter_map(|(_, result)| result).collect())
}

/// What came back in a while.
#[derive(Default)]
struct Asked {
    times: Vec<Duration>,
    bytes: u64,
}

impl Asked {
    /// The time that so many of a hundred answers did not pass, in milliseconds. The times are sorted.
    fn percentile(&self, percent: usize) -> f64 {
        let place = (self.times.len() * percent).div_ceil(100).saturating_sub(1);
        self.times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    }
}

fn row(query: &Query, asked: &Asked, took: Duration, server: f64, database: Option<f64>) -> String {
    let count = asked.times.len();
    let each = |seconds: f64| format!("{:.2}", seconds * 1e3 / count as f64);
    format!(
        "| {} | {} | {count} | {:.1} | {:.2} | {:.2} | {} | {} | {} |",
        query.name,
        query.about,
        count as f64 / took.as_secs_f64(),
        asked.percentile(50),
        asked.percentile(99),
        each(server),
        database.map_or("–".to_owned(), each),
        asked.bytes / count.max(1) as u64,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let asked = Asked { times: (1..=200).map(Duration::from_millis).collect(), bytes: 0 };
        assert_eq!(asked.percentile(50), 100.0);
        assert_eq!(asked.percentile(99), 198.0);
        assert!(Asked::default().percentile(50).is_nan());
    }
}
