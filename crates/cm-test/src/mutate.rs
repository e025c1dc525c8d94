//! Damage: to tokens, to bytes, by pieces of other programs, by depth and by length.

use crate::random::Random;
use std::ops::Range;

/// A program, and what it was before an edit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Case {
    /// The text before, if the case is about an edit.
    pub before: Option<String>,
    /// The text.
    pub text: String,
}

/// Texts do not grow beyond this by much.
const LONGEST: usize = 60_000;

/// The case of a step.
pub fn case(seeds: &[String], seed: u64, step: u64) -> Case {
    let mut random = Random::new(seed, step);
    let before = seeds.get(random.below(seeds.len())).cloned().unwrap_or_default();
    let mut text = before.clone();
    for _ in 0..1 + random.below(4) * random.below(3) {
        let other = seeds.get(random.below(seeds.len())).map_or("", String::as_str);
        mutate(&mut text, other, &mut random);
    }
    Case { before: random.one_in(3).then_some(before), text }
}

fn mutate(text: &mut String, other: &str, random: &mut Random) {
    match random.below(20) {
        0 => bytes(text, random),
        1 => deep(text, random),
        2 => long(text, random),
        3..=5 => lines(text, other, random),
        6 => splice(text, other, random),
        _ => tokens(text, other, random),
    }
}

/// Where the tokens of a text are: words, numbers, strings, white space, and single characters.
fn split(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, first)) = chars.next() {
        let mut end = start + first.len_utf8();
        let class = class(first);
        if class == Class::Quote {
            let mut escaped = false;
            for (at, c) in chars.by_ref() {
                end = at + c.len_utf8();
                if !escaped && c == first || c == '\n' {
                    break;
                }
                escaped = !escaped && c == '\\';
            }
        } else if class != Class::Single {
            while let Some((at, c)) = chars.next_if(|(_, c)| self::class(*c) == class) {
                end = at + c.len_utf8();
            }
        }
        found.push(start..end);
    }
    found
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Word,
    Space,
    Operator,
    Quote,
    Single,
}

fn class(c: char) -> Class {
    match c {
        '_' | 'a'..='z' | 'A'..='Z' | '0'..='9' => Class::Word,
        ' ' | '\t' | '\n' => Class::Space,
        '"' | '\'' => Class::Quote,
        '+' | '-' | '*' | '/' | '%' | '=' | '<' | '>' | '&' | '|' | '^' | ':' | '.' => {
            Class::Operator
        }
        _ => Class::Single,
    }
}

/// Exchanges, repeats, deletes or inserts tokens.
fn tokens(text: &mut String, other: &str, random: &mut Random) {
    let own = split(text);
    let visible: Vec<Range<usize>> =
        own.iter().filter(|range| !text[(*range).clone()].trim().is_empty()).cloned().collect();
    let Some(at) = visible.get(random.below(visible.len())).cloned() else { return };
    let new = match random.below(4) {
        0 => {
            let theirs = split(other);
            theirs.get(random.below(theirs.len())).map_or("", |range| &other[range.clone()])
        }
        1 | 2 => similar(text, &at, &visible, random),
        _ => random.pick(PIECES).unwrap_or_default(),
    };
    let new = new.to_owned();
    match random.below(6) {
        0 => text.replace_range(at, ""),
        1 => text.insert_str(at.start, &format!("{new} ")),
        2 => {
            let copy = format!(" {}", &text[at.clone()]);
            text.insert_str(at.end, &copy);
        }
        _ => text.replace_range(at, &new),
    }
}

/// A token of the same kind from the same text, or from the lists below.
fn similar<'a>(
    text: &'a str,
    at: &Range<usize>,
    visible: &[Range<usize>],
    random: &mut Random,
) -> &'a str {
    let token = &text[at.clone()];
    if let Some(list) = ALIKE.iter().find(|list| list.contains(&token))
        && !random.one_in(4)
    {
        return random.pick(list).unwrap_or_default();
    }
    let kind = |token: &str| token.chars().next().map(class);
    for _ in 0..20 {
        let Some(range) = visible.get(random.below(visible.len())) else { break };
        let found = &text[range.clone()];
        if kind(found) == kind(token) && found != token {
            return found;
        }
    }
    ""
}

/// Changes bytes; what is not UTF-8 then becomes replacement characters.
fn bytes(text: &mut String, random: &mut Random) {
    let mut bytes = std::mem::take(text).into_bytes();
    for _ in 0..1 + random.below(3) {
        let at = random.below(bytes.len() + 1);
        let byte = random.below(256) as u8;
        match random.below(3) {
            0 => bytes.insert(at, byte),
            1 => bytes.truncate(at.max(1)),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|old| *old = byte),
        }
    }
    *text = String::from_utf8_lossy(&bytes).into_owned();
}

/// Deletes, repeats, exchanges lines, or takes one of another program.
fn lines(text: &mut String, other: &str, random: &mut Random) {
    let mut lines: Vec<&str> = text.lines().collect();
    let theirs: Vec<&str> = other.lines().collect();
    let (from, to) = (random.below(lines.len()), random.below(lines.len()));
    if lines.is_empty() {
        return;
    }
    match random.below(4) {
        0 => drop(lines.remove(from)),
        1 => lines.insert(to, lines[from]),
        2 => lines.swap(from, to),
        _ => lines.insert(to, theirs.get(random.below(theirs.len())).copied().unwrap_or_default()),
    }
    *text = lines.join("\n") + "\n";
}

/// Puts a top-level declaration of another program, or the whole of it, to the end.
fn splice(text: &mut String, other: &str, random: &mut Random) {
    let starts: Vec<usize> = other
        .match_indices('\n')
        .map(|(at, _)| at + 1)
        .filter(|at| other[*at..].starts_with(|c: char| c.is_ascii_alphabetic()))
        .collect();
    let Some(start) = starts.get(random.below(starts.len())).copied() else { return };
    let end = starts.iter().copied().find(|end| *end > start).unwrap_or(other.len());
    let piece = if random.one_in(4) { other } else { &other[start..end] };
    if text.len() + piece.len() < LONGEST {
        text.push_str(piece);
    }
}

/// Puts a few tokens into many brackets or behind many prefixes.
fn deep(text: &mut String, random: &mut Random) {
    let Some(range) = some_tokens(text, random) else { return };
    let Some((open, close)) = random.pick(NESTS).copied() else { return };
    let deepest = [5, 60, 300, 5000][random.below(4)];
    let depth = (1 + random.below(deepest)).min(LONGEST / (open.len() + close.len()));
    let piece = &text[range.clone()];
    let nested = format!("{}{piece}{}", open.repeat(depth), close.repeat(depth));
    text.replace_range(range, &nested);
}

/// Repeats a few tokens many times, without line ends.
fn long(text: &mut String, random: &mut Random) {
    let Some(range) = some_tokens(text, random) else { return };
    let piece = text[range.clone()].replace('\n', " ") + " ";
    let times = (1 + random.below(3000)).min(LONGEST / piece.len());
    text.replace_range(range, &piece.repeat(times));
}

fn some_tokens(text: &str, random: &mut Random) -> Option<Range<usize>> {
    let tokens = split(text);
    let first = random.below(tokens.len());
    let last = (first + random.below(6)).min(tokens.len().checked_sub(1)?);
    Some(tokens[first].start..tokens[last].end)
}

const NESTS: &[&(&str, &str)] = &[
    &("(", ")"),
    &("[", "]"),
    &("{", "}"),
    &("{ x: ", " }"),
    &("-", ""),
    &("!", ""),
    &("*", ""),
    &("&", ""),
    &("1 + ", ""),
    &("", " + 1"),
    &("", ".f()"),
    &("", "[0]"),
    &("", "*"),
    &("", "[]"),
    &("", " as int"),
    &("true ? ", " : 1"),
    &("Box<", ">"),
    &("(int x) => ", ""),
    &("match (1) { _ => ", " }"),
    &("if (true) { ", " }"),
    &("if (true) { } else ", ""),
    &("while (true) { ", " }"),
    &("defer { ", " }"),
    &("must { ", " }"),
    &("\"{", "}\""),
    &("namespace N { ", " }"),
    &("sizeof(", ")"),
    &("typeof(", ")"),
    &("x = ", ""),
    &("f(", ")"),
    &("int a; ", ""),
];

/// Tokens that may stand for one another.
const ALIKE: &[&[&str]] = &[
    &[
        "int", "uint", "tiny", "utiny", "short", "long", "ulong", "isize", "usize", "float",
        "double", "ufloat", "bool", "char", "string", "cstring", "void", "auto", "T", "self",
    ],
    &["+", "-", "*", "/", "%", "<<", ">>", "<", ">", "<=", ">=", "==", "!=", "&&", "||", "&", "|"],
    &["=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "<<=", ">>=", "=="],
    &["0", "1", "2", "255", "2147483648", "18446744073709551615", "0x80000000", "0.5", "1e308"],
    &["true", "false", "null", "self", "move", "'a'"],
    &["struct", "enum", "interface", "impl", "typedef", "const", "macro", "static", "export"],
    &["if", "while", "for", "switch", "match", "defer", "must", "return", "break", "continue"],
    &["Eq", "Ord", "Clone", "Copy", "Hash", "Debug", "Display"],
    &[".", "->", "::", "..."],
    &["(", "[", "{", "<"],
    &[")", "]", "}", ">"],
];

/// Text that is put anywhere.
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    ">>",
    ";",
    ",",
    ":",
    "::",
    "=>",
    "=",
    "*",
    "&",
    "|",
    "\"",
    "`",
    "'",
    "\\",
    "#",
    "@",
    "/*",
    "*/",
    "//",
    "\n",
    "é",
    "\0",
    "0x",
    "1.",
    "1e",
    "...",
    "\n#ifdef __CM__\n",
    "\n#end\n",
    "\n#else\n",
    "match (x) { _ => 1 }",
    "\"{x:>5}\"",
    "\"{x}\"",
    "(int x) => x",
    "&x",
    "*x",
    "x++",
    "move x",
    "x as int",
    "x[0]",
    "x[1:2]",
    "x.len()",
    "sizeof(T)",
    "typeof(x)",
    "null",
    "self",
    "Self",
    "[]",
    "[1, 2]",
    "{a: 1}",
    "<T>",
    "<T: Eq>",
    "where T: Ord",
    "int | null",
    "int*(int)",
    "int[3]",
    "int[]",
    "const",
    "static",
    "private",
    "default",
    "overload",
    "operator int +(int o) { return o; }",
    "~self() { }",
    "self() { }",
    "import std::io::println;",
    "__asm__(\"nop\");",
    "1 / 0",
    "-2147483648",
    "x = x",
    "return;",
    "for (int i = 0; i < 3; i++) { }",
    "for (x in y) { }",
    "macro int M = M;",
    "int main() { }",
    "typedef A = A;",
    "struct S { S s; }",
    "enum E { A, B(int) }",
    "#[target(js)]",
    "\u{feff}",
];
