//! Inline assembly.

use crate::{
    EmitError, Result,
    body::{Body, unfit},
    classify::Arch,
};
use cm_mir::{
    mir::{AsmClass, AsmOperand, Operand, Place},
    ty::{self, TyKind},
};
use inkwell::{
    attributes::AttributeLoc,
    types::{AnyType, BasicMetadataTypeEnum, BasicType, BasicTypeEnum, IntType},
    values::{BasicMetadataValueEnum, BasicValueEnum},
};

/// The operands in LLVM's order: outputs, then inputs.
#[derive(Default)]
struct Operands<'ctx> {
    constraints: Vec<String>,
    /// Where written registers go, and their types.
    outputs: Vec<(Place, IntType<'ctx>)>,
    inputs: Vec<BasicMetadataValueEnum<'ctx>>,
    input_types: Vec<BasicMetadataTypeEnum<'ctx>>,
    /// What memory operands point to, by input.
    pointees: Vec<(u32, BasicTypeEnum<'ctx>)>,
    /// LLVM's number of each operand.
    numbers: Vec<usize>,
}

impl<'ctx> Operands<'ctx> {
    fn input(
        &mut self,
        constraint: String,
        value: BasicMetadataValueEnum<'ctx>,
        ty: BasicMetadataTypeEnum<'ctx>,
    ) -> usize {
        self.constraints.push(constraint);
        self.inputs.push(value);
        self.input_types.push(ty);
        self.constraints.len() - 1
    }
}

impl<'ctx> Body<'_, 'ctx> {
    /// A statement of inline assembly. It may touch any memory and the flags.
    pub fn asm(&mut self, template: &str, operands: &[AsmOperand]) -> Result<()> {
        let asm = self.asm_operands(operands)?;
        let mut constraints = asm.constraints.join(",");
        for clobber in clobbers(template, self.cx.arch) {
            constraints.push_str(if constraints.is_empty() { "" } else { "," });
            constraints.push_str(&format!("~{{{clobber}}}"));
        }
        let outputs: Vec<BasicTypeEnum> = asm.outputs.iter().map(|(_, ty)| (*ty).into()).collect();
        let ty = match &outputs[..] {
            [] => self.cx.context.void_type().fn_type(&asm.input_types, false),
            [output] => output.fn_type(&asm.input_types, false),
            _ => self.cx.context.struct_type(&outputs, false).fn_type(&asm.input_types, false),
        };
        let text = renumber(template, &asm.numbers)?;
        let code =
            self.cx.context.create_inline_asm(ty, text, constraints, true, true, None, false);
        let call = self.builder.build_indirect_call(ty, code, &asm.inputs, "")?;
        call.add_attribute(AttributeLoc::Function, self.cx.attributes.nounwind);
        for (input, pointee) in &asm.pointees {
            let attribute = self.cx.type_attribute("elementtype", pointee.as_any_type_enum());
            call.add_attribute(AttributeLoc::Param(*input), attribute);
        }
        self.store_asm_outputs(&asm.outputs, call.try_as_basic_value().basic())
    }

    fn store_asm_outputs(
        &mut self,
        outputs: &[(Place, IntType<'ctx>)],
        result: Option<BasicValueEnum<'ctx>>,
    ) -> Result<()> {
        for (index, (place, _)) in (0..).zip(outputs) {
            let value = match result {
                Some(BasicValueEnum::StructValue(all)) if outputs.len() > 1 => {
                    self.builder.build_extract_value(all, index, "")?
                }
                Some(value) => value,
                None => return Err(unfit("assembly without results")),
            };
            let (to, _) = self.place(place)?;
            self.builder.build_store(to, value)?;
        }
        Ok(())
    }

    fn asm_operands(&mut self, operands: &[AsmOperand]) -> Result<Operands<'ctx>> {
        let mut asm = Operands { numbers: vec![0; operands.len()], ..Operands::default() };
        let is_output = |o: &AsmOperand| o.output && o.class == AsmClass::Register;
        for (index, operand) in operands.iter().enumerate().filter(|(_, o)| is_output(o)) {
            let Operand::Copy(place) = &operand.value else {
                return Err(unfit("assembly that writes a constant"));
            };
            let ty = self.register(operand)?;
            asm.numbers[index] = asm.constraints.len();
            asm.constraints.push("=&r".to_owned());
            asm.outputs.push((place.clone(), ty));
        }
        for (index, operand) in operands.iter().enumerate() {
            match (operand.class, &operand.value) {
                (AsmClass::Register, _) if operand.input => {
                    let ty = self.register(operand)?;
                    let value = self.register_value(operand, ty)?;
                    let constraint = match operand.output {
                        true => asm.numbers[index].to_string(),
                        false => "r".to_owned(),
                    };
                    let number = asm.input(constraint, value.into(), ty.into());
                    if !operand.output {
                        asm.numbers[index] = number;
                    }
                }
                (AsmClass::Register, _) => {}
                (AsmClass::Memory, Operand::Copy(place)) => {
                    let (address, ty) = self.place(place)?;
                    let input = asm.inputs.len() as u32;
                    asm.pointees.push((input, self.cx.memory(ty)));
                    let pointer = self.cx.ptr().into();
                    asm.numbers[index] = asm.input("*m".to_owned(), address.into(), pointer);
                }
                (AsmClass::Immediate, value @ Operand::Const(_)) => {
                    let value = self.int_operand(value)?;
                    let ty = value.get_type().into();
                    asm.numbers[index] = asm.input("i".to_owned(), value.into(), ty);
                }
                _ => return Err(unfit("an operand of assembly")),
            }
        }
        Ok(asm)
    }

    /// The integer type that fills the register of an operand.
    fn register(&self, operand: &AsmOperand) -> Result<IntType<'ctx>> {
        let ty = self.operand_ty(&operand.value)?;
        let size = ty::layout(ty).size;
        if !matches!(size, 1 | 2 | 4 | 8) || *ty.get() == TyKind::Void {
            let what = "an operand of inline assembly that fits into no register";
            return Err(EmitError::Unsupported(what.to_owned()));
        }
        Ok(self.cx.int(size as u8 * 8))
    }

    /// The bits of an operand.
    fn register_value(
        &mut self,
        operand: &AsmOperand,
        ty: IntType<'ctx>,
    ) -> Result<BasicValueEnum<'ctx>> {
        match &operand.value {
            Operand::Copy(place) => {
                let (address, _) = self.place(place)?;
                Ok(self.builder.build_load(ty, address, "")?)
            }
            Operand::Const(_) => self.scalar(&operand.value),
        }
    }
}

/// The text with LLVM's numbers for the operands.
fn renumber(template: &str, numbers: &[usize]) -> Result<String> {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            text.push_str("$$");
            rest = after;
            continue;
        }
        let digits = after.strip_prefix('{').unwrap_or(after);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let number = digits[..end].parse::<usize>().ok().and_then(|index| numbers.get(index));
        let number = number.ok_or_else(|| unfit("assembly with an unknown operand"))?;
        text.push_str(&format!("${{{number}}}"));
        rest = &digits[end..];
        if after.starts_with('{') {
            rest = rest.strip_prefix('}').unwrap_or(rest);
        }
    }
    text.push_str(rest);
    Ok(text)
}

/// What a text overwrites beside its operands: memory and flags always, registers that it names,
/// and what calls do not preserve if it calls.
fn clobbers(template: &str, arch: Arch) -> Vec<String> {
    if arch == Arch::Aarch64 {
        return vec!["memory".to_owned(), "cc".to_owned()];
    }
    let mut clobbers: Vec<String> =
        ["memory", "dirflag", "fpsr", "flags"].map(str::to_owned).into();
    let word = |c: char| !c.is_ascii_alphanumeric();
    for name in template.split('%').skip(1) {
        clobbers.extend(full_register(name.split(word).next().unwrap_or_default()));
    }
    if template.split(word).any(|word| matches!(word, "call" | "callq" | "syscall")) {
        let general = ["rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11"];
        clobbers.extend(general.map(str::to_owned));
        clobbers.extend((0..16).map(|index| format!("xmm{index}")));
    }
    clobbers.sort();
    clobbers.dedup();
    clobbers
}

/// The register that a name is a part of; `None` for those that code cannot give up.
fn full_register(name: &str) -> Option<String> {
    if let Some(index) = name.strip_prefix(['x', 'y', 'z']).and_then(|rest| rest.strip_prefix("mm"))
    {
        return Some(format!("xmm{index}"));
    }
    if let Some(number) = name.strip_prefix('r') {
        let number = number.trim_end_matches(['b', 'w', 'd']);
        if number.parse::<u8>().is_ok_and(|number| (8..16).contains(&number)) {
            return Some(format!("r{number}"));
        }
    }
    let stem = name.strip_prefix(['r', 'e']).unwrap_or(name);
    let full = match stem {
        "ax" | "al" | "ah" => "rax",
        "bx" | "bl" | "bh" => "rbx",
        "cx" | "cl" | "ch" => "rcx",
        "dx" | "dl" | "dh" => "rdx",
        "si" | "sil" => "rsi",
        "di" | "dil" => "rdi",
        "bp" | "bpl" => "rbp",
        _ => return None,
    };
    Some(full.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Arch, clobbers, renumber};

    #[test]
    fn operands_are_renumbered() {
        let text = renumber("mov $1, ${0}5 $$7 {a|b}", &[3, 12]).ok();
        assert_eq!(text.as_deref(), Some("mov ${12}, ${3}5 $$7 {a|b}"));
        assert!(renumber("$2", &[0]).is_err());
        assert!(renumber("$", &[0]).is_err());
    }

    #[test]
    fn named_registers_are_clobbered() {
        let found = |text| {
            let mut found = clobbers(text, Arch::X86_64);
            found.retain(|name| !["memory", "dirflag", "fpsr", "flags"].contains(&name.as_str()));
            found.join(" ")
        };
        assert_eq!(
            found("mov %al, %r10d; add %esi,%rsp; vxorps %ymm3,%ymm3,%ymm3"),
            "r10 rax rsi xmm3"
        );
        assert!(found("call f").starts_with("r10 r11 r8 r9 rax rcx rdi rdx rsi xmm0"));
        assert_eq!(found("nop"), "");
    }
}
