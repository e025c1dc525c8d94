//! What makes a model a right program. An edit that breaks it is not done.

use super::{
    Act, Bound, Derive, Function, Id, Item, Kind, Len, Link, Operator, Param, Program, Statement,
    Ty, Value,
};
use std::collections::BTreeSet;

impl Program {
    /// Whether the text of the model is a right program.
    pub fn is_right(&self) -> bool {
        let names: BTreeSet<&str> = self.named().map(|item| item.name.as_str()).collect();
        let paths: BTreeSet<&str> = self.modules.iter().map(|m| m.path.as_str()).collect();
        names.len() == self.named().count()
            && paths.len() == self.modules.len()
            && self.items.iter().all(|item| self.item_is_right(item))
            && self.impls_are_distinct()
            && self.links_are_right()
    }

    /// Whether the text of the model can be printed at all, right or wrong.
    pub fn holds_together(&self) -> bool {
        let ranks = |item: &Item| match &item.kind {
            Kind::Struct { fields, .. } => {
                fields.iter().all(|field| self.rank(&field.ty) < item.id)
            }
            Kind::Enum { variants } => {
                !variants.is_empty()
                    && variants.iter().flat_map(|v| &v.payload).all(|ty| self.rank(ty) < item.id)
            }
            Kind::Alias { ty } => self.rank(ty) < item.id,
            _ => true,
        };
        self.items.iter().all(ranks) && self.links_are_right()
    }

    fn named(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| !item.name.is_empty())
    }

    fn item_is_right(&self, item: &Item) -> bool {
        let place = self.place(item.module);
        // Implementations are not named where they are used.
        let visible = |id: &Id| {
            self.item(*id).is_some_and(|used| {
                matches!(used.kind, Kind::Impl { .. }) || self.place(used.module) >= place
            })
        };
        // What they say is: a call of a method writes down the type of its result.
        let through_impls = |id: &Id| {
            self.item(*id).filter(|used| matches!(used.kind, Kind::Impl { .. })).is_none_or(
                |used| {
                    let mut all = true;
                    used.firm_uses(&mut |said| all &= visible(&said));
                    all
                },
            )
        };
        let uses = item.uses();
        uses.iter().all(visible) && uses.iter().all(through_impls) && self.kind_is_right(item)
    }

    fn kind_is_right(&self, item: &Item) -> bool {
        match &item.kind {
            Kind::Struct { fields, derives, .. } => {
                distinct(fields.iter().map(|field| &field.name))
                    && fields.iter().all(|field| {
                        self.rank(&field.ty) < item.id
                            && self.lengths_are_right(&field.ty)
                            && derives.iter().all(|&derive| self.derivable(derive, &field.ty))
                    })
            }
            Kind::Enum { variants } => {
                let ranks = |ty: &Ty| self.rank(ty) < item.id;
                !variants.is_empty()
                    && distinct(variants.iter().map(|variant| &variant.name))
                    && variants.iter().filter_map(|v| v.payload.as_ref()).all(ranks)
                    && variants
                        .iter()
                        .filter_map(|v| v.payload.as_ref())
                        .all(|ty| self.lengths_are_right(ty))
            }
            Kind::Global { ty, .. } => self.lengths_are_right(ty),
            Kind::Alias { ty } => self.rank(ty) < item.id && self.lengths_are_right(ty),
            Kind::Const { value: Value::More(id, _), .. } => *id < item.id && self.is_length(*id),
            Kind::Interface { methods } => {
                distinct(methods.iter().map(|method| &method.name))
                    && methods.iter().all(|method| self.function_is_right(method))
            }
            Kind::Function { function, is_macro } => {
                let simple = function.ret == Some(Ty::Prim("long")) && function.generics.is_empty();
                let defaults = function.params.iter().any(|param| param.default.is_some());
                self.function_is_right(function) && (!is_macro || simple && !defaults)
            }
            Kind::Impl { of, methods, operator, .. } => {
                methods.iter().all(|method| self.function_is_right(method))
                    && operator.as_ref().is_none_or(|of_it| self.operator_is_right(*of, of_it))
            }
            _ => true,
        }
    }

    fn function_is_right(&self, function: &Function) -> bool {
        let of_t = |ty: &Ty| *ty == Ty::Param(0);
        let given = function.params.iter().any(|param| of_t(&param.ty));
        let required = |param: &Param| param.default.is_none();
        distinct(function.params.iter().map(|param| &param.name))
            && function.params.iter().map(|p| &p.ty).chain(&function.ret).all(|ty| self.lengths_are_right(ty))
            // Once one has a default, all later ones have.
            && function.params.iter().rev().skip_while(|param| !required(param)).all(required)
            && (given || function.generics.is_empty())
            && self.statements_are_right(&function.body)
    }

    fn operator_is_right(&self, of: Id, operator: &Operator) -> bool {
        match self.item(of).map(|item| &item.kind) {
            Some(Kind::Struct { generic: false, derives, .. }) => match operator.token {
                "==" => !derives.contains(&Derive::Eq),
                "<" => !derives.contains(&Derive::Ord),
                _ => true,
            },
            _ => false,
        }
    }

    /// Whether a constant can be a length.
    pub fn is_length(&self, id: Id) -> bool {
        let kind = self.item(id).map(|item| &item.kind);
        matches!(kind, Some(Kind::Const { ty: Ty::Prim("int"), .. }))
    }

    fn lengths_are_right(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Array(element, length) => {
                let right = match length {
                    Len::Number(_) => true,
                    Len::Const(id) => self.is_length(*id),
                };
                right && self.lengths_are_right(element)
            }
            Ty::Slice(element) => self.lengths_are_right(element),
            _ => true,
        }
    }

    /// Whether a field of a type lets a struct derive something.
    pub fn derivable(&self, derive: Derive, ty: &Ty) -> bool {
        match self.resolved(ty) {
            _ if derive == Derive::Clone => true,
            Ty::Prim("bool") => derive != Derive::Ord,
            Ty::Prim(_) | Ty::Param(_) => true,
            Ty::Named(id) => match self.item(*id).map(|item| &item.kind) {
                Some(Kind::Struct { derives, .. }) => derives.contains(&derive),
                _ => false,
            },
            _ => false,
        }
    }

    fn statements_are_right(&self, statements: &[Statement]) -> bool {
        statements.iter().all(|statement| {
            let bound = match &statement.act {
                Act::Instance(id, ty) => self.function(*id).is_none_or(|function| {
                    function.generics.iter().all(|&bound| self.has(ty, bound))
                }),
                Act::Match(id) => {
                    matches!(self.item(*id).map(|item| &item.kind), Some(Kind::Enum { .. }))
                }
                _ => true,
            };
            bound && self.statements_are_right(&statement.inner)
        })
    }

    /// Types contain older ones only.
    pub(super) fn rank(&self, ty: &Ty) -> Id {
        match ty {
            Ty::Prim(_) | Ty::Param(_) => 0,
            Ty::Named(id) => *id,
            Ty::Instance(id, ty) => self.rank(ty).max(*id),
            Ty::Array(ty, Len::Const(_) | Len::Number(_)) | Ty::Slice(ty) => self.rank(ty),
        }
    }

    /// One implementation for a pair, and no method twice on a type.
    fn impls_are_distinct(&self) -> bool {
        let mut pairs = BTreeSet::new();
        let mut members = BTreeSet::new();
        let mut operators = BTreeSet::new();
        self.items.iter().all(|item| {
            let Kind::Impl { of, interface, methods, operator } = &item.kind else { return true };
            let names: Vec<&String> = match interface.and_then(|id| self.item(id)) {
                Some(Item { kind: Kind::Interface { methods }, .. }) => {
                    methods.iter().map(|method| &method.name).collect()
                }
                _ => methods.iter().map(|method| &method.name).collect(),
            };
            let new_pair = interface.is_none_or(|interface| pairs.insert((*of, interface)));
            let new_operator =
                operator.as_ref().is_none_or(|operator| operators.insert((*of, operator.token)));
            new_pair && new_operator && names.into_iter().all(|name| members.insert((*of, name)))
        })
    }

    fn links_are_right(&self) -> bool {
        self.modules.iter().enumerate().all(|(place, module)| {
            module.links.iter().all(|(&to, link)| match link {
                // A hub stands between.
                Link::Through(hub) => {
                    let hub_place = self.place(*hub);
                    place < hub_place
                        && hub_place < self.place(to)
                        && self.modules[hub_place].id == *hub
                }
                _ => true,
            })
        })
    }

    /// Types that fit a bound, of declarations that the module at `place` may use.
    pub fn types_with(&self, bound: Bound, place: usize) -> Vec<Ty> {
        let prims = ["int", "long", "short", "ulong", "char", "double", "string", "bool"];
        let prims = prims.into_iter().map(Ty::Prim);
        let named = self.items.iter().filter(|item| {
            self.place(item.module) >= place
                && match &item.kind {
                    Kind::Struct { generic, .. } => !generic,
                    Kind::Alias { .. } => true,
                    Kind::Enum { .. } => bound == Bound::None,
                    _ => false,
                }
        });
        let all = prims.chain(named.map(|item| Ty::Named(item.id)));
        all.filter(|ty| self.has(ty, bound)).collect()
    }
}

fn distinct<'a>(mut names: impl Iterator<Item = &'a String>) -> bool {
    let mut seen = BTreeSet::new();
    names.all(|name| seen.insert(name))
}
