//! Markers inside the text of a file: cursors, and errors expected under a line.

use cm_base::{TextRange, TextSize};

/// A text without its cursors, and what was marked in it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Marked {
    /// The text; annotations are comments and stay.
    pub text: String,
    /// The places of `$0`, `$1`, …, by number.
    pub cursors: Vec<TextSize>,
    /// The annotations in order.
    pub annotations: Vec<Annotation>,
}

/// `//  ^^^ message` under a line: what is expected at the place to which the `^` point.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Annotation {
    /// The part of the line.
    pub range: TextRange,
    /// The line, from 1.
    pub line: u32,
    /// The message.
    pub message: String,
}

/// Takes the cursors out of a text and reads its annotations. Panics if the numbers of the cursors
/// are not 0, 1, … or if an annotation points behind the end of its line: the test is wrong.
pub fn markers(text: &str) -> Marked {
    let (text, cursors) = take_cursors(text);
    let annotations = annotations(&text);
    Marked { text, cursors, annotations }
}

fn take_cursors(text: &str) -> (String, Vec<TextSize>) {
    let mut plain = String::with_capacity(text.len());
    let mut found = Vec::new();
    let mut parts = text.split('$');
    plain.extend(parts.next());
    for part in parts {
        let (digits, _) = part.split_at(part.bytes().take_while(u8::is_ascii_digit).count());
        match digits.parse::<usize>() {
            Ok(number) => found.push((number, size(plain.len()))),
            Err(_) => plain.push('$'),
        }
        plain.push_str(&part[digits.len()..]);
    }
    found.sort();
    assert!(
        found.iter().enumerate().all(|(index, (number, _))| index == *number),
        "cursors must be numbered $0, $1, …: {found:?}"
    );
    (plain, found.into_iter().map(|(_, at)| at).collect())
}

fn annotations(text: &str) -> Vec<Annotation> {
    let mut found = Vec::new();
    // The line that annotations are about: number, offset, text.
    let mut subject = (0, 0, "");
    let mut offset = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        match annotation(line) {
            Some((column, width, message)) => {
                let (line, start, text) = subject;
                assert!(
                    column + width <= text.trim_end_matches('\n').len(),
                    "annotation {message:?} points behind the end of line {line}"
                );
                let range = TextRange::at(size(start + column), size(width));
                found.push(Annotation { range, line, message: message.to_owned() });
            }
            None => subject = (number, offset, line),
        }
        offset += line.len();
    }
    found
}

/// Column, width and message, if the line is an annotation.
fn annotation(line: &str) -> Option<(usize, usize, &str)> {
    let rest = line.trim_start().strip_prefix("//")?.trim_start();
    let message = rest.trim_start_matches('^');
    let width = rest.len() - message.len();
    (width > 0).then(|| (line.len() - rest.len(), width, message.trim()))
}

fn size(offset: usize) -> TextSize {
    TextSize::try_from(offset).expect("invariant: a fixture is smaller than 4 GiB")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_taken_out() {
        let marked = markers("a$1b$$0 $x c");
        assert_eq!(marked.text, "ab$ $x c");
        assert_eq!(marked.cursors, [TextSize::new(3), TextSize::new(1)]);
        assert_eq!(markers("plain"), Marked { text: "plain".into(), ..Marked::default() });
    }

    #[test]
    #[should_panic(expected = "cursors must be numbered")]
    fn cursors_must_be_numbered() {
        markers("$0 $2");
    }

    #[test]
    fn annotations_point_to_the_line_above() {
        let text =
            "int a;\n  $0x = yy + z;\n  //  ^^ Undefined variable 'yy'\n  //       ^ no z\nend\n";
        let marked = markers(text);
        let found: Vec<_> = marked
            .annotations
            .iter()
            .map(|note| (note.line, &marked.text[note.range], note.message.as_str()))
            .collect();
        assert_eq!(found, [(2, "yy", "Undefined variable 'yy'"), (2, "z", "no z")]);
        assert_eq!(markers("// plain\n").annotations, []);
    }

    #[test]
    #[should_panic(expected = "points behind the end of line 1")]
    fn annotations_must_point_to_something() {
        markers("x\n// ^ here\n");
    }
}
