//! Inline assembly: the operands that a text names.

use super::Lower;
use cm_base::Name;
use cm_hir::thir::AsmValue;
use cm_mir::{
    mir::{AsmClass, AsmOperand, ConstValue, Operand, Stmt},
    ty::TyKind,
};

impl Lower<'_, '_> {
    /// `__asm__("…")`.
    pub(super) fn asm(&mut self, text: Name, values: &[(Name, AsmValue)]) {
        let mut operands: Vec<(&str, AsmOperand)> = Vec::new();
        let mut template = String::new();
        let mut rest = text.as_str();
        while let Some(dollar) = rest.find('$') {
            template.push_str(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            let Some(end) = rest.find('}').filter(|_| rest.starts_with('{')) else {
                template.push_str("$$");
                rest = rest.strip_prefix('$').unwrap_or(rest);
                continue;
            };
            let inside = &rest[1..end];
            rest = &rest[end + 1..];
            let known = operands.iter().position(|(text, _)| *text == inside);
            let index = known.or_else(|| {
                operands.push((inside, self.asm_operand(inside, values)?));
                Some(operands.len() - 1)
            });
            if let Some(index) = index {
                // Braces keep a digit that follows apart.
                template.push_str(&format!("${{{index}}}"));
            }
        }
        template.push_str(rest);
        let operands = operands.into_iter().map(|(_, operand)| operand).collect();
        self.builder.push(Stmt::Asm { template: template.into(), operands });
    }

    /// `=r:x`: how it is accessed, where it lives, what it is.
    fn asm_operand(&mut self, text: &str, values: &[(Name, AsmValue)]) -> Option<AsmOperand> {
        let (constraint, name) = text.split_once(':')?;
        let (_, value) = values.iter().find(|(known, _)| *known == name)?;
        let (input, output) = match constraint.as_bytes().first() {
            Some(b'=') => (false, true),
            Some(b'+') => (true, true),
            _ => (true, false),
        };
        let class = match constraint.trim_start_matches(['=', '+']) {
            "m" => AsmClass::Memory,
            "i" | "n" => AsmClass::Immediate,
            _ => AsmClass::Register,
        };
        let constant =
            |value: i128| Operand::constant(TyKind::signed(64), ConstValue::Int(value as u64));
        let value = match value {
            AsmValue::Const(value, _) if class == AsmClass::Immediate => constant(*value),
            AsmValue::Local(local) | AsmValue::Const(_, Some(local)) => {
                Operand::copy(self.local(*local))
            }
            AsmValue::Const(value, None) => {
                let temp = self.builder.temp(TyKind::signed(64));
                self.builder.store(temp, constant(*value));
                Operand::copy(temp)
            }
        };
        Some(AsmOperand { class, input, output, value })
    }
}
