//! Measures code generation and linking: `linking UNITS FUNCTIONS LEVEL`.

use cm_backend::Llvm;
use cm_backend_api::{Backend, Target};
use std::{env, fmt::Write, time::Instant};

fn main() {
    let mut args = env::args().skip(1).map(|arg| arg.parse().expect("a number"));
    let (units, functions, level) = (args.next(), args.next(), args.next());
    let (units, functions) = (units.unwrap_or(200), functions.unwrap_or(10));
    let level = level.unwrap_or(0) as u8;
    let texts: Vec<_> = (0..units).map(|unit| text(unit, units, functions)).collect();
    let encoded: Vec<_> =
        texts.iter().map(|text| cm_mir::text::parse_unit(text).expect("MIR").encode()).collect();
    let target = Target::host();
    let start = Instant::now();
    let bitcode: Vec<_> =
        encoded.iter().map(|unit| Llvm.bitcode(unit, &target, level).expect("bitcode")).collect();
    println!("bitcode {:?}", start.elapsed());
    let start = Instant::now();
    let objects: Vec<_> = bitcode
        .iter()
        .map(|bitcode| Llvm.object(bitcode, &target, level).expect("an object"))
        .collect();
    println!(
        "objects {:?}, bytes {}",
        start.elapsed(),
        objects.iter().map(Vec::len).sum::<usize>()
    );
    let named: Vec<_> = objects.iter().map(|object| ("object", &object[..])).collect();
    let start = Instant::now();
    let main = cm_jit::link(&named).expect("a program");
    println!("linked {:?}", start.elapsed());
    println!("status {}", main.call());
    if let Some(dir) = env::var_os("OBJECTS") {
        for (index, object) in objects.iter().enumerate() {
            std::fs::write(std::path::Path::new(&dir).join(format!("{index}.o")), object)
                .expect("a file");
        }
    }
}

/// Each function calls one of its own unit and one of the next.
fn text(unit: usize, units: usize, functions: usize) -> String {
    let mut text = format!("unit \"u{unit}\"\n");
    let next = unit + 1;
    for function in 0..functions {
        if next < units {
            let _ = writeln!(text, "extern fn @m{next}::f{function}(i32) -> i32");
        }
    }
    for function in 0..functions {
        let other = if next < units {
            format!("_2 = call @m{next}::f{function}(_1)")
        } else {
            "_2 = 1i32".to_owned()
        };
        let own = (function + 1 < functions && function % 2 == 0)
            .then(|| format!("_3 = call @m{unit}::f{}(_1)", function + 1))
            .unwrap_or_else(|| "_3 = 2i32".to_owned());
        let _ = writeln!(
            text,
            "fn @m{unit}::f{function}(i32) -> i32 {{
    let _0: i32
    let _1: i32
    let _2: i32
    let _3: i32
    let _4: bool
b0:
    _4 = gt _1, 100i32
    _0 = 0i32
    br _4 ? b1 : b2
b1:
    {other}
    {own}
    _0 = add _2, _3
    rt cm_println(\"unit {unit} function {function}\")
    goto b2
b2:
    _0 = mul _0, 3i32
    _0 = add _0, _1
    _0 = div _0, 7i32
    return
}}"
        );
    }
    if unit == 0 {
        text.push_str("fn @main() -> i32 {\n    let _0: i32\n    let _1: i32\nb0:\n");
        for function in 0..functions {
            let _ = writeln!(text, "    _1 = call @m0::f{function}(5i32)");
        }
        text.push_str("    _0 = 0i32\n    return\n}\n");
    }
    text
}
