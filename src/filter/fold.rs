//! Case folding, the same in memory, on SQLite and on PostgreSQL: every character becomes its first lower-case one.
//!
//! SQLite has no Unicode `lower`, so there a folded comparison uses the collation that [`compare`] implements, and a
//! folded search a regular expression with one character class a letter. PostgreSQL's ICU `lower` differs for
//! İ and for a word-final Σ, which becomes ς there; the documentation names what may differ.
use std::{cmp::Ordering, collections::HashMap, sync::LazyLock};

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// The folded text.
pub fn fold(text: &str) -> String {
    text.chars().map(lower).collect()
}

/// Orders two texts as their folded forms' bytes do.
pub fn compare(a: &str, b: &str) -> Ordering {
    a.chars().map(lower).cmp(b.chars().map(lower))
}

/// A regular expression that matches exactly the texts which fold to the same as this one.
pub fn pattern(text: &str) -> String {
    static UPPER: LazyLock<HashMap<char, Vec<char>>> = LazyLock::new(|| {
        let mut upper: HashMap<char, Vec<char>> = HashMap::new();
        for c in ('\0'..=char::MAX).filter(|c| lower(*c) != *c) {
            upper.entry(lower(c)).or_default().push(c);
        }
        upper
    });
    let mut pattern = String::new();
    for c in text.chars().map(lower) {
        match UPPER.get(&c) {
            Some(variants) => {
                pattern.push('[');
                pattern.push(c);
                pattern.extend(variants);
                pattern.push(']');
            }
            None => pattern += &regex::escape(c.encode_utf8(&mut [0; 4])),
        }
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_what_folds_alike() {
        for (needle, text, found) in [
            ("äPF", "xÄpfel", true),
            ("50%_\\.", "50%_\\.", true),
            ("50%_\\.", "50%_\\x", false),
            ("σίγμα", "ΣΊΓΜΑ", true),
            ("a-z]", "A-Z]", true),
            ("strasse", "straße", false),
        ] {
            let regex = regex::Regex::new(&pattern(needle)).expect("a valid pattern");
            assert_eq!(regex.is_match(text), found, "{needle} in {text}");
            assert_eq!(fold(text).contains(&fold(needle)), found, "{needle} in {text}");
        }
    }
}
