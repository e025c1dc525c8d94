//! Reference counts, for the interpreter. A reference to an object that is freed is a trap.

use super::{Run, exec::Machine, memory::GLUE, trap};
use crate::{
    mir::CountOp,
    ty::{Ty, TyKind, field_offsets, layout, payload_offset},
};

impl Machine<'_> {
    /// Counts the references in a value.
    pub fn count(&mut self, op: CountOp, ty: Ty, at: u64) -> Run {
        stacker::maybe_grow(64 << 10, 1 << 20, || self.count_parts(op, ty, at))
    }

    fn count_parts(&mut self, op: CountOp, ty: Ty, at: u64) -> Run {
        match ty.get() {
            TyKind::Str | TyKind::Slice | TyKind::Func => {
                let object = self.memory.load(at, 8)?;
                self.reference(op, ty, object)
            }
            TyKind::Iface => {
                let (object, table) = (self.memory.load(at, 8)?, self.memory.load(at + 8, 8)?);
                if table == 0 || self.memory.load(table, 8)? == 0 {
                    return Ok(());
                }
                self.reference(op, ty, object)
            }
            TyKind::Array(elem, len) => {
                let size = layout(*elem).size;
                (0..*len).try_for_each(|index| self.count(op, *elem, at + index * size))
            }
            TyKind::Struct { fields, .. } => {
                let offsets = field_offsets(fields).0;
                let mut parts = fields.iter().zip(offsets);
                parts.try_for_each(|(field, offset)| self.count(op, *field, at + offset))
            }
            TyKind::Tagged { variants, .. } => {
                let tag = self.memory.load(at, 4)?;
                match variants.get(tag as usize) {
                    Some(payload) => self.count(op, *payload, at + payload_offset(variants)),
                    None => trap(format!("there is no variant {tag}")),
                }
            }
            _ => Ok(()),
        }
    }

    fn reference(&mut self, op: CountOp, ty: Ty, object: u64) -> Run {
        match op {
            CountOp::Retain => self.memory.retain(object),
            CountOp::Forget => Ok(()),
            CountOp::Release if !self.memory.drop_reference(object)? => Ok(()),
            CountOp::Release => self.destroy(ty, object),
        }
    }

    /// Frees an object and all that only it refers to, one after the other: lists may be long.
    fn destroy(&mut self, ty: Ty, object: u64) -> Run {
        if let Some(dying) = &mut self.dying {
            dying.push((ty, object));
            return Ok(());
        }
        self.dying = Some(vec![(ty, object)]);
        while let Some((ty, object)) = self.dying.as_mut().and_then(Vec::pop) {
            self.free(ty, object)?;
        }
        self.dying = None;
        Ok(())
    }

    /// Frees an object and releases what it refers to.
    fn free(&mut self, ty: Ty, object: u64) -> Run {
        let glue = self.memory.glue(object)?;
        let contents = match glue.checked_sub(GLUE) {
            Some(offset) => self.program.glue.get((offset / 16) as usize).copied(),
            None => None,
        };
        if let TyKind::Slice = ty.get() {
            let [data, len, _] = self.slice(object)?;
            if let Some(elem) = contents {
                let size = layout(elem).size;
                for index in 0..len {
                    self.count(CountOp::Release, elem, data.wrapping_add(index * size))?;
                }
            }
            self.memory.release(data)?;
        } else if let Some(contents) = contents {
            self.count(CountOp::Release, contents, object)?;
        }
        self.memory.free_object(object)
    }

    /// Gives a reference to a string back.
    pub fn release_string(&mut self, object: u64) -> Run {
        self.reference(CountOp::Release, TyKind::Str.intern(), object)
    }

    /// Tells the host how many objects are left after the globals were released.
    pub fn report_leaks(&mut self) -> Run {
        for (address, ty) in &self.program.globals {
            self.count(CountOp::Release, *ty, *address)?;
        }
        self.host.leaked(self.memory.objects);
        Ok(())
    }
}
