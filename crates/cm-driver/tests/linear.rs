//! No stage takes more than linear time: what compiling a program four times as large allocates is
//! about four times as much. Nothing is timed; `cargo xtask bench --scaling` does that.
//!
//! One test, since the allocations of all threads are counted.

use camino::Utf8Path;
use cm_driver::{Options, Stage, emit};
use cm_test::shapes::{SHAPES, Shape};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::{alloc::System, fs};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Linear work is 4; growing vectors double at different sizes. Quadratic work would come near 16.
const LIMIT: f64 = 5.0;

/// The number of allocations, and their bytes, to compile a program.
fn allocated(dir: &Utf8Path, shape: &Shape, size: usize) -> [f64; 2] {
    let file = dir.join("main.cm");
    fs::write(&file, shape.text(size)).expect("the directory can be written to");
    let before = ALLOCATOR.stats();
    let (report, object) =
        emit(&Options { file, ..Options::default() }, Stage::Obj).expect("it can be compiled");
    let after = ALLOCATOR.stats();
    let shown: Vec<_> = report.diagnostics.iter().take(3).collect();
    assert!(report.ok() && !object.is_empty(), "{} of size {size}: {shown:#?}", shape.name);
    let number =
        after.allocations + after.reallocations - before.allocations - before.reallocations;
    [number as f64, (after.bytes_allocated - before.bytes_allocated) as f64]
}

#[test]
fn compiling_takes_linear_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let dir = Utf8Path::from_path(dir.path()).expect("its path is UTF-8");
    // What is interned once for the process is interned now.
    allocated(dir, &SHAPES[0], 1);
    let mut steep = Vec::new();
    for shape in SHAPES {
        let size = shape.size / 8;
        let base = allocated(dir, shape, 1);
        let small = allocated(dir, shape, size);
        let large = allocated(dir, shape, 4 * size);
        for (what, index) in [("allocations", 0), ("bytes", 1)] {
            let [small, large] = [small, large].map(|times| (times[index] - base[index]).max(1.0));
            // Less says nothing: some shapes are little more than a line.
            let counts = large > [2_000.0, 1_000_000.0][index];
            if counts && large / small > LIMIT {
                steep.push(format!("{}: {:.1} times the {what}", shape.name, large / small));
            }
        }
    }
    assert!(steep.is_empty(), "four times the size: {steep:#?}");
}
