//! Functions that count references in values of a type: what the run-time library calls to release
//! the contents of an object, and what the back end calls for types that are not counted field by
//! field.

use crate::{
    mir::*,
    ty::{Known, Ty, TyKind, is_counted},
};
use cm_base::Name;

const FIRST: LocalId = LocalId(1);
const COUNT: LocalId = LocalId(2);
const INDEX: LocalId = LocalId(3);
const SIGNED: LocalId = LocalId(4);
const ELEMENT: LocalId = LocalId(5);
const MORE: LocalId = LocalId(6);
const TAG: LocalId = LocalId(7);

/// What it is to callers: a pointer to the first value, and how many there are.
pub fn decl(symbol: Name) -> Decl {
    let known = Known::get();
    let params = vec![known.ptr, known.u64];
    Decl::new(FnDecl { symbol, params, ret: known.void, abi: Abi::Cm })
}

/// Releases values of a type that is counted.
pub fn release(symbol: Name, ty: Ty) -> Function {
    function(symbol, CountOp::Release, ty)
}

/// Applies an operation to values of a type that is counted, one level deep.
pub fn function(symbol: Name, op: CountOp, ty: Ty) -> Function {
    let known = Known::get();
    // The elements of an array follow one another as the values themselves do.
    let (elem, per_value) = match ty.get() {
        TyKind::Array(elem, len) => (*elem, *len),
        _ => (ty, 1),
    };
    let types =
        [known.void, known.ptr, known.u64, known.u64, known.i64, known.ptr, known.bool, known.u32];
    let locals = types.map(|ty| Local { ty, name: None }).to_vec();
    let word = |n| Operand::constant(known.u64, ConstValue::Int(n));
    let assign =
        |local: LocalId, value| Stmt::Assign { place: local.into(), value, volatile: false };
    let binary = |op, local: LocalId, right| Rvalue::Binary(op, Operand::copy(local), right);
    let entry = Block {
        stmts: vec![
            assign(COUNT, binary(BinOp::Mul, COUNT, word(per_value))),
            assign(INDEX, Rvalue::Use(word(0))),
        ],
        terminator: Terminator::Goto(BlockId(1)),
    };
    let head = Block {
        stmts: vec![assign(MORE, binary(BinOp::Lt, INDEX, Operand::copy(COUNT)))],
        terminator: Terminator::Branch {
            cond: Operand::copy(MORE),
            then: BlockId(2),
            otherwise: BlockId(3),
        },
    };
    let element = Place::from(ELEMENT).project(Projection::Deref(elem));
    let mut body = Block {
        stmts: vec![
            assign(SIGNED, Rvalue::Cast(Operand::copy(INDEX), known.i64)),
            assign(ELEMENT, Rvalue::PtrOffset(Operand::copy(FIRST), Operand::copy(SIGNED), elem)),
            assign(INDEX, binary(BinOp::Add, INDEX, word(1))),
        ],
        terminator: Terminator::Goto(BlockId(1)),
    };
    let exit = Block { stmts: Vec::new(), terminator: Terminator::Return };
    let mut payloads = Vec::new();
    match elem.get() {
        TyKind::Tagged { variants, .. } if elem == ty => {
            body.stmts.push(assign(TAG, Rvalue::Tag(element.clone())));
            let mut cases = Vec::new();
            for (tag, _) in (0..).zip(variants).filter(|(_, variant)| is_counted(**variant)) {
                let place = element.clone().project(Projection::Variant(tag));
                cases.push((u64::from(tag), BlockId(4 + payloads.len() as u32)));
                payloads.push(Block {
                    stmts: vec![Stmt::Count { op, place }],
                    terminator: Terminator::Goto(BlockId(1)),
                });
            }
            let value = Operand::copy(TAG);
            body.terminator = Terminator::Switch { value, cases, default: BlockId(1) };
        }
        _ => body.stmts.push(Stmt::Count { op, place: element }),
    }
    let blocks = [entry, head, body, exit].into_iter().chain(payloads).collect();
    Function { decl: decl(symbol), env: None, locals, blocks }
}

/// How the places in a value are counted.
pub enum Shape {
    /// There are no references in it.
    Nothing,
    /// It is one itself.
    Reference,
    /// Each of these fields by itself.
    Fields(Vec<u32>),
    /// By a function.
    Function,
}

/// How values of a type are counted.
pub fn shape(ty: Ty) -> Shape {
    match ty.get() {
        kind if kind.is_reference() => Shape::Reference,
        TyKind::Struct { fields, .. } => {
            let counted = (0..).zip(fields).filter(|(_, field)| is_counted(**field));
            let fields: Vec<u32> = counted.map(|(index, _)| index).collect();
            if fields.is_empty() { Shape::Nothing } else { Shape::Fields(fields) }
        }
        TyKind::Array(..) | TyKind::Tagged { .. } if is_counted(ty) => Shape::Function,
        _ => Shape::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_well_formed() {
        let str = TyKind::Str.intern();
        let pair = TyKind::Struct { name: "Pair".into(), fields: vec![str, TyKind::Func.intern()] };
        let pair = pair.intern();
        let variants = vec![TyKind::Void.intern(), str, TyKind::Bool.intern(), pair];
        let tagged = TyKind::Tagged { name: "Either".into(), variants }.intern();
        for ty in [str, pair, tagged, TyKind::Array(tagged, 7).intern()] {
            for op in [CountOp::Retain, CountOp::Release] {
                crate::verify(&function("glue".into(), op, ty)).expect("glue is right");
            }
        }
    }
}
