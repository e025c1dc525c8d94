//! Sizes and alignments for `sizeof` and `__alignof__` (`02-types.md`), on a 64-bit target.

use crate::ty::{Ty, TyKind};
use cm_db::Db;

/// Bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Layout {
    pub size: u64,
    pub align: u64,
}

impl Layout {
    const POINTER: Layout = Layout { size: 8, align: 8 };

    fn scalar(size: u64) -> Layout {
        Layout { size, align: size.max(1) }
    }

    fn then(self, next: Layout) -> Layout {
        let offset = self.size.next_multiple_of(next.align);
        Layout { size: offset.saturating_add(next.size), align: self.align.max(next.align) }
    }

    fn padded(self) -> Layout {
        Layout { size: self.size.next_multiple_of(self.align), align: self.align }
    }

    /// A tag and room for any of these.
    fn tagged(members: impl Iterator<Item = Layout>, tag: Layout) -> Layout {
        let largest = members.fold(Layout { size: 0, align: 1 }, |all, one| Layout {
            size: all.size.max(one.size),
            align: all.align.max(one.align),
        });
        tag.then(largest).padded()
    }
}

/// The layout of a type.
pub(crate) fn of(db: &dyn Db, ty: Ty) -> Layout {
    match &*ty {
        TyKind::Error | TyKind::Void | TyKind::Param(_) | TyKind::ArrayParam(..) => Layout { size: 0, align: 1 },
        TyKind::Bool | TyKind::Char => Layout::scalar(1),
        TyKind::Int(int) => Layout::scalar(u64::from(int.bits()) / 8),
        TyKind::Float(float) => Layout::scalar(u64::from(float.bits()) / 8),
        TyKind::Null
        | TyKind::Str
        | TyKind::CStr
        | TyKind::Pointer { .. }
        | TyKind::Slice(_)
        | TyKind::Function(..) => Layout::POINTER,
        TyKind::Array(element, len) => {
            let element = of(db, *element);
            Layout { size: element.size.saturating_mul(*len), align: element.align }
        }
        TyKind::Struct(..) => {
            let empty = Layout { size: 0, align: 1 };
            let info = crate::decl::struct_type(db, ty);
            let fields = info.map_or(&[][..], |info| &info.fields);
            let all = fields.iter().fold(empty, |all, (_, field)| all.then(of(db, *field)));
            if fields.is_empty() { Layout::scalar(1) } else { all.padded() }
        }
        TyKind::Enum(..) => match crate::enum_type(db, ty) {
            Some(info) if info.payload => {
                let payloads = info.variants.iter().filter_map(|(_, _, payload)| *payload);
                Layout::tagged(payloads.map(|payload| of(db, payload)), Layout::scalar(4))
            }
            _ => Layout::scalar(4),
        },
        TyKind::Interface(..) | TyKind::BuiltinInterface(_) => Layout { size: 16, align: 8 },
        TyKind::Union(members) => {
            let members = members.iter().map(|member| match **member {
                TyKind::Null => Layout { size: 0, align: 1 },
                _ => of(db, *member),
            });
            let all = Layout::tagged(members, Layout::scalar(4));
            Layout { size: all.size.next_multiple_of(8), align: 8.max(all.align) }
        }
        TyKind::Literal(base, _) => of(db, *base),
    }
}
