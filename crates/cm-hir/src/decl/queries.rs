//! The queries of declarations.

use super::{
    Candidate, EnumInfo, Exports, Found, GenericParam, Head, Impl, ImplIndex, ImplInfo, ImplKey,
    Imports, InterfaceInfo, Item, ItemTree, MemberKey, ModuleGraph, Names, Need, Problem,
    QualifiedName, ScopedName, SignatureInfo, StructInfo, TypeImpls, TypeInfo,
};
use crate::thir::Instance;
use cm_base::{Hashed, Name};
use cm_db::{DefId, FileId};
use cm_syntax::ast;
use redgreen::Root;
use std::{collections::BTreeSet, sync::Arc};

redgreen::queries! {
    /// The queries of this module.
    pub static QUERIES;

    /// The declarations of a file, without bodies.
    transient fn item_tree(FileId) -> Arc<ItemTree> = super::item_tree::compute;
    /// One declaration. `None`: there is no such definition.
    transient fn item(DefId) -> Option<Hashed<Item>> = super::item_tree::compute_item;
    /// The body of a function.
    transient fn function_body(DefId) -> Option<Hashed<ast::Body>> = super::item_tree::compute_body;

    /// The names a file declares.
    inline fn names(FileId) -> Names = super::names::compute;
    /// The functions that foreign code can call.
    inline fn c_functions(Root) -> Vec<DefId> = super::names::compute_c_functions;
    /// The tests of the program, if it is compiled for them.
    inline fn tests(Root) -> Vec<DefId> = super::names::compute_tests;
    /// What the imports of a file bind.
    inline fn imports(FileId) -> Imports = super::imports::compute;
    /// What a file exports.
    inline fn exports(FileId) -> Exports = super::names::compute_exports;
    /// The declarations that a simple name stands for.
    inline fn lookup(ScopedName) -> Found = super::lookup::compute;
    /// The namespaces that a simple name before `::` stands for.
    inline fn lookup_space(ScopedName) -> Found = super::lookup::compute_spaces;
    /// A name in a namespace.
    inline fn lookup_in(QualifiedName) -> Found = super::lookup::compute_in;
    /// The files of the program and how they import one another.
    inline fn module_graph(Root) -> Arc<ModuleGraph> = super::graph::compute_modules;

    /// What a definition needs of others to be computed.
    inline fn references(Need) -> Vec<Need> = super::graph::compute_references;
    /// The globals, aliases and types of a file, which could need themselves.
    inline fn needs(FileId) -> Vec<Need> = super::graph::compute_needs;
    /// What needs itself.
    transient fn cyclic(Root) -> Arc<BTreeSet<Need>> = super::graph::compute_cyclic;
    /// Whether a global or alias needs itself.
    inline fn in_cycle(DefId) -> bool = super::graph::compute_in_cycle;
    /// Whether values of a struct or enum would hold values of itself.
    inline fn contains_itself(DefId) -> bool = super::check::compute_contains_itself;

    /// The type parameters of a struct, enum or interface.
    inline fn generics_of(DefId) -> Vec<GenericParam> = super::info::compute_generics;
    /// A struct.
    inline fn struct_info(DefId) -> Option<Arc<StructInfo>> = super::info::compute_struct;
    /// What a struct derives: the interfaces after `with`. Apart, since few ask for it.
    inline fn derives(DefId) -> Vec<Name> = super::info::compute_derives;
    /// An enum.
    inline fn enum_info(DefId) -> Option<Arc<EnumInfo>> = super::info::compute_enum;
    /// An interface.
    inline fn interface_info(DefId) -> Option<Arc<InterfaceInfo>> = super::info::compute_interface;
    /// What an alias stands for.
    inline fn alias_info(DefId) -> TypeInfo = super::info::compute_alias;
    /// The declared type of a global.
    inline fn global_info(DefId) -> Option<TypeInfo> = super::info::compute_global;
    /// The signature of a function.
    inline fn signature_info(DefId) -> Option<Arc<SignatureInfo>> = super::info::compute_signature;
    /// The header of an impl.
    inline fn impl_info(DefId) -> Option<Arc<ImplInfo>> = super::info::compute_impl;

    /// The impls of a file.
    inline fn impls(FileId) -> Vec<Impl> = super::impls::compute;
    /// The impls of the program.
    transient fn impl_index(Root) -> Arc<ImplIndex> = super::impls::compute_index;
    /// The impls for the types under one head. An impl for another type ends here.
    transient fn type_impls(Head) -> Arc<TypeImpls> = super::impls::compute_type_impls;
    /// The members of one name that impls give the types under one head.
    inline fn members(MemberKey) -> Vec<Candidate> = super::impls::compute_members;
    /// The impls of an interface for the types under one head.
    inline fn interface_impls(ImplKey) -> Vec<Candidate> = super::impls::compute_interface_impls;

    /// What is wrong with the declarations of a file.
    inline fn file_problems(FileId) -> Vec<(DefId, Problem)> = super::check::compute;
    /// What is wrong with the bodies of the functions of a file that are not generic.
    inline fn file_body_problems(FileId) -> Vec<(DefId, Problem)> = super::diagnostics::compute_bodies;
    /// The generic instances that the other functions of a file refer to.
    inline fn file_instances(FileId) -> Vec<Instance> = super::diagnostics::compute_instances;
    /// What is wrong with the generic instances that the program reaches.
    inline fn generic_problems(Root) -> Vec<(DefId, Problem)> =
        super::diagnostics::compute_generic_problems;
    /// Whether a file has lexical or syntax errors.
    inline fn has_syntax_errors(FileId) -> bool = super::diagnostics::compute_has_syntax_errors;
}
