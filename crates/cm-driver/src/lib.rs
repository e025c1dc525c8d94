//! Project discovery, the root database, code-generation units, artifacts and linking.
