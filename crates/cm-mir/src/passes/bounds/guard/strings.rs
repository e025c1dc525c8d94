//! Bytes of strings, which are 0 where the index is out of range.

use super::{Guard, Wide, local_of};
use crate::{
    mir::*,
    runtime::Rt,
    ty::{Known, TyKind},
};
use rustc_hash::FxHashMap;

/// How a byte is read whose index is in range.
pub(in super::super) struct Byte {
    /// The address of the first byte.
    pub data: LocalId,
    /// The index.
    pub index: Wide,
}

impl Guard<'_> {
    /// Requires that the indices of bytes are in range; where in the body those are for which that is
    /// possible: the positions of block and statement.
    pub(super) fn bytes(&mut self) -> FxHashMap<(usize, usize), Byte> {
        let mut bytes = FxHashMap::default();
        let mut texts = Vec::new();
        for (position, block) in self.inner.body.iter().enumerate() {
            if !self.looks_at(position) {
                continue;
            }
            for (index, stmt) in self.function.blocks[*block].stmts.iter().enumerate() {
                if let Stmt::Call { callee: Callee::Runtime(Rt::StrAt), args, .. } = stmt
                    && let [text, at] = &args[..]
                    && let Some((text, wide)) = self.byte(text, at, position)
                {
                    texts.push(((position, index), text, wide));
                }
            }
        }
        self.flush();
        for (place, text, index) in texts {
            let pointer = Known::get().ptr;
            let data = self.emit(pointer, Rvalue::Cast(Operand::copy(text), pointer));
            if let Some(data) = local_of(&data) {
                bytes.insert(place, Byte { data, index });
            }
        }
        bytes
    }

    /// Requires that the index is in range in every round.
    fn byte(&mut self, text: &Operand, index: &Operand, at: usize) -> Option<(LocalId, Wide)> {
        let text = self.invariant(text, at)?;
        let local = local_of(&text)?;
        if *self.operand_ty(&text)?.get() != TyKind::Str {
            return None;
        }
        let value = self.linear(index, at)?;
        let word = Known::get().u64;
        let len = self.emit(word, Rvalue::Unary(UnOp::Len, text));
        for end in [&value.first, &value.last] {
            let end = self.emit(word, Rvalue::Cast(end.clone(), word));
            self.require(BinOp::Lt, end, len.clone());
        }
        Some((local, value.wide))
    }
}
