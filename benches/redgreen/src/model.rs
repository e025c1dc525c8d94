//! The texts, what they mean, and computing all of it.

use std::fmt::Write;

/// How many files there are.
pub const FILES: u32 = 400;
/// How many lines each has.
pub const LINES: u32 = 50;

/// The texts of the files, each with the number of its last change.
pub type Texts = Vec<(u64, String)>;

/// A line: what it adds, and the file and line of what it adds it to; `None`: to nothing.
pub type Line = (u64, Option<(u32, u32)>);

/// Files in which every line refers to one of a smaller number, in this file or another one.
pub fn texts() -> Texts {
    let mut state = 1_u64;
    let mut random = |limit: u32| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as u32 % limit.max(1)
    };
    let mut file = |number: u32| {
        let mut text = String::new();
        for line in 0..LINES {
            let other = random(number + 1);
            let most = if other == number { line } else { LINES };
            match most {
                0 => writeln!(text, "{}", random(1000)),
                most => writeln!(text, "{} {other} {}", random(1000), random(most)),
            }
            .expect("a string can be written");
        }
        (0, text)
    };
    (0..FILES).map(&mut file).collect()
}

/// One line of a file in the middle adds another number.
pub fn edited(texts: &Texts, round: u64) -> Texts {
    let mut texts = texts.clone();
    let (change, text) = &mut texts[FILES as usize / 2 + 3];
    *change += 1;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let rest = lines[7].split_once(' ').map_or(String::new(), |(_, rest)| format!(" {rest}"));
    lines[7] = format!("{}{rest}", 1000 + round);
    *text = lines.iter().map(|line| format!("{line}\n")).collect();
    texts
}

/// A number and what is added to it, as a query of a compiler takes its time: some ten microseconds.
pub fn add(sum: u64, adds: u64) -> u64 {
    (0..4000).fold(sum.wrapping_add(adds), |sum, round: u64| {
        (sum ^ round).wrapping_mul(6_364_136_223_846_793_005)
    })
}

/// The lines of a text.
pub fn parse(text: &str) -> Vec<Line> {
    let line = |line: &str| {
        let mut numbers = line.split(' ').map(|word| word.parse().unwrap_or(0_u64));
        let adds = numbers.next().unwrap_or(0);
        (adds, numbers.next().zip(numbers.next()).map(|(a, b)| (a as u32, b as u32)))
    };
    text.lines().map(line).collect()
}

/// All of it, without queries. How many lines were computed, and the sum.
pub fn plain(texts: &Texts) -> (usize, u64) {
    fn value(lines: &[Vec<Line>], known: &mut [Vec<Option<u64>>], at: (u32, u32)) -> u64 {
        let (file, line) = (at.0 as usize, at.1 as usize);
        if let Some(value) = known[file][line] {
            return value;
        }
        let (adds, to) = lines[file][line];
        let sum = add(to.map_or(0, |to| value(lines, known, to)), adds);
        known[file][line] = Some(sum);
        sum
    }
    let lines: Vec<Vec<Line>> = texts.iter().map(|(_, text)| parse(text)).collect();
    let mut known: Vec<Vec<Option<u64>>> = lines.iter().map(|of| vec![None; of.len()]).collect();
    let mut sum = 0_u64;
    for file in 0..FILES {
        for line in 0..LINES {
            sum = sum.wrapping_add(value(&lines, &mut known, (file, line)));
        }
    }
    ((FILES * LINES) as usize, sum)
}
