//! Lowering of typed bodies to MIR, instances and code-generation units.

mod builder;
mod consts;
mod glue;
mod item;
mod linkage;
mod lower;
mod reach;
mod types;
mod units;

pub use item::Item;
pub use linkage::Linkage;
pub use reach::Reachable;
pub use units::{Partition, UnitId, assemble, closure};

use cm_hir::ty::Ty;
use cm_mir::mir::{Function, Global};
use redgreen::Root;
use std::{collections::BTreeMap, sync::Arc};

/// The MIR of an item.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Lowered {
    /// The item's function, then its lambdas and helpers.
    pub functions: Vec<Function>,
    /// Static locals, method tables and large constants; the global itself.
    pub globals: Vec<Global>,
    /// What it refers to, sorted.
    pub refs: Vec<Item>,
}

redgreen::queries! {
    /// All queries of this crate.
    pub static QUERIES;

    /// The MIR type of a struct, enum or union type.
    inline fn mir_ty(Ty) -> cm_mir::ty::Ty = types::compute;
    /// The MIR of an item. `None`: it has no body, or a wrong one.
    relay fn mir(Item) -> Option<Arc<Lowered>> = reach::mir;
    /// The items that an item refers to, sorted.
    inline fn mir_refs(Item) -> Vec<Item> = reach::refs;
    /// The items of the program.
    inline fn reachable(Root) -> Reachable = reach::reachable;
    /// The items of the program by unit.
    transient fn partition(Root) -> Arc<Partition> = units::partition;
    /// The units of the program, sorted.
    inline fn units(Root) -> Vec<UnitId> = units::units;
    /// The items of a unit.
    inline fn unit_members(UnitId) -> Vec<Item> = units::members;
    /// How the units of the program hang together.
    transient fn linkages(Root) -> Arc<BTreeMap<UnitId, Linkage>> = linkage::linkages;
    /// How a unit hangs together with the others.
    inline fn linkage(UnitId) -> Linkage = linkage::linkage;
    /// Whether units that refer to a function may take it in.
    inline fn is_small(Item) -> bool = linkage::is_small;
    /// A unit, encoded (`cm_mir::unit::Unit`), without the names of variables.
    transient fn unit(UnitId) -> Arc<[u8]> = units::unit;
}
