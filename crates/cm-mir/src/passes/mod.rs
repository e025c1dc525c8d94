//! Passes over functions. All are deterministic and take time linear in the function's size.

mod bounds;
mod cfg;
mod counts;
mod joins;
mod locals;
mod propagate;

pub use counts::count_references;
pub use joins::join as join_strings;

use crate::mir::Function;

/// Makes a function smaller without changing what it does. Level 0 is [`clean_up`]; higher levels
/// also remove copies, constants and stores that are not needed. From level 2, loops that count are
/// made without bounds checks.
pub fn optimize(function: &mut Function, level: u8) {
    if level > 0 && !function.blocks.is_empty() {
        cfg::simplify(function);
        propagate::constants(function);
        propagate::copies(function);
        locals::remove_dead_stores(function);
        propagate::destinations(function);
        locals::remove_dead_stores(function);
    }
    if level > 1 && !function.blocks.is_empty() {
        cfg::simplify(function);
        bounds::relax_masked(function);
        bounds::version_loops(function);
    }
    clean_up(function);
}

/// Cleans up the graph and removes locals that are never mentioned. Whether doing it again could find
/// more.
pub fn clean_up(function: &mut Function) -> bool {
    if function.blocks.is_empty() {
        return false;
    }
    let more = cfg::simplify(function);
    locals::remove_unused(function);
    more
}
