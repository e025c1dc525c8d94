//! The text of inline assembly: lines, labels, operands.

use super::{
    Address, Arg, Binding, Kind, MACHINE_REGISTERS, Op, Reg,
    decode::decode,
    names::{condition, register},
};

/// What cannot be executed, and why.
pub type Parse<T> = Result<T, String>;

pub fn unknown(mnemonic: &str) -> String {
    format!("the interpreter does not know the instruction '{mnemonic}' of inline assembly")
}

/// Parses a template, in which `$0` or `${0}` is an operand and `$$` a dollar.
pub fn parse(template: &str, operands: &[Binding]) -> Parse<Vec<Op>> {
    let text = without_comments(&plain(template));
    let mut parser = Parser { operands, labels: Vec::new(), jumps: Vec::new(), code: Vec::new() };
    for line in text.split(['\n', ';']) {
        parser.line(line.trim())?;
    }
    parser.resolve()?;
    Ok(parser.code)
}

/// Operands as `%0`, which no register is called, and dollars as in an assembler's text.
fn plain(template: &str) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        text.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            text.push('$');
            rest = after;
            continue;
        }
        let digits = after.strip_prefix('{').unwrap_or(after);
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        text.push('%');
        text.push_str(&digits[..end]);
        rest = &digits[end..];
        if digits.len() < after.len() {
            rest = rest.strip_prefix('}').unwrap_or(rest);
        }
    }
    text + rest
}

fn without_comments(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        kept.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    let lines = kept.lines().map(|line| line.split('#').next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

struct Parser<'a> {
    operands: &'a [Binding],
    /// Labels, and the instructions that follow them.
    labels: Vec<(String, usize)>,
    /// The targets of jumps, which have their numbers.
    jumps: Vec<String>,
    code: Vec<Op>,
}

impl Parser<'_> {
    fn line(&mut self, mut line: &str) -> Parse<()> {
        while let Some((label, rest)) = line.split_once(':').filter(|(label, _)| is_label(label)) {
            self.labels.push((label.to_owned(), self.code.len()));
            line = rest.trim();
        }
        // There is one thread.
        let line = line.strip_prefix("lock ").unwrap_or(line).trim();
        let (mnemonic, args) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if matches!(mnemonic, "" | "lock" | ".p2align" | ".align" | ".balign") {
            return Ok(());
        }
        if let Some(cond) = mnemonic.strip_prefix('j') {
            let cond = match cond {
                "mp" => None,
                cond => Some(condition(cond).ok_or_else(|| unknown(mnemonic))?),
            };
            let kind = Kind::Jump(cond, self.jumps.len());
            self.jumps.push(args.trim().to_owned());
            self.code.push(Op { kind, width: 8, args: Vec::new() });
            return Ok(());
        }
        let args = split_args(args).map(|arg| self.arg(arg)).collect::<Parse<_>>()?;
        self.code.push(decode(mnemonic, args)?);
        Ok(())
    }

    /// Puts the numbers of instructions for those of labels.
    fn resolve(&mut self) -> Parse<()> {
        for (at, op) in self.code.iter_mut().enumerate() {
            if let Kind::Jump(_, target) = &mut op.kind {
                let name = &self.jumps[*target];
                *target = find(&self.labels, name, at).ok_or_else(|| {
                    format!("inline assembly jumps to '{name}', which is not in it")
                })?;
            }
        }
        Ok(())
    }

    fn arg(&self, text: &str) -> Parse<Arg> {
        let bad =
            || format!("the interpreter does not know the operand '{text}' of inline assembly");
        if let Some(number) = text.strip_prefix('$') {
            return Ok(Arg::Imm(number_of(number).ok_or_else(bad)?));
        }
        if let Some(name) = text.strip_prefix('%') {
            return self.named(name).ok_or_else(bad);
        }
        self.address(text).map(Arg::Mem).ok_or_else(bad)
    }

    /// A register, or an operand of the statement.
    fn named(&self, name: &str) -> Option<Arg> {
        let Ok(index) = name.parse::<usize>() else { return register(name).map(Arg::Reg) };
        let own = MACHINE_REGISTERS + index;
        Some(match self.operands.get(index)? {
            Binding::Immediate(value) => Arg::Imm(*value),
            Binding::Register { width, .. } => {
                Arg::Reg(Reg { index: own, width: *width, high: false })
            }
            Binding::Memory(_) => Arg::Mem(Address { base: Some(own), ..Address::default() }),
        })
    }

    fn address(&self, text: &str) -> Option<Address> {
        let (disp, inside) = match text.split_once('(') {
            Some((disp, rest)) => (disp, rest.strip_suffix(')')?),
            None => return None,
        };
        let disp = if disp.is_empty() { 0 } else { number_of(disp)? };
        let mut parts = inside.split(',').map(str::trim);
        let base = self.word(parts.next()?)?;
        let index = match parts.next() {
            Some(index) => {
                let scale = parts.next().map_or(Some(1), number_of)?;
                Some((self.word(index)??, scale)).filter(|_| matches!(scale, 1 | 2 | 4 | 8))
            }
            None => None,
        };
        Some(Address { disp, base, index })
    }

    /// A register of 8 bytes, or nothing.
    fn word(&self, text: &str) -> Option<Option<usize>> {
        let Some(name) = text.strip_prefix('%') else {
            return text.is_empty().then_some(None);
        };
        match self.named(name)? {
            Arg::Reg(reg) if reg.width == 8 => Some(Some(reg.index)),
            _ => None,
        }
    }
}

fn is_label(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._$".contains(c))
}

/// Splits at commas outside of parentheses.
fn split_args(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_u32;
    let separates = move |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    };
    text.split(separates).map(str::trim).filter(|arg| !arg.is_empty())
}

/// `5`, `-0x10`.
fn number_of(text: &str) -> Option<u64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let value = match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some(if negative { value.wrapping_neg() } else { value })
}

/// Where a label is, seen from an instruction: `2f` is the next `2`, `2b` the last one.
fn find(labels: &[(String, usize)], name: &str, from: usize) -> Option<usize> {
    let local = |suffix: char| {
        let number = name.strip_suffix(suffix)?;
        let digits = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
        digits.then_some(number)
    };
    let named = |wanted: &'_ str| {
        let wanted = wanted.to_owned();
        labels.iter().filter(move |(label, _)| *label == wanted).map(|(_, at)| *at)
    };
    match (local('f'), local('b')) {
        (Some(number), _) => named(number).find(|at| *at > from),
        (_, Some(number)) => named(number).rfind(|at| *at <= from),
        _ => named(name).next(),
    }
}
