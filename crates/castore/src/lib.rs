//! Content-addressed store: digest to bytes, verified on every read.
