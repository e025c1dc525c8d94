//! What refers to what.

use super::{Act, Function, Id, Item, Kind, Len, Program, Statement, Ty, Value};
use std::collections::BTreeSet;

impl Ty {
    fn uses(&self, with: &mut dyn FnMut(Id)) {
        match self {
            Ty::Prim(_) | Ty::Param(_) => {}
            Ty::Named(id) => with(*id),
            Ty::Instance(id, argument) => {
                with(*id);
                argument.uses(with);
            }
            Ty::Array(element, length) => {
                if let Len::Const(id) = length {
                    with(*id);
                }
                element.uses(with);
            }
            Ty::Slice(element) => element.uses(with),
        }
    }
}

impl Statement {
    /// What it refers to itself, without what it contains.
    pub fn own_uses(&self, with: &mut dyn FnMut(Id)) {
        match &self.act {
            Act::Const(id)
            | Act::Global(id)
            | Act::SetGlobal(id)
            | Act::Call(id)
            | Act::FunctionValue(id)
            | Act::Method(id, _)
            | Act::Operate(id)
            | Act::Match(id)
            | Act::Dynamic(id) => with(*id),
            Act::Instance(id, ty) => {
                with(*id);
                ty.uses(with);
            }
            Act::Make(ty) | Act::Move(ty) | Act::Measure(ty) => ty.uses(with),
            _ => {}
        }
    }
    fn uses(&self, with: &mut dyn FnMut(Id)) {
        self.own_uses(with);
        self.inner.iter().for_each(|statement| statement.uses(with));
    }
}

impl Function {
    /// What the signature refers to.
    pub fn signature_uses(&self, with: &mut dyn FnMut(Id)) {
        self.params.iter().map(|param| &param.ty).chain(&self.ret).for_each(|ty| ty.uses(with));
    }
    fn uses(&self, with: &mut dyn FnMut(Id)) {
        self.signature_uses(with);
        self.body.iter().for_each(|statement| statement.uses(with));
    }
}

impl Item {
    /// What it refers to outside of statements.
    pub fn firm_uses(&self, with: &mut dyn FnMut(Id)) {
        match &self.kind {
            Kind::Const { ty, value, .. } => {
                ty.uses(with);
                if let Value::More(id, _) = value {
                    with(*id);
                }
            }
            Kind::Global { ty, .. } | Kind::Alias { ty } => ty.uses(with),
            Kind::Function { function, .. } => function.signature_uses(with),
            Kind::Struct { fields, .. } => fields.iter().for_each(|field| field.ty.uses(with)),
            Kind::Enum { variants } => {
                variants.iter().filter_map(|v| v.payload.as_ref()).for_each(|ty| ty.uses(with));
            }
            Kind::Interface { methods } => {
                methods.iter().for_each(|method| method.signature_uses(with));
            }
            Kind::Impl { of, interface, methods, .. } => {
                with(*of);
                interface.iter().for_each(|&id| with(id));
                methods.iter().for_each(|method| method.signature_uses(with));
            }
        }
    }
    /// Everything that it refers to.
    pub fn uses(&self) -> BTreeSet<Id> {
        let mut uses = BTreeSet::new();
        let with: &mut dyn FnMut(Id) = &mut |id| {
            uses.insert(id);
        };
        self.firm_uses(with);
        match &self.kind {
            Kind::Function { function, .. } => function.uses(with),
            Kind::Impl { methods, .. } => methods.iter().for_each(|method| method.uses(with)),
            _ => {}
        }
        uses
    }
}

impl Program {
    /// Deletes a declaration, the statements that refer to it, and what cannot be without it.
    pub fn delete(&mut self, id: Id) {
        let mut gone = vec![id];
        while let Some(id) = gone.pop() {
            self.items.retain(|item| item.id != id);
            let without = |item: &&Item| {
                let mut needs = false;
                item.firm_uses(&mut |used| needs |= used == id);
                needs
            };
            gone.extend(self.items.iter().filter(without).map(|item| item.id));
        }
        self.sweep();
    }

    /// Drops the statements that refer to what is not there.
    pub fn sweep(&mut self) {
        let mut known: BTreeSet<Id> = self.items.iter().map(|item| item.id).collect();
        for item in &self.items {
            if let Kind::Impl { methods, .. } = &item.kind {
                known.extend(methods.iter().map(|method| method.id));
            }
        }
        let operators: BTreeSet<Id> = self
            .items
            .iter()
            .filter(|item| matches!(&item.kind, Kind::Impl { operator: Some(_), .. }))
            .map(|item| item.id)
            .collect();
        let is_there = |statement: &Statement| {
            let mut all = true;
            statement.own_uses(&mut |id| all &= known.contains(&id));
            all && match statement.act {
                Act::Method(_, method) => known.contains(&method),
                Act::Operate(id) => operators.contains(&id),
                _ => true,
            }
        };
        self.bodies_mut().for_each(|function| keep(&mut function.body, &is_there));
    }

    /// Drops one statement. Returns whether there was one.
    pub fn drop_statement(&mut self, id: Id) -> bool {
        let before = self.statements().len();
        self.bodies_mut().for_each(|function| keep(&mut function.body, &|of| of.id != id));
        self.statements().len() < before
    }

    /// Changes statements, wherever they are.
    pub fn each_statement(&mut self, change: &mut dyn FnMut(&mut Statement)) {
        fn visit(statements: &mut [Statement], change: &mut dyn FnMut(&mut Statement)) {
            for statement in statements {
                change(statement);
                visit(&mut statement.inner, change);
            }
        }
        self.bodies_mut().for_each(|function| visit(&mut function.body, change));
    }

    /// The numbers of all statements.
    pub fn statements(&self) -> Vec<Id> {
        fn collect(statements: &[Statement], into: &mut Vec<Id>) {
            for statement in statements {
                into.push(statement.id);
                collect(&statement.inner, into);
            }
        }
        let mut all = Vec::new();
        self.bodies().for_each(|(_, function)| collect(&function.body, &mut all));
        all
    }
}

fn keep(statements: &mut Vec<Statement>, is_there: &dyn Fn(&Statement) -> bool) {
    statements.retain(is_there);
    statements.iter_mut().for_each(|statement| keep(&mut statement.inner, is_there));
}
