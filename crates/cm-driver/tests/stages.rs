//! What each stage makes of the programs in `snapshots/programs`. A change of any stage shows as a
//! change of its snapshots; `INSTA_UPDATE=always` accepts it.

use camino::Utf8PathBuf;
use cm_driver::{Options, Stage, emit};

const STAGES: [(&str, Stage); 5] = [
    ("tokens", Stage::Tokens),
    ("ast", Stage::Ast),
    ("hir", Stage::Hir),
    ("mir", Stage::Mir),
    ("llvm-ir", Stage::LlvmIr),
];

fn check(program: &str, file: &str) {
    let programs =
        Utf8PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../snapshots/programs"));
    let options = Options { file: programs.join(file), ..Options::default() };
    for (name, stage) in STAGES {
        let (report, bytes) = emit(&options, stage).expect("the program can be read");
        assert!(report.ok(), "{program}: {:?}", report.diagnostics);
        let text = String::from_utf8(bytes).expect("the stage is text");
        insta::with_settings!({
            snapshot_path => "../../../snapshots/stages",
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!(format!("{program}.{name}"), text);
        });
    }
}

#[test]
fn control() {
    check("control", "control.cm");
}

#[test]
fn values() {
    check("values", "values.cm");
}

#[test]
fn modules() {
    check("modules", "modules/main.cm");
}

#[test]
fn outputs_are_bounded() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../snapshots/programs/control.cm").into();
    let place = tempfile::tempdir().expect("a directory");
    let output = Utf8PathBuf::from_path_buf(place.path().join("x")).expect("UTF-8");
    let mut options = Options { file, max_output: Some(10), ..Options::default() };
    let refused = cm_driver::compile(&options, &output).expect_err("it is larger");
    assert_eq!(refused.to_string(), "the output would be larger than 0 GB");
    assert!(!output.exists());
    options.max_output = Some(1 << 30);
    cm_driver::compile(&options, &output).expect("it is smaller");
    assert!(output.exists());
}
