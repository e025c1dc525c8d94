//! The back end as a dynamic library, and what the run-time library promises.
#![expect(unsafe_code, reason = "it calls the run-time library")]

use cm_backend::Llvm;
use cm_backend_api::{Backend, Target, TextKind, load};
use cm_mir::{
    interp::format,
    runtime::{FormatSpec, Rt},
    text::parse_unit,
};
use std::{mem::transmute, path::Path};

const UNIT: &str = "unit \"u\"
extern fn @missing::one(i32) -> i32
extern fn @missing<two, 2>()
fn @main() -> i32 {
    let _0: i32
b0:
    _0 = call @missing::one(1i32)
    call @missing<two, 2>()
    return
}
";

fn unit() -> Vec<u8> {
    let text = UNIT.replace("@missing<two, 2>", "@\"missing<two, 2>\"");
    parse_unit(&text).expect("MIR").encode()
}

#[test]
fn the_loaded_back_end_gives_what_the_linked_one_gives() {
    let this = std::env::current_exe().expect("a path");
    let library = this.parent().expect("a directory").join("libcm_backend.so");
    let loaded = load(&library).expect("a back end");
    let target = Target::host();
    assert_eq!(loaded.identity(), Llvm.identity());
    for level in 0..4 {
        let bitcode = loaded.bitcode(&unit(), &target, level).expect("bitcode");
        assert_eq!(Ok(&bitcode), Llvm.bitcode(&unit(), &target, level).as_ref());
        let object = loaded.object(&bitcode, &target, level);
        assert_eq!(object, Llvm.object(&bitcode, &target, level));
        for kind in [TextKind::Ir, TextKind::Assembly] {
            let text = loaded.text(&bitcode, &target, level, kind).expect("text");
            assert!(text.contains("missing::one"), "{text}");
        }
    }
    assert!(loaded.bitcode(b"no unit", &target, 0).is_err());
    assert!(loaded.object(b"no bitcode", &target, 0).is_err());
}

/// Not optimized, they would take time that grows with the square of their length.
#[test]
fn long_blocks_are_divided() {
    let calls = "    _0 = call @missing::one(1i32)\n".repeat(1000);
    let unit = UNIT.replace("    call @missing<two, 2>()\n", &calls);
    let unit = unit.replace("@missing<two, 2>", "@\"missing<two, 2>\"");
    let unit = parse_unit(&unit).expect("MIR").encode();
    let bitcode = Llvm.bitcode(&unit, &Target::host(), 0).expect("bitcode");
    let text = Llvm.text(&bitcode, &Target::host(), 0, TextKind::Ir).expect("text");
    let calls = |block: &str| block.matches("call i32 @\"missing::one\"").count();
    let longest = text.split("\n\n").map(calls).max();
    assert_eq!((calls(&text), longest), (1001, Some(128)));
}

#[test]
fn a_missing_back_end_is_an_error() {
    let error = load(Path::new("/nowhere/libcm_backend.so")).err().expect("an error");
    assert!(error.0.starts_with("cannot load the back end '/nowhere/libcm_backend.so': "));
}

#[test]
fn undefined_symbols_are_found_before_execution() {
    let target = Target::host();
    let object = Llvm.object(&Llvm.bitcode(&unit(), &target, 0).expect("bitcode"), &target, 0);
    let error = cm_jit::run(&[("u#0", &object.expect("an object"))]).expect_err("a missing symbol");
    assert_eq!(
        error.to_string(),
        "Undefined symbol 'missing::one', used by u#0\n\
         Undefined symbol 'missing<two, 2>', used by u#0"
    );
    let error = cm_jit::run(&[]).expect_err("no main");
    assert_eq!(error.to_string(), "Undefined symbol 'main'");
}

#[test]
fn the_run_time_library_has_every_function_of_mir_and_a_few_of_the_libraries() {
    let mut expected: Vec<_> = Rt::ALL.iter().map(|rt| rt.symbol()).collect();
    let (others, mut found): (Vec<_>, Vec<_>) =
        cm_runtime::symbols().iter().map(|(name, _)| *name).partition(|name| {
            ["cm_atomic_", "cm_tls_"].iter().any(|group| name.starts_with(group))
                || *name == "cm_test_number"
        });
    assert_eq!(others.len(), 13);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn bad_assembly_is_an_error() {
    let text = "unit \"u\"\nfn @f() {\n    let _0: void\nb0:\n    asm \"nonsense %eax\"()\n    return\n}\n";
    let unit = parse_unit(text).expect("MIR").encode();
    let target = Target::host();
    let bitcode = Llvm.bitcode(&unit, &target, 0).expect("bitcode");
    let error = Llvm.object(&bitcode, &target, 0).expect_err("an unknown instruction");
    assert!(error.0.contains("invalid instruction mnemonic 'nonsense'"), "{error}");
}

/// A generator that is good enough to vary tests.
fn random(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn the_run_time_library_formats_like_the_interpreter() {
    let function = |name| {
        let (_, symbol) =
            cm_runtime::symbols().iter().find(|(known, _)| *known == name).expect("it");
        symbol.0
    };
    // SAFETY: the types are those of cm-mir's table.
    let (signed, unsigned, float, length) = unsafe {
        (
            transmute::<*const (), extern "C" fn(i64, i32, u64) -> *const u8>(function(
                "cm_fmt_signed",
            )),
            transmute::<*const (), extern "C" fn(u64, i32, u64) -> *const u8>(function(
                "cm_fmt_unsigned",
            )),
            transmute::<*const (), extern "C" fn(f64, u64) -> *const u8>(function("cm_fmt_float")),
            transmute::<*const (), extern "C" fn(*const u8) -> u64>(function("cm_str_len")),
        )
    };
    // SAFETY: a string has that many bytes; no number has an empty text.
    let text =
        |string| unsafe { std::slice::from_raw_parts(string, length(string) as usize).to_vec() };
    let seed = &mut 0x2545_f491_4f6c_dd1d;
    let pick = |seed: &mut u64, from: &[u8]| from[random(seed) as usize % from.len()];
    for round in 0..20_000 {
        let spec = |seed: &mut u64, kinds| FormatSpec {
            fill: pick(seed, b"\0*0"),
            align: pick(seed, b"\0\0<>^"),
            zero: random(seed).is_multiple_of(2),
            width: (random(seed) % 40) as u32,
            precision: None,
            kind: pick(seed, kinds),
        };
        let whole = spec(seed, b"\0\0xXbo");
        let bits = pick(seed, &[8, 16, 32, 64]);
        let value = random(seed) as i64 >> (64 - bits);
        assert_eq!(
            text(signed(value, bits.into(), whole.pack())),
            format::signed(value, bits, whole)
        );
        let value = random(seed) >> (64 - bits);
        assert_eq!(
            text(unsigned(value, bits.into(), whole.pack())),
            format::unsigned(value, bits, whole)
        );
        let mut real = spec(seed, b"\0\0\0eEf");
        real.precision = random(seed).is_multiple_of(3).then(|| (random(seed) % 30) as u32);
        let value = match round % 4 {
            0 => f64::from_bits(random(seed)),
            1 => (random(seed) % 100_000_000) as f64 / 8.0 - 1e6,
            2 => (random(seed) % 2_000_000) as f64,
            _ => f64::from(random(seed) as i16) / 1000.0,
        };
        assert_eq!(
            text(float(value, real.pack())),
            format::float(value, real),
            "{value:?} {real:?}"
        );
    }
}
