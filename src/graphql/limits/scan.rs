//! The text before it is parsed.

use super::{Depth, Limits, Measure, Refusal};

/// Checks the size of the text, the number of its tokens and the nesting of its brackets.
///
/// One linear pass over the bytes, by the lexical rules of GraphQL: brackets in strings, block
/// strings and comments do not count. Text that is no GraphQL is left to the parser, except that
/// what the parser could read as brackets is always counted as such.
///
/// # Errors
/// The first limit passed.
pub fn scan(text: &str, limits: &Limits) -> Result<(), Refusal> {
    if text.len() > limits.text_bytes {
        return Err(Refusal::TooComplex {
            what: Measure::TextBytes,
            actual: Some(text.len() as u64),
            limit: limits.text_bytes as u64,
        });
    }
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut open) = (0, 0, 0usize);
    while let Some(&byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        let length = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' => {
                at += 1;
                continue;
            }
            b'#' => {
                at += rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
                continue;
            }
            0xEF if rest.starts_with("\u{feff}".as_bytes()) => {
                at += 3;
                continue;
            }
            b'"' if rest.starts_with(b"\"\"\"") => block_string(rest).ok_or_else(|| unterminated(text, at))?,
            b'"' => string(rest),
            b'.' if rest.starts_with(b"...") => 3,
            b'-' | b'0'..=b'9' => number(rest),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => run(rest, 1, |b| b == b'_' || b.is_ascii_alphanumeric()),
            b'{' | b'[' | b'(' => {
                open += 1;
                if open > limits.nesting {
                    return Err(Refusal::TooDeep { what: Depth::Brackets, actual: None, limit: limits.nesting });
                }
                1
            }
            // Unbalanced ones are the parser's to report: it never gets past them.
            b'}' | b']' | b')' => {
                open = open.saturating_sub(1);
                1
            }
            _ => 1,
        };
        at += length;
        tokens += 1;
        if tokens > limits.tokens {
            return Err(Refusal::TooComplex { what: Measure::Tokens, actual: None, limit: limits.tokens as u64 });
        }
    }
    Ok(())
}

/// First index from `from` on whose byte does not belong to the run.
fn run(rest: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let tail = rest.get(from..).unwrap_or_default();
    from + tail.iter().position(|b| !belongs(*b)).unwrap_or(tail.len())
}

/// Length of the number at the start. A sign, point or `e` without digits after it does not
/// belong to it.
fn number(rest: &[u8]) -> usize {
    let digit = |at: usize| rest.get(at).is_some_and(u8::is_ascii_digit);
    let digits = |from: usize| run(rest, from, |b| b.is_ascii_digit());
    let mut end = digits(1);
    if rest.get(end) == Some(&b'.') && digit(end + 1) {
        end = digits(end + 1);
    }
    if matches!(rest.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
        if digit(end + 1 + sign) {
            end = digits(end + 1 + sign);
        }
    }
    end
}

/// Length of the string at the start, quotes included. Without an end it reaches to the end of
/// the line, where the parser gives up.
fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = rest.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            b'\\' if matches!(rest.get(at + 1), Some(b'"' | b'\\')) => at += 2,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of the block string at the start, quotes included; `None` if it has no end.
fn block_string(rest: &[u8]) -> Option<usize> {
    let mut at = 3;
    loop {
        let tail = rest.get(at..).filter(|tail| !tail.is_empty())?;
        if tail.starts_with(b"\"\"\"") {
            return Some(at + 3);
        }
        at += if tail.starts_with(b"\\\"\"\"") { 4 } else { 1 };
    }
}

fn unterminated(text: &str, at: usize) -> Refusal {
    let before = text.get(..at).unwrap_or_default();
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Refusal::UnterminatedString {
        line: before.matches('\n').count() + 1,
        column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
    }
}
