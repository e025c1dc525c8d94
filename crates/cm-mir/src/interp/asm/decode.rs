//! From a mnemonic and its operands to what is done.

use super::{
    Alu, Arg, Bit, Count, Kind, Op, Shift,
    names::condition,
    parse::{Parse, unknown},
};

/// An instruction other than a jump.
pub fn decode(mnemonic: &str, args: Vec<Arg>) -> Parse<Op> {
    if let Some((kind, width)) = fixed(mnemonic) {
        return done(kind, width, 0, args);
    }
    if let Some(extension) = extension(mnemonic, &args)? {
        return done(extension.0, extension.1, 2, args);
    }
    if let Some(cond) = mnemonic.strip_prefix("set").and_then(condition) {
        return done(Kind::Set(cond), width_of(&args, Some(1))?, 1, args);
    }
    if let Some(rest) = mnemonic.strip_prefix("cmov") {
        let cond = condition(rest).or_else(|| condition(split_suffix(rest)?.0));
        let cond = cond.ok_or_else(|| unknown(mnemonic))?;
        return done(Kind::Cmov(cond), width_of(&args, None)?, 2, args);
    }
    let (kind, counts, suffix) = match general(mnemonic) {
        Some((kind, counts)) => (kind, counts, None),
        None => {
            let (stem, width) = split_suffix(mnemonic).ok_or_else(|| unknown(mnemonic))?;
            let (kind, counts) = general(stem).ok_or_else(|| unknown(mnemonic))?;
            (kind, counts, Some(width))
        }
    };
    if !counts.contains(&args.len()) {
        return Err(format!("{mnemonic} takes other operands"));
    }
    let kind = match (kind, args.len()) {
        (Kind::Imul, 1) => Kind::WideMul(true),
        (kind, _) => kind,
    };
    // The count of a shift is a byte of its own, and what is pushed is a whole word.
    let sized = match kind {
        Kind::Shift(_) => &args[args.len() - 1..],
        _ => &args[..],
    };
    let width = match kind {
        Kind::Push | Kind::Pop => width_of(sized, Some(8))?,
        _ => width_of(sized, suffix)?,
    };
    done(kind, width, args.len(), args)
}

fn done(kind: Kind, width: u8, count: usize, args: Vec<Arg>) -> Parse<Op> {
    if args.len() != count {
        return Err("an instruction of assembly takes other operands".into());
    }
    // The last operand is written, and cannot be a number; nor can two be in memory.
    let writes = !matches!(kind, Kind::Push | Kind::Alu(Alu::Cmp | Alu::Test));
    if writes && matches!(args.last(), Some(Arg::Imm(_))) {
        return Err("an instruction of assembly writes to a number".into());
    }
    if args.iter().filter(|arg| matches!(arg, Arg::Mem(_))).count() > 1 {
        return Err("an instruction of assembly has two operands in memory".into());
    }
    if matches!(kind, Kind::Lea) != matches!((&kind, args.first()), (Kind::Lea, Some(Arg::Mem(_))))
    {
        return Err("lea takes an address".into());
    }
    Ok(Op { kind, width, args })
}

fn split_suffix(mnemonic: &str) -> Option<(&str, u8)> {
    let (at, last) = mnemonic.char_indices().next_back()?;
    let width = match last {
        'b' => 1,
        'w' => 2,
        'l' => 4,
        'q' => 8,
        _ => return None,
    };
    Some((&mnemonic[..at], width))
}

/// The width that suffix and registers agree on.
fn width_of(args: &[Arg], suffix: Option<u8>) -> Parse<u8> {
    let mut width = suffix;
    for arg in args {
        if let Arg::Reg(reg) = arg {
            if width.is_some_and(|width| width != reg.width) {
                return Err("a register of assembly has another size than its instruction".into());
            }
            width = Some(reg.width);
        }
    }
    width.ok_or_else(|| "the size of an instruction of assembly is not known".into())
}

/// Instructions without operands.
fn fixed(mnemonic: &str) -> Option<(Kind, u8)> {
    Some(match mnemonic {
        "nop" | "pause" | "mfence" | "lfence" | "sfence" | "endbr64" | "cld" => (Kind::Nop, 8),
        "ud2" | "int3" | "hlt" => (Kind::Stop, 8),
        "cbtw" | "cbw" => (Kind::ExtendA, 2),
        "cwtl" | "cwde" => (Kind::ExtendA, 4),
        "cltq" | "cdqe" => (Kind::ExtendA, 8),
        "cwtd" | "cwd" => (Kind::SignIntoD, 2),
        "cltd" | "cdq" => (Kind::SignIntoD, 4),
        "cqto" | "cqo" => (Kind::SignIntoD, 8),
        "clc" => (Kind::Carry(Some(false)), 8),
        "stc" => (Kind::Carry(Some(true)), 8),
        "cmc" => (Kind::Carry(None), 8),
        _ => return None,
    })
}

/// `movzbl`, `movslq`, and `movsx` between registers.
fn extension(mnemonic: &str, args: &[Arg]) -> Parse<Option<(Kind, u8)>> {
    let Some(rest) = mnemonic.strip_prefix("mov") else { return Ok(None) };
    let (signed, rest) = match (rest.strip_prefix('s'), rest.strip_prefix('z')) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Ok(None),
    };
    let widths = match (split_suffix(rest), args) {
        (Some((from, to)), _) => {
            split_suffix(from).filter(|(none, _)| none.is_empty()).map(|(_, from)| (from, to))
        }
        (None, [Arg::Reg(from), Arg::Reg(to)]) if rest == "x" => Some((from.width, to.width)),
        _ => None,
    };
    let (from, to) = widths.filter(|(from, to)| from < to).ok_or_else(|| unknown(mnemonic))?;
    let (source, target) = args.split_at(args.len().min(1));
    width_of(source, Some(from))?;
    width_of(target, Some(to))?;
    Ok(Some((Kind::Extend(from, signed), to)))
}

/// Instructions of any width, and how many operands they may have.
fn general(stem: &str) -> Option<(Kind, &'static [usize])> {
    let two: &[usize] = &[2];
    Some(match stem {
        "mov" | "movabs" => (Kind::Mov, two),
        "lea" => (Kind::Lea, two),
        "xchg" => (Kind::Xchg, two),
        "xadd" => (Kind::Xadd, two),
        "cmpxchg" => (Kind::Cmpxchg, two),
        "push" => (Kind::Push, &[1]),
        "pop" => (Kind::Pop, &[1]),
        "add" => (Kind::Alu(Alu::Add), two),
        "or" => (Kind::Alu(Alu::Or), two),
        "adc" => (Kind::Alu(Alu::Adc), two),
        "sbb" => (Kind::Alu(Alu::Sbb), two),
        "and" => (Kind::Alu(Alu::And), two),
        "sub" => (Kind::Alu(Alu::Sub), two),
        "xor" => (Kind::Alu(Alu::Xor), two),
        "cmp" => (Kind::Alu(Alu::Cmp), two),
        "test" => (Kind::Alu(Alu::Test), two),
        "rol" => (Kind::Shift(Shift::Rol), &[1, 2]),
        "ror" => (Kind::Shift(Shift::Ror), &[1, 2]),
        "shl" | "sal" => (Kind::Shift(Shift::Shl), &[1, 2]),
        "shr" => (Kind::Shift(Shift::Shr), &[1, 2]),
        "sar" => (Kind::Shift(Shift::Sar), &[1, 2]),
        "not" => (Kind::Not, &[1]),
        "neg" => (Kind::Neg, &[1]),
        "inc" => (Kind::Inc, &[1]),
        "dec" => (Kind::Dec, &[1]),
        "bswap" => (Kind::Bswap, &[1]),
        "mul" => (Kind::WideMul(false), &[1]),
        "imul" => (Kind::Imul, &[1, 2, 3]),
        "div" => (Kind::Div(false), &[1]),
        "idiv" => (Kind::Div(true), &[1]),
        "bt" => (Kind::Bit(Bit::Test), two),
        "bts" => (Kind::Bit(Bit::Set), two),
        "btr" => (Kind::Bit(Bit::Reset), two),
        "btc" => (Kind::Bit(Bit::Complement), two),
        "bsf" => (Kind::Count(Count::Forward), two),
        "bsr" => (Kind::Count(Count::Reverse), two),
        "tzcnt" => (Kind::Count(Count::TrailingZeros), two),
        "lzcnt" => (Kind::Count(Count::LeadingZeros), two),
        "popcnt" => (Kind::Count(Count::Ones), two),
        _ => return None,
    })
}
