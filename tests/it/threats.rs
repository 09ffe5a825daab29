//! The threat model names tests that are there.
use std::path::Path;

#[test]
fn each_line_of_the_threat_model_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/threat-model.md")).unwrap();
    let rows = text.split("## Spoofing").nth(1).unwrap().lines().filter(|line| line.starts_with("| "));
    let mut named = 0;
    for row in rows.filter(|row| !row.starts_with("| threat")) {
        let tests = row.split('`').filter(|part| part.contains(".rs::")).collect::<Vec<_>>();
        assert!(!tests.is_empty(), "no test: {row}");
        for test in tests {
            let (file, name) = test.split_once("::").unwrap();
            let path = if file.starts_with("src/") { root.join(file) } else { root.join("tests/it").join(file) };
            let code = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{test}: {error}"));
            assert!(code.contains(&format!("fn {name}(")), "{test} is not there");
            named += 1;
        }
    }
    assert!(named > 50, "{named}");
}
