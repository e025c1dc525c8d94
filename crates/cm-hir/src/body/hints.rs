//! What helps with a mistake: names that are alike, and places of declarations.

use super::ctx::Ctx;
use crate::{
    decl,
    similar::{meant, meant_or_import},
    ty::{Ty, TyKind},
};
use cm_base::{At, Name};
use cm_db::DefId;

const STRING_METHODS: &str = "at charAt contains endsWith first includes indexOf last len \
    length repeat replace size slice startsWith substring toLowerCase toUpperCase trim";

const ARRAY_METHODS: &str = "cap capacity clear contains delete dim every filter find findIndex first forEach includes \
    indexOf last len length map pop push reduce remove reverse size some sort sortBy";

impl Ctx<'_> {
    /// Adds a place of the body to the problem reported last.
    pub fn explain(&mut self, at: Option<At>, message: &str) {
        if let (Some(at), Some(problem)) = (at, self.problems.pop()) {
            self.problems.push(problem.note(at, message));
        }
    }

    /// Adds the name of a definition to the problem reported last.
    pub fn explain_def(&mut self, def: DefId, message: &str) {
        if let Some(problem) = self.problems.pop() {
            self.problems.push(problem.note_def(self.db, def, message));
        }
    }

    /// The variables, functions and constants that a name may be a slip for.
    pub fn meant_value(&self, name: Name) -> String {
        let known = decl::known_names(self.db, self.scope.file);
        meant_or_import(name, self.visible().chain(known))
    }

    /// The fields that a name may be a slip for.
    pub fn meant_field(&self, ty: Ty, name: Name) -> String {
        let TyKind::Struct(def, _) = *ty else { return String::new() };
        let info = decl::struct_info(self.db, def).as_ref();
        meant(name, info.into_iter().flat_map(|info| info.fields.iter().map(|field| field.name)))
    }

    /// The methods that a name may be a slip for.
    pub fn meant_method(&self, ty: Ty, name: Name) -> String {
        let builtin = match *ty {
            TyKind::Str => STRING_METHODS,
            TyKind::Array(..) | TyKind::Slice(_) => ARRAY_METHODS,
            _ => "",
        };
        let builtin = builtin.split_whitespace().map(Name::new);
        meant(name, decl::method_names(self.db, ty).into_iter().chain(builtin))
    }

    /// The variants that a name may be a slip for.
    pub fn meant_variant(&self, ty: Ty, name: Name) -> String {
        let TyKind::Enum(def, _) = *ty else { return String::new() };
        let info = decl::enum_info(self.db, def).as_ref();
        meant(name, info.into_iter().flat_map(|info| info.variants.iter().map(|v| v.name)))
    }
}
