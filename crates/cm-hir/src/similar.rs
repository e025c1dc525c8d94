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
    best.map_or_else(String::new, |(_, found)| format!("; did you mean '{found}'?"))
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
}
