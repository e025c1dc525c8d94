//! What programs are made of, read from `grammar.txt`, where the notation is explained.

/// A part of a template.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// As it is.
    Text(&'static str),
    /// Something to put here: the sign and the name.
    Hole(char, &'static str),
}

/// A way to write an expression or a statement.
pub(super) type Template = Vec<Part>;

/// Types and templates.
pub(super) struct Grammar {
    /// The names of types, and what they are in Cm.
    pub types: Vec<(&'static str, &'static str)>,
    /// Templates by the name of what they make; likely ones several times.
    templates: Vec<(&'static str, Vec<Template>)>,
}

impl Grammar {
    /// The grammar.
    pub fn read() -> Grammar {
        let mut grammar = Grammar { types: Vec::new(), templates: Vec::new() };
        for line in include_str!("grammar.txt").lines().filter(|line| !line.starts_with('#')) {
            let Some((head, rest)) = line.split_once(' ') else { continue };
            let (name, times) = head.split_once('*').unwrap_or((head, "1"));
            match rest.split_at(2) {
                ("= ", ty) => grammar.types.push((name, ty)),
                (_, template) => {
                    let times = times.parse().expect("invariant: a number follows the star");
                    grammar.add(name, parts(template), times);
                }
            }
        }
        grammar
    }

    fn add(&mut self, name: &'static str, template: Template, times: usize) {
        let more = std::iter::repeat_n(template, times);
        match self.templates.iter_mut().find(|(other, _)| *other == name) {
            Some((_, all)) => all.extend(more),
            None => self.templates.push((name, more.collect())),
        }
    }

    /// The ways to write what has this name.
    pub fn templates(&self, name: &str) -> &[Template] {
        self.templates.iter().find(|(other, _)| *other == name).map_or(&[], |(_, all)| all)
    }

    /// A type in Cm.
    pub fn spelled(&self, ty: &str) -> &'static str {
        self.types.iter().find(|(name, _)| *name == ty).map_or("void", |(_, spelled)| spelled)
    }
}

fn parts(mut text: &'static str) -> Template {
    let mut parts = Vec::new();
    while let Some(at) = (0..text.len()).find(|at| begins_hole(&text.as_bytes()[*at..])) {
        let (before, rest) = text.split_at(at);
        let name = &rest[1..];
        let end = match name.starts_with('.') {
            true => 1,
            false => name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len()),
        };
        let sign = char::from(rest.as_bytes()[0]);
        parts.extend([Part::Text(before), Part::Hole(sign, &name[..end])]);
        text = &name[end..];
    }
    parts.push(Part::Text(text));
    parts
}

/// `%` and `?` are operators too, but with a blank after them, and `!` comes before names that are no types.
fn begins_hole(text: &[u8]) -> bool {
    match text {
        [b'%', b'.', ..] => true,
        [b'$' | b'@' | b'?' | b'#' | b'%' | b'!', name, ..] => name.is_ascii_alphanumeric(),
        _ => false,
    }
}
