use super::*;
use crate::{float::cm_fmt_float, format::*};
use std::{string::String, vec, vec::Vec};

fn str(text: &str) -> Str {
    // SAFETY: the bytes are those of the text.
    unsafe { Str::copy(text.as_ptr(), text.len()) }
}

fn text(str: Str) -> String {
    // SAFETY: a string has that many bytes and NUL.
    unsafe {
        assert_eq!(*str.bytes().add(str.len()), 0);
        let bytes = core::slice::from_raw_parts(str.bytes(), str.len());
        String::from_utf8(bytes.to_vec()).unwrap()
    }
}

#[test]
fn strings_are_cut_and_joined() {
    let s = str("hello");
    for (a, b, expected) in [
        (1, 3, "el"),
        (-3, -1, "llo"),
        (0, i64::MAX, "hello"),
        (i64::MIN, -4, "he"),
        (3, 3, ""),
        (4, 2, ""),
        (9, 12, ""),
    ] {
        assert_eq!(text(cm_str_slice(s, a, b)), expected, "[{a}:{b}]");
    }
    assert_eq!(text(cm_str_concat(s, str(" you"))), "hello you");
    assert_eq!(text(cm_str_concat(Str::EMPTY, Str::EMPTY)), "");
    let parts = [str("a"), Str::EMPTY, str("bc")];
    // SAFETY: there are three.
    assert_eq!(text(unsafe { cm_str_concat_n(parts.as_ptr(), 3) }), "abc");
    assert_eq!(text(cm_str_trim(str(" \t x y\r\n"))), "x y");
    assert_eq!(text(cm_str_trim(str("  "))), "");
    assert_eq!(text(cm_str_repeat(str("ab"), 3)), "ababab");
    assert_eq!(text(cm_str_repeat(str("ab"), -1)), "");
    assert_eq!(text(cm_str_replace(str("aXbXc"), str("X"), str("--"))), "a--bXc");
    assert_eq!(text(cm_str_replace(str("abc"), str("z"), str("y"))), "abc");
    assert_eq!(text(cm_str_upper(str("aZ9é"))), "AZ9é");
    assert_eq!(text(cm_str_lower(str("aZ9É"))), "az9É");
}

#[test]
fn strings_are_searched_and_compared() {
    let s = str("hello");
    let found: Vec<i64> =
        ["l", "lo", "", "x", "hello!"].map(|part| cm_str_index_of(s, str(part))).into();
    assert_eq!(found, vec![2, 3, 0, -1, -1]);
    assert!(cm_str_starts_with(s, str("he")) && cm_str_ends_with(s, str("lo")));
    assert!(!cm_str_starts_with(str("h"), s) && !cm_str_ends_with(s, str("he")));
    assert!(cm_str_eq(s, str("hello")) && !cm_str_eq(s, str("hellp")) && !cm_str_eq(s, Str::EMPTY));
    let order = |a, b| cm_str_cmp(str(a), str(b));
    assert_eq!([order("a", "b"), order("b", "a"), order("a", "a")], [-1, 1, 0]);
    assert_eq!([order("a", "ab"), order("é", "z"), order("", "")], [-1, 1, 0]);
    assert_eq!([0, 4, 5, -1].map(|index| cm_str_at(s, index)), [b'h', b'o', 0, 0]);
    assert_eq!(cm_str_hash(str("a")), 0xe40c_292c_u32 as i32);
}

#[test]
fn foreign_bytes_are_copied() {
    // SAFETY: NUL-terminated, or null.
    unsafe {
        assert_eq!(text(cm_str_from_c(c"abc".as_ptr().cast())), "abc");
        assert_eq!(text(cm_str_from_c(ptr::null())), "");
    }
}

/// A packed spec, from fill, alignment, zero flag, letter, width and precision.
fn spec(fill: char, align: char, zero: bool, kind: char, width: u64, precision: i64) -> u64 {
    let align = " <>^".find(align).unwrap() as u64;
    let kind = if kind == ' ' { 0 } else { kind as u64 };
    let fill = if fill == ' ' { 0 } else { fill as u64 };
    let upper = (kind as u8).is_ascii_uppercase() as u64;
    fill | align << 8
        | (zero as u64) << 10
        | (kind & 31) << 11
        | upper << 16
        | width << 17
        | ((precision + 1) as u64) << 40
}

#[test]
fn integers_are_formatted() {
    let plain = spec(' ', ' ', false, ' ', 0, -1);
    assert_eq!(plain, 0);
    for (value, expected) in [(0, "0"), (-7, "-7"), (i64::MIN, "-9223372036854775808")] {
        assert_eq!(text(cm_fmt_signed(value, 64, plain)), expected);
    }
    assert_eq!(text(cm_fmt_unsigned(u64::MAX, 64, plain)), "18446744073709551615");
    let kind = |kind| spec(' ', ' ', false, kind, 0, -1);
    assert_eq!(text(cm_fmt_signed(-1, 8, kind('x'))), "ff");
    assert_eq!(text(cm_fmt_signed(-2, 32, kind('X'))), "FFFFFFFE");
    assert_eq!(text(cm_fmt_signed(-1, 64, kind('b'))), "1".repeat(64));
    assert_eq!(text(cm_fmt_unsigned(8, 16, kind('o'))), "10");
    for (spec, expected) in [
        (spec(' ', ' ', false, ' ', 5, -1), "  -42"),
        (spec(' ', ' ', true, ' ', 5, -1), "-0042"),
        (spec('0', '>', false, ' ', 5, -1), "00-42"),
        (spec('*', '<', false, ' ', 5, -1), "-42**"),
        (spec(' ', '^', false, ' ', 6, -1), " -42  "),
        (spec(' ', '^', false, ' ', 2, -1), "-42"),
    ] {
        assert_eq!(text(cm_fmt_signed(-42, 32, spec)), expected);
    }
}

#[test]
fn texts_are_formatted() {
    let left = spec(' ', ' ', false, ' ', 4, -1);
    assert_eq!(text(cm_fmt_char(b'x', left)), "x   ");
    assert_eq!(text(cm_fmt_bool(true, 0)), "true");
    assert_eq!(text(cm_fmt_bool(false, spec(' ', '>', false, ' ', 7, -1))), "  false");
    assert_eq!(text(cm_fmt_str(str("abcdef"), spec('.', '^', false, ' ', 6, 3))), ".abc..");
    assert_eq!(text(cm_fmt_str(str("ab"), spec(' ', ' ', false, ' ', 0, 9))), "ab");
}

#[test]
fn floats_are_formatted() {
    for (value, expected) in [
        (3.141_593_26, "3.14159"),
        (175.5, "175.5"),
        (2.0 / 3.0, "0.66667"),
        (123_456.789, "123457"),
        (12_345_678.9, "12345700"),
        (1e-7, "0"),
        (-1e-7, "-0"),
        (10.0, "10"),
        (100_000.0, "100000"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (999_999.9, "1000000"),
        (9_999_999.0, "10000000"),
        (-1_234_567.0, "-1234570"),
        (1e15, "1000000000000000"),
        (f64::NAN, "nan"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        assert_eq!(text(cm_fmt_float(value, 0)), expected);
    }
    let long = text(cm_fmt_float(-f64::MAX, 0));
    assert_eq!((&long[..8], long.len()), ("-1797690", 310));
    for (value, spec, expected) in [
        (2.5, spec(' ', ' ', false, ' ', 0, 0), "2"),
        (2.675, spec(' ', ' ', false, ' ', 0, 2), "2.67"),
        (1234.5, spec(' ', ' ', false, 'e', 0, -1), "1.234500e+03"),
        (1234.5, spec(' ', ' ', false, 'E', 0, 2), "1.23E+03"),
        (1.0, spec(' ', ' ', false, 'f', 0, -1), "1.000000"),
        (-1.5, spec(' ', ' ', true, ' ', 8, 2), "-0001.50"),
        (f64::INFINITY, spec(' ', ' ', true, ' ', 6, -1), "   inf"),
    ] {
        assert_eq!(text(cm_fmt_float(value, spec)), expected);
    }
    let long = text(cm_fmt_float(0.5, spec(' ', ' ', false, 'f', 0, 200)));
    assert_eq!((&long[..5], long.len()), ("0.500", 202));
}

#[test]
fn a_string_grows_in_place_if_it_is_not_shared() {
    // SAFETY: the references are this test's.
    unsafe {
        let mut s = str("ab");
        for _ in 0..10 {
            s = cm_str_append(s, str("c"));
        }
        assert_eq!(text(s), "abcccccccccc");
        let parts = [s, str("-"), s];
        s = cm_str_append_n(parts.as_ptr(), 3);
        assert_eq!(text(s), "abcccccccccc-abcccccccccc");
        let shared = s.share();
        s = cm_str_append(s, str("!"));
        assert_eq!((text(shared).len(), text(s).len()), (25, 26));
        memory::cm_release_str(shared);
        assert!(memory::is_unique(s.0));
        assert_eq!(text(cm_str_append(Str::EMPTY, s)).len(), 26);
        assert!(!memory::is_unique(s.0));
        assert_eq!(text(cm_str_append(s, Str::EMPTY)).len(), 26);
    }
}

#[test]
fn memory_from_c_is_zero_also_where_it_grew() {
    // SAFETY: the block has these sizes.
    unsafe {
        let mut block = memory::cm_malloc(24);
        for size in [100, 40, 1000, 3000] {
            ptr::write_bytes(block, 0xff, 24);
            block = memory::cm_realloc(block, size);
            let bytes = core::slice::from_raw_parts(block, size as usize);
            assert!(bytes[..24].iter().all(|byte| *byte == 0xff));
            assert!(bytes[24..].iter().all(|byte| *byte == 0), "{size}");
        }
        c::free(block.cast());
    }
}
