//! Lowering of typed bodies to MIR, instances and code-generation units.
