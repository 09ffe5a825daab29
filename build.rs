//! Bundles the pages in `web/` so that `src/web` can embed them.
//!
//! The bundle is made once for all profiles and kept in `web/dist`, beside a stamp of the sources
//! it was made from; each profile embeds a copy of its own, so concurrent builds do not meet.
//! Without npm the server still builds, and serves plain pages instead.
//!
//! `PROXBOX_REQUIRE_WEB=1` makes a missing bundle an error, `PROXBOX_SKIP_WEB=1` leaves it out.

use std::{
    collections::hash_map::DefaultHasher,
    env,
    fs::{self, File},
    hash::{Hash, Hasher},
    io,
    path::{Path, PathBuf},
    process::{Command, exit},
};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let skip = flag("PROXBOX_SKIP_WEB");
    let require = flag("PROXBOX_REQUIRE_WEB");

    let web = path_of("CARGO_MANIFEST_DIR").join("web");
    let embedded = path_of("OUT_DIR").join("web");
    // The folder must be there even when nothing is put into it: the embedding macro insists.
    if let Err(e) = recreate(&embedded) {
        fail(&format!("{}: {e}", embedded.display()));
    }
    let result = sources(&web).map_err(|e| format!("web/: {e}")).and_then(|sources| {
        if skip {
            return Ok(());
        }
        bundle(&web, &sources, &embedded)
    });
    match result {
        Err(reason) if require => fail(&reason),
        Err(reason) => {
            // Half a bundle is worse than none.
            let _ = recreate(&embedded);
            println!("cargo::warning=the pages are left out, /graphiql and /api/docs are plain ones: {reason}");
            println!("cargo::warning=PROXBOX_REQUIRE_WEB=1 tries again, PROXBOX_SKIP_WEB=1 silences this");
        }
        Ok(()) => {}
    }
}

/// Puts an up-to-date bundle into `embedded`, making it first if there is none.
fn bundle(web: &Path, sources: &[PathBuf], embedded: &Path) -> Result<(), String> {
    let io = |e: io::Error| format!("web/dist: {e}");
    let dist = web.join("dist");
    let made = dist.join("bundle");
    let stamp = dist.join("stamp");
    let wanted = hash(sources).map_err(io)?;

    fs::create_dir_all(&dist).map_err(io)?;
    let lock = File::create(dist.join("lock")).map_err(io)?;
    lock.lock().map_err(io)?;

    if fs::read_to_string(&stamp).ok().as_ref() != Some(&wanted) || !made.is_dir() {
        // The stamp goes first and comes back last: a build cut short leaves none.
        let _ = fs::remove_file(&stamp);
        npm(web, &["ci", "--include=dev"])?;
        npm(web, &["run", "build"])?;
        fs::write(&stamp, wanted).map_err(io)?;
    }
    copy(&made, embedded).map_err(io)
}

/// The files the bundle depends on: those at the top of `web/`, so that neither `node_modules` nor
/// `dist` makes cargo run this again.
fn sources(web: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(web)? {
        let path = entry?.path();
        if path.is_file() && path.extension().is_none_or(|e| e != "md") {
            println!("cargo::rerun-if-changed={}", path.display());
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn hash(files: &[PathBuf]) -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    for file in files {
        file.file_name().hash(&mut hasher);
        fs::read(file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn npm(web: &Path, args: &[&str]) -> Result<(), String> {
    let program = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let what = format!("npm {}", args.join(" "));
    let output = Command::new(program)
        .args(args)
        .current_dir(web)
        // "production" would leave Vite out, "development" would bundle slower code.
        .env_remove("NODE_ENV")
        .output()
        .map_err(|e| format!("{what}: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    // A warning is one line: the last ones of npm's, but for stack traces, say what is wrong.
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("at ")).collect();
    let tail = lines[lines.len().saturating_sub(8)..].join(" | ");
    Err(format!("{what}: {}: {tail}", output.status))
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn recreate(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => fs::create_dir_all(folder),
    }
}

fn flag(name: &str) -> bool {
    println!("cargo::rerun-if-env-changed={name}");
    env::var_os(name).is_some_and(|value| !value.is_empty() && value != "0")
}

fn path_of(name: &str) -> PathBuf {
    env::var_os(name).map(PathBuf::from).unwrap_or_default()
}

fn fail(reason: &str) -> ! {
    println!("cargo::error={reason}");
    exit(1)
}
