//! `docs/tour.md`: its programs do what it says.

use crate::Place;

/// A block of code: what stands after its fence, and its text.
struct Block {
    info: String,
    text: String,
    line: usize,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (line, text) in (1..).zip(page.lines()) {
        match (text.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => {
                open = Some(Block { info: info.to_owned(), text: String::new(), line });
            }
            (None, Some(block)) => {
                block.text += text;
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

#[test]
fn programs_of_the_tour_print_what_it_shows() {
    let page = include_str!("../../../../docs/tour.md");
    let place = Place::new(&[]);
    let (mut count, mut wrong) = (0, String::new());
    let blocks = blocks(page);
    for (n, block) in blocks.iter().enumerate() {
        let Some(info) = block.info.strip_prefix("cm") else { continue };
        let info = info.trim();
        if let Some(file) = info.strip_prefix("file=") {
            place.write(file, &block.text);
            continue;
        }
        place.write("tour.cm", &block.text);
        let shown = blocks.get(n + 1).filter(|next| next.info == "text").map(|next| &next.text);
        let expected = shown.unwrap_or_else(|| panic!("line {}: no output is shown", block.line));
        let found = place.cm("run tour.cm");
        let (output, exit) = match info.strip_prefix("exit=") {
            _ if info == "error" => (&found.stderr, 1),
            Some(exit) => (&found.stdout, exit.parse().expect("a status")),
            None => (&found.stdout, 0),
        };
        if output != expected || found.exit != exit {
            wrong += &format!("line {}: {found:#?}\n", block.line);
        }
        let formatted = place.cm("fmt --check tour.cm");
        if formatted.exit != 0 {
            wrong += &format!("line {} is not formatted:\n{}", block.line, formatted.stdout);
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(count > 12);
}
