//! The back end as a dynamic library, and what the run-time library promises.

use cm_backend::Llvm;
use cm_backend_api::{Backend, Target, TextKind, load};
use cm_mir::{runtime::Rt, text::parse_unit};
use std::path::Path;

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

#[test]
fn a_missing_back_end_is_an_error() {
    let error = load(Path::new("/nowhere/libcm_backend.so")).err().expect("an error");
    assert!(error.0.starts_with("cannot load the back end '/nowhere/libcm_backend.so': "));
}

#[test]
fn undefined_symbols_are_found_before_execution() {
    let target = Target::host();
    let object = Llvm.object(&Llvm.bitcode(&unit(), &target, 0).expect("bitcode"), &target, 0);
    let error = Llvm.run(&[("u", &object.expect("an object"))]).expect_err("a missing symbol");
    assert_eq!(error.0, "Undefined symbol 'missing::one'\nUndefined symbol 'missing<two, 2>'");
    let error = Llvm.run(&[]).expect_err("no main");
    assert_eq!(error.0, "Undefined symbol 'main'");
}

#[test]
fn the_run_time_library_has_every_function_of_mir_and_no_other() {
    let mut expected: Vec<_> = Rt::ALL.iter().map(|rt| rt.symbol()).collect();
    let mut found: Vec<_> = cm_runtime::symbols().iter().map(|(name, _)| *name).collect();
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}
