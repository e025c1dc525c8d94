//! The runtime library that Cm programs link: printing, strings, slices, panics.
