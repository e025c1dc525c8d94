//! Test fixtures: several files, markers, edit scripts.
