//! The operands that the text of inline assembly names (`03-declarations.md` §3.8).

/// Names in `${r:x}`, `${=m:x}`, `${i:c}` …, in order, with repetitions.
pub(crate) fn operands(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        rest = &rest[dollar + 1..];
        if let Some(escaped) = rest.strip_prefix('$') {
            rest = escaped;
        } else if let Some(open) = rest.strip_prefix('{')
            && let Some(close) = open.find('}')
        {
            if let Some((_, name)) = open[..close].split_once(':') {
                names.push(name.trim());
            }
            rest = &open[close + 1..];
        }
    }
    names
}

#[cfg(test)]
mod tests {
    #[test]
    fn operands_are_found() {
        let text = "mov $$1, ${=r:x}; add ${r:y}, ${+m:x} {a|b} ${i:N}";
        assert_eq!(super::operands(text), ["x", "y", "x", "N"]);
    }
}
