//! Names that are alike, for suggestions.

use cm_base::Name;

/// How like two names must be, from 0 to 1.
const ALIKE: f64 = 0.75;

/// `; did you mean 'x'?`, if one of the names is like this one; of several the likest, and of these
/// the first in the alphabet.
pub(crate) fn meant(name: Name, candidates: impl IntoIterator<Item = Name>) -> String {
    let mut best: Option<(f64, Name)> = None;
    for candidate in candidates {
        let likeness = strsim::jaro_winkler(&name, &candidate);
        // One letter is like everything.
        let alike = likeness >= ALIKE && strsim::damerau_levenshtein(&name, &candidate) <= 2;
        let better = best.is_none_or(|(most, known)| {
            likeness > most || likeness == most && candidate.as_str() < known.as_str()
        });
        if alike && better && candidate != name {
            best = Some((likeness, candidate));
        }
    }
    best.map_or_else(String::new, |(_, found)| guess(&found))
}

/// Names of the library that programs use most, and where they are.
const LIBRARY: &[(&str, &str)] = &[
    ("HashMap", "std::collections::HashMap"),
    ("Option", "std::core::Option"),
    ("Queue", "std::collections::Queue"),
    ("Result", "std::core::Result"),
    ("Vector", "std::collections::Vector"),
    ("__panic__", "std::core::panic"),
    ("abs", "std::math::abs"),
    ("clamp", "std::core::clamp"),
    ("eprint", "std::io::eprint"),
    ("eprintln", "std::io::eprintln"),
    ("gcd", "std::math::gcd"),
    ("input", "std::io::input"),
    ("input_int", "std::io::input_int"),
    ("join", "std::text::join"),
    ("max", "std::core::max"),
    ("min", "std::core::min"),
    ("panic", "std::core::panic"),
    ("parse_int", "std::text::parse_int"),
    ("range", "std::iter::range"),
    ("read_file", "native::io::read_file"),
    ("spawn", "native::thread::spawn"),
    ("split", "std::text::split"),
    ("sqrt", "native::math::sqrt"),
    ("swap", "std::iter::swap"),
    ("write_file", "native::io::write_file"),
];

/// The same for names that may also be forgotten imports of the library.
pub(crate) fn meant_or_import(name: Name, candidates: impl IntoIterator<Item = Name>) -> String {
    let known = LIBRARY.iter().find(|(known, _)| name == *known);
    known.map_or_else(|| meant(name, candidates), |(_, path)| guess(path))
}

fn guess(name: &str) -> String {
    format!("; did you mean '{name}'?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised() {
        let of =
            |name: &str, names: &[&str]| meant(Name::new(name), names.iter().map(|n| Name::new(n)));
        assert_eq!(of("lenght", &["width", "length"]), "; did you mean 'length'?");
        assert_eq!(of("cuont", &["count", "counts"]), "; did you mean 'count'?");
        assert_eq!(of("x", &["y", "a"]), "");
        assert_eq!(of("total", &["t", "other"]), "");
    }

    #[test]
    fn names_of_the_library_are_sorted() {
        assert!(LIBRARY.is_sorted());
    }
}
