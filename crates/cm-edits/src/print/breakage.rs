//! Texts that are wrong, most often.

use crate::random::Random;

/// Makes a text wrong somewhere.
pub(super) fn damage(text: &str, seed: u64) -> String {
    let random = &mut Random::new(seed);
    let appended = |more: &str| format!("{text}{more}\n");
    match random.below(9) {
        0 => appended("int broken_a() { return undefined_name; }"),
        1 => appended("int broken_b() { return \"text\"; }"),
        2 => format!("import ./nowhere_at_all;\n{text}"),
        3 => appended("struct Broken { Broken inside; }"),
        4 => appended("const int BROKEN = BROKEN + 1;"),
        5 => appended("int broken_c( { return 1; }"),
        6 => without_line(text, random),
        7 => swapped_word(text, random),
        _ => without_characters(text, random),
    }
}

fn without_line(text: &str, random: &mut Random) -> String {
    let count = text.lines().count();
    let gone = random.below(count);
    text.lines()
        .enumerate()
        .filter(|(at, _)| *at != gone)
        .map(|(_, line)| line.to_owned() + "\n")
        .collect()
}

fn without_characters(text: &str, random: &mut Random) -> String {
    let from = random.below(text.len());
    let to = (from + 1 + random.below(4)).min(text.len());
    format!("{}{}", &text[..from], &text[to..])
}

/// One word takes the place of another one.
fn swapped_word(text: &str, random: &mut Random) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words: Vec<&str> = text.split(|c| !is_word(c)).filter(|word| !word.is_empty()).collect();
    let (Some(old), Some(new)) = (random.pick(&words), random.pick(&words)) else {
        return text.to_owned();
    };
    let places: Vec<usize> = text.match_indices(old).map(|(at, _)| at).collect();
    let Some(&at) = random.pick(&places) else { return text.to_owned() };
    format!("{}{new}{}", &text[..at], &text[at + old.len()..])
}
