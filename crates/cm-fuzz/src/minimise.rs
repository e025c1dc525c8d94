//! Making a failing case small.

use cm_test::mutate::Case;
use std::time::{Duration, Instant};

/// The smallest case found that still `fails`, within this time.
pub fn minimise(case: Case, time: Duration, mut fails: impl FnMut(&Case) -> bool) -> Case {
    let end = Instant::now() + time;
    let mut best = case;
    let alone = Case { before: None, text: best.text.clone() };
    if best.before.is_some() && fails(&alone) {
        best = alone;
    }
    best.text = nested(&best.text, end, |text| {
        fails(&Case { before: best.before.clone(), text: text.to_owned() })
    });
    for unit in [lines as fn(&str) -> Vec<&str>, words, characters] {
        let text = best.text.clone();
        best.text = reduce(&text, unit, end, |text| {
            fails(&Case { before: best.before.clone(), text: text.to_owned() })
        });
        if let Some(before) = best.before.clone() {
            best.before = Some(reduce(&before, unit, end, |before| {
                fails(&Case { before: Some(before.to_owned()), text: best.text.clone() })
            }));
        }
    }
    best
}

/// Leaves out lines with all that is nested in them, by their indentation: functions, then statements.
fn nested(text: &str, end: Instant, mut fails: impl FnMut(&str) -> bool) -> String {
    let mut best = text.to_owned();
    let mut at = 0;
    loop {
        let all = lines(&best);
        let Some(first) = all.get(at) else { break best };
        if Instant::now() > end {
            break best;
        }
        let inside = |line: &&&str| indent(line) > indent(first) || line.trim().is_empty();
        let mut last = at + 1 + all[at + 1..].iter().take_while(inside).count();
        let closes =
            |line: &&str| indent(line) == indent(first) && line.trim_start().starts_with('}');
        last += usize::from(last > at + 1 && all.get(last).is_some_and(closes));
        let rest = all[..at].concat() + &all[last..].concat();
        match fails(&rest) {
            true => best = rest,
            false => at += 1,
        }
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Leaves out runs of parts, long ones first.
fn reduce(
    text: &str,
    split: fn(&str) -> Vec<&str>,
    end: Instant,
    mut fails: impl FnMut(&str) -> bool,
) -> String {
    let mut best = text.to_owned();
    let mut size = split(&best).len() / 2;
    while size > 0 {
        let mut at = 0;
        loop {
            let parts = split(&best);
            if at >= parts.len() || Instant::now() > end {
                break;
            }
            let rest = parts[..at].concat() + &parts[(at + size).min(parts.len())..].concat();
            match fails(&rest) {
                true => best = rest,
                false => at += size,
            }
        }
        size /= 2;
    }
    best
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

fn words(text: &str) -> Vec<&str> {
    text.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '_').collect()
}

fn characters(text: &str) -> Vec<&str> {
    // Long texts would take too many attempts.
    if text.len() > 400 { vec![text] } else { text.split_inclusive(|_| true).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_goes() {
        let case = Case { before: None, text: "int a;\nint bad;\nint c;\n".to_owned() };
        let small = minimise(case, Duration::from_secs(5), |case| case.text.contains("bad"));
        assert_eq!(small, Case { before: None, text: "bad".to_owned() });
    }
}
