//! Bytes that are not what `encode` wrote do no harm, however far they get.

use cm_mir::{
    dump_unit,
    interp::{Captured, Limits, Program, run_within},
    parse_unit,
    passes::optimize,
    ty::{Ty, TyKind},
    unit::Unit,
    verify_unit,
};

fn fixtures() -> Vec<Unit> {
    let texts = [
        include_str!("fixtures/text/everything.mir"),
        include_str!("fixtures/run/memory.mir"),
        include_str!("fixtures/run/calls.mir"),
        include_str!("fixtures/run/slices.mir"),
        include_str!("fixtures/run/loop.mir"),
    ];
    let nameless = |text| {
        let mut unit = parse_unit(text).expect("well-formed");
        // They are not encoded.
        let locals = unit.functions.iter_mut().flat_map(|function| &mut function.locals);
        locals.for_each(|local| local.name = None);
        unit
    };
    texts.map(nameless).into()
}

/// A small generator: the test is the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// Goes as far as it can.
fn use_unit(mut unit: Unit) -> bool {
    assert!(!dump_unit(&unit).is_empty());
    assert_eq!(Unit::decode(&unit.encode()).as_ref(), Some(&unit));
    unit.functions.sort_by_key(|f| f.decl.symbol);
    unit.globals.sort_by_key(|g| g.decl.symbol);
    if verify_unit(&unit).is_err() {
        return false;
    }
    let limits = Limits { steps: 2_000, stack: 1 << 16, memory: 1 << 20 };
    for _ in 0..2 {
        let program = Program::new(&unit.functions, &unit.globals);
        run_within(&program, "main", &mut Captured::default(), limits);
        unit.functions.iter_mut().for_each(|function| optimize(function, 1));
        assert_eq!(verify_unit(&unit), Ok(()), "{}", dump_unit(&unit));
    }
    true
}

#[test]
fn mutated_units_never_panic() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut decoded, mut verified) = (0, 0);
    for unit in fixtures() {
        let bytes = unit.encode();
        assert_eq!(Unit::decode(&bytes), Some(unit));
        for _ in 0..1_500 {
            let mut bytes = bytes.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                match random.below(4) {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes[at] = random.below(256) as u8,
                    2 => bytes[at] ^= 1 << random.below(8),
                    _ => bytes[at] = bytes[random.below(bytes.len())],
                }
            }
            if let Some(unit) = Unit::decode(&bytes) {
                decoded += 1;
                verified += usize::from(use_unit(unit));
            }
        }
    }
    assert!(decoded > 500 && verified > 50, "{decoded} decoded, {verified} verified");
}

#[test]
fn random_bytes_are_no_unit() {
    let mut random = Random(42);
    for len in 0..3_000 {
        let bytes: Vec<u8> = (0..len % 64).map(|_| random.below(256) as u8).collect();
        if let Some(unit) = Unit::decode(&bytes) {
            assert_eq!(Unit::decode(&unit.encode()), Some(unit));
        }
    }
}

#[test]
fn nesting_and_lengths_are_bounded() {
    // A string of 2^60 bytes, as the unit's name.
    let mut bytes = vec![253];
    bytes.extend(1_u64.wrapping_shl(60).to_le_bytes());
    assert_eq!(Unit::decode(&bytes), None);
    // Arrays of arrays of arrays …: `First`, `Array`, and so on.
    let deep = |depth| {
        let one = cm_mir::codec::encode(&TyKind::Array(TyKind::Bool.intern(), 1).intern());
        let inner = cm_mir::codec::encode(&TyKind::Bool.intern());
        let (head, tail) = (&one[..one.len() - inner.len() - 1], &one[one.len() - 1..]);
        [head.repeat(depth), inner, tail.repeat(depth)].concat()
    };
    let ty: Option<Ty> = cm_mir::codec::decode(&deep(100));
    assert!(ty.is_some());
    assert_eq!(cm_mir::codec::decode::<Ty>(&deep(1_000_000)), None);
}

#[test]
fn what_occurs_again_is_written_once() {
    let text = "type %Point = struct { i32, i32, i64, i64, [i32; 4] }\n\
                extern fn @some::long::function_name(%Point, %Point) -> %Point\n\
                fn @f() {\nlet _0: void\nlet _1: %Point\nb0:\n";
    let call = "_1 = call @some::long::function_name(_1, _1)\n";
    let size = |calls: usize| {
        parse_unit(&format!("{text}{}return\n}}", call.repeat(calls))).expect("good").encode().len()
    };
    assert!(size(101) - size(1) <= 100 * 20, "{} bytes a call", (size(101) - size(1)) / 100);
}
