//! Forms of names.

/// Lower-case letters, digits and `_`, not beginning with a digit.
pub fn is_snake(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// Upper-case letters, digits and `_`.
pub fn is_upper_snake(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

/// Begins with an upper-case letter; letters and digits only.
pub fn is_pascal(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// The words of a name: `camelCase`, `HTTPServer` and `snake_case` have two each.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let chars: Vec<char> = name.chars().collect();
    for (n, &c) in chars.iter().enumerate() {
        let lower_before = n > 0 && !chars[n - 1].is_uppercase() && chars[n - 1] != '_';
        let lower_after = n > 0 && chars.get(n + 1).is_some_and(|next| next.is_lowercase());
        if c == '_' || (c.is_uppercase() && (lower_before || lower_after)) {
            words.push(String::new());
        }
        if c != '_'
            && let Some(word) = words.last_mut()
        {
            word.push(c);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The name in `snake_case`.
pub fn to_snake(name: &str) -> String {
    words(name).join("_").to_lowercase()
}

/// The name in `UPPER_SNAKE_CASE`.
pub fn to_upper_snake(name: &str) -> String {
    words(name).join("_").to_uppercase()
}

/// The name in `PascalCase`.
pub fn to_pascal(name: &str) -> String {
    let capital = |word: String| {
        let (first, rest) = word.split_at(1);
        first.to_uppercase() + rest
    };
    words(name).into_iter().map(capital).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (name, snake, upper, pascal) in [
            ("camelCase", "camel_case", "CAMEL_CASE", "CamelCase"),
            ("bad_name", "bad_name", "BAD_NAME", "BadName"),
            ("HTTPServer2", "http_server2", "HTTP_SERVER2", "HTTPServer2"),
            ("X", "x", "X", "X"),
            ("__a__B", "a_b", "A_B", "AB"),
        ] {
            assert_eq!((to_snake(name).as_str(), to_upper_snake(name).as_str()), (snake, upper));
            assert_eq!(to_pascal(name), pascal);
            assert!(is_snake(snake) && is_upper_snake(upper) && is_pascal(pascal));
        }
        assert!(!is_snake("aB") && !is_snake("1a") && !is_upper_snake("Aa") && !is_pascal("a"));
        assert!(!is_pascal("A_b") && is_snake("") && !is_pascal(""));
    }
}
