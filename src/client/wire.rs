//! Connections: at most two to a host at any time, each kept only as long as pveproxy keeps its end; NetBox' servers
//! mostly keep theirs longer.
//!
//! reqwest's pool opens another connection whenever the one before is not back yet, which is a matter of microseconds.
//! So a wire is a reqwest client that may connect once, and this file counts the wires.
use super::failure::{Class, Failure, line};
use super::guard::{Host, Resolver};
use super::rules::Rules;
use super::trust::{Judge, Seen};
use reqwest::{Method, Response, Url, Version, header, redirect};
use std::error::Error;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tower::{Layer, Service};

/// Connections to a host at any time.
const CONNECTIONS: usize = 2;
/// pveproxy closes a connection after 100 requests …
const REQUESTS: usize = 99;
/// … and after 5 s without one. Earlier here, so that no request meets a connection that closes.
const IDLE: Duration = Duration::from_secs(3);
/// How long a connection may need to come back from an answer that was read to its end. Longer means that it is gone.
const RETURN: Duration = Duration::from_millis(500);
/// The most characters of a reason phrase.
const LONGEST_REASON: usize = 300;
/// The largest body of an answer that is an error, in bytes; more is cut.
const ERROR_BODY: usize = 64 << 10;

/// The connections to one host.
#[derive(Debug)]
pub(super) struct Wires {
    host: Host,
    /// Scheme, host and port.
    base: Url,
    judge: Judge,
    rules: Rules,
    /// What it means that something else answers there.
    stranger: Class,
    seen: Arc<Seen>,
    permits: Semaphore,
    idle: Mutex<Vec<Wire>>,
}

/// One connection, open or about to be.
#[derive(Debug)]
struct Wire {
    http: reqwest::Client,
    /// Why it could not connect, if it says.
    why: Arc<Mutex<Option<Failure>>>,
    served: usize,
    last: Instant,
}

/// What is asked.
#[derive(Debug)]
pub(super) struct Ask {
    /// From the root of the host, with its query, and encoded.
    pub path: String,
    pub headers: header::HeaderMap,
    /// A form to be posted; none is a GET, which has no body ever.
    pub form: Option<String>,
}

/// What came back, whatever its status.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    /// The reason phrase as it was sent; on older servers the only words of an error.
    pub reason: String,
    /// Empty if there was none.
    pub content_type: String,
    pub location: Option<String>,
    /// How long the server wants to be left alone, in seconds.
    pub retry_after: Option<u32>,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Broken {
    pub failure: Failure,
    /// How often it is worth trying in all.
    pub attempts: u32,
    /// The shortest pause before the next attempt, in seconds.
    pub pause: u32,
}

impl Broken {
    /// Another attempt would end like this one.
    pub fn for_good(failure: Failure) -> Self {
        Self { failure, attempts: 1, pause: 0 }
    }

    /// It may have been bad luck.
    pub fn for_now(failure: Failure) -> Self {
        Self { failure, attempts: 3, pause: 0 }
    }
}

impl Wires {
    /// Opens nothing yet. `stranger` is the class of a failure when something else answers there.
    pub fn new(
        host: Host,
        (scheme, port): (&str, u16),
        judge: Judge,
        rules: Rules,
        stranger: Class,
    ) -> Result<Self, Failure> {
        let base = Url::parse(&format!("{scheme}://{}:{port}/", host.url));
        let base = base.map_err(|error| Failure::new(Class::Address, format!("{} is no host: {error}", host.name)))?;
        let (seen, permits) = (Arc::default(), Semaphore::new(CONNECTIONS));
        Ok(Self { host, base, judge, rules, stranger, seen, permits, idle: Mutex::default() })
    }

    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Whether it is HTTP without TLS.
    pub fn is_plain(&self) -> bool {
        self.base.scheme() == "http"
    }

    /// Asks once, on a connection that is free or a new one, and reads the answer to its end, however long that takes.
    pub async fn ask(&self, ask: &Ask) -> Result<Answer, Broken> {
        let _permit = self.permits.acquire().await;
        if let Some(wire) = self.kept()
            && let Some(answer) = self.on(wire, ask).await?
        {
            return Ok(answer);
        }
        let wire = self.open().map_err(Broken::for_good)?;
        let gone = || Broken::for_now(Failure::new(Class::Connect, "the connection was closed"));
        self.on(wire, ask).await?.ok_or_else(gone)
    }

    /// Asks on this wire, and keeps it if it can be used again. None if the connection was gone before.
    async fn on(&self, mut wire: Wire, ask: &Ask) -> Result<Option<Answer>, Broken> {
        let response = match wire.http.execute(self.request(ask)?).await {
            Ok(response) => response,
            Err(error) if is_spent(&error) => return Ok(None),
            Err(error) => return Err(self.broken(&wire, &error)),
        };
        let stays = stays(&response);
        let (answer, whole) = self.read(response).await?;
        wire.served += 1;
        wire.last = Instant::now();
        if stays && whole {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(wire);
        }
        Ok(Some(answer))
    }

    fn request(&self, ask: &Ask) -> Result<reqwest::Request, Broken> {
        // Never joined: a path that begins with two slashes would name another host.
        let url = format!("{}{}", self.base, ask.path.trim_start_matches('/'));
        let told = |error| Broken::for_good(Failure::new(Class::Protocol, format!("no address: {error}")));
        let url = Url::parse(&url).map_err(told)?;
        let method = if ask.form.is_some() { Method::POST } else { Method::GET };
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = ask.headers.clone();
        request.headers_mut().insert(header::ACCEPT, header::HeaderValue::from_static("application/json"));
        if let Some(form) = &ask.form {
            let form_type = header::HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(header::CONTENT_TYPE, form_type);
            // A body of known length: pveproxy refuses chunks.
            *request.body_mut() = Some(form.clone().into());
        }
        Ok(request)
    }

    /// A free wire that pveproxy has not closed yet. Older ones are dropped, which closes them.
    fn kept(&self) -> Option<Wire> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|wire| wire.served < REQUESTS && wire.last.elapsed() < IDLE);
        idle.pop()
    }

    fn open(&self) -> Result<Wire, Failure> {
        let why = Arc::default();
        let tls = self.judge.config(self.seen.clone(), Arc::clone(&why))?;
        let resolver = Resolver { rules: self.rules.clone(), why: Arc::clone(&why) };
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .dns_resolver(resolver)
            .https_only(self.base.scheme() == "https")
            .http1_only()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            .connect_timeout(self.rules.connect)
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(IDLE)
            .connector_layer(Once(Arc::new(AtomicBool::new(true))));
        let told = |error: reqwest::Error| Failure::new(Class::Connect, format!("no HTTP client: {}", root(&error)));
        Ok(Wire { http: builder.build().map_err(told)?, why, served: 0, last: Instant::now() })
    }

    /// The answer, and whether it was read to its end.
    async fn read(&self, mut response: Response) -> Result<(Answer, bool), Broken> {
        let mut answer = head(&response);
        let (limit, is_error) = match answer.status {
            200..400 => (self.rules.body, false),
            _ => (ERROR_BODY.min(self.rules.body), true),
        };
        let too_long =
            || Broken::for_good(Failure::new(Class::Protocol, format!("the answer has more than {limit} bytes")));
        if !is_error && response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(too_long());
        }
        loop {
            match response.chunk().await {
                Ok(None) => return Ok((answer, true)),
                Ok(Some(chunk)) if answer.body.len() + chunk.len() <= limit => answer.body.extend_from_slice(&chunk),
                // The status says enough, however the rest of its page goes on.
                Ok(Some(_)) | Err(_) if is_error => return Ok((answer, false)),
                Ok(Some(_)) => return Err(too_long()),
                Err(error) => {
                    let message = format!("the answer broke off: {}", root(&error));
                    return Err(Broken::for_now(Failure::new(Class::Connect, message)));
                }
            }
        }
    }

    /// Why a request got no answer.
    fn broken(&self, wire: &Wire, error: &reqwest::Error) -> Broken {
        if let Some(failure) = wire.why.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Broken::for_good(failure);
        }
        let place = format!("{}:{}", self.host.url, self.base.port_or_known_default().unwrap_or_default());
        if error.is_timeout() {
            let message = format!("no connection to {place} within {:?}", self.rules.connect);
            return Broken::for_good(Failure::new(Class::Timeout, message));
        }
        let (root, connecting) = (root(error), error.is_connect());
        if let Some(hyper) = chain(error).find_map(|error| error.downcast_ref::<hyper::Error>())
            && hyper.is_parse()
        {
            return Broken::for_good(Failure::new(
                self.stranger.clone(),
                format!("{place} does not speak HTTP: {root}"),
            ));
        }
        let tls = chain(error).any(|error| error.is::<rustls::Error>());
        let what = if connecting { "no connection to" } else { "no answer from" };
        let message = format!("{what} {place}: {root}");
        let failure = Failure::new(Class::Connect, message);
        if tls { Broken::for_good(failure) } else { Broken::for_now(failure) }
    }
}

/// What an answer says before its body.
fn head(response: &Response) -> Answer {
    let text = |name| response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let status = response.status();
    let canonical = || status.canonical_reason().unwrap_or_default().to_owned();
    // There if it is not the canonical one.
    let reason = response.extensions().get::<hyper::ext::ReasonPhrase>();
    let reason = reason.map_or_else(canonical, |reason| String::from_utf8_lossy(reason.as_bytes()).into_owned());
    Answer {
        status: status.as_u16(),
        reason: line(&reason, LONGEST_REASON),
        content_type: text(header::CONTENT_TYPE).unwrap_or_default(),
        location: text(header::LOCATION),
        // Seconds; a date is not worth a calendar here.
        retry_after: text(header::RETRY_AFTER).and_then(|text| text.trim().parse().ok()),
        body: Vec::new(),
    }
}

/// Whether the server keeps the connection. pveproxy closes after every error, whatever it says.
fn stays(response: &Response) -> bool {
    let closes =
        |value: &header::HeaderValue| value.as_bytes().to_ascii_lowercase().windows(5).any(|word| word == b"close");
    let closes = response.headers().get_all(header::CONNECTION).iter().any(closes);
    response.status().as_u16() < 400 && response.version() == Version::HTTP_11 && !closes
}

/// The errors behind an error, itself first. An error of IO names what is behind the one that it holds, not that one.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error: &&'a (dyn Error + 'static)| {
        match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(held) => Some(held as &(dyn Error + 'static)),
            None => error.source(),
        }
    })
}

/// The innermost words of an error: those around it name types.
fn root(error: &(dyn Error + 'static)) -> String {
    let words = chain(error).last().map(ToString::to_string).unwrap_or_default();
    // rustls ends some of its words with the address of its manual.
    words.split(": https://").next().unwrap_or_default().to_owned()
}

fn is_spent(error: &reqwest::Error) -> bool {
    chain(error).any(|error| error.is::<Spent>())
}

/// Lets one connection be made, and none after it.
#[derive(Clone, Debug)]
struct Once(Arc<AtomicBool>);

#[derive(Clone, Debug)]
struct ConnectsOnce<S> {
    inner: S,
    may: Arc<AtomicBool>,
}

/// The connection is gone; a wire has one.
#[derive(Debug, thiserror::Error)]
#[error("the connection was closed")]
struct Spent;

impl<S> Layer<S> for Once {
    type Service = ConnectsOnce<S>;

    fn layer(&self, inner: S) -> ConnectsOnce<S> {
        ConnectsOnce { inner, may: self.0.clone() }
    }
}

type Boxed<T> = Pin<Box<dyn Future<Output = Result<T, Box<dyn Error + Send + Sync>>> + Send>>;

impl<S, R> Service<R> for ConnectsOnce<S>
where
    S: Service<R, Error = Box<dyn Error + Send + Sync>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Boxed<S::Response>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, to: R) -> Self::Future {
        if self.may.swap(false, Ordering::Relaxed) {
            return Box::pin(self.inner.call(to));
        }
        Box::pin(async {
            // Meanwhile the connection may come back, which the pool prefers.
            tokio::time::sleep(RETURN).await;
            Err(Spent.into())
        })
    }
}
