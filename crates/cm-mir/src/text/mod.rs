//! MIR as text: what `--emit=mir` prints and tests are written in. What [`dump`] writes,
//! [`parse_function`] reads back unchanged.
//!
//! One construct a line; `//` begins a comment line. Types, functions and globals are declared
//! before the items that use them (functions and globals of the same text need no declaration):
//!
//! ```text
//! unit "geo#0"
//! type %Point = struct { i32, i32 }
//! type %Opt = tagged { void, i32 }
//! extern fn @puts(ptr) -> i32 c
//! extern global @table: [ptr; 2]
//! const global @greeting: str = "hi"
//! global @counter: i32 = 5i32
//! fn @geo::area(%Point, i32) -> i32 {
//!     let _0: i32
//!     let _1: %Point "p"
//!     let _2: i32
//! b0:
//!     _0 = mul _1.0, _1.1
//!     return
//! }
//! ```
//!
//! | | |
//! |---|---|
//! | types | `void bool i8 u8 … i64 u64 f32 f64 ptr str slice func iface`, `[T; N]`, `%Name` |
//! | names | plain, or quoted with Rust's escapes; `#1`, `#2` … tell different entities of one name apart |
//! | places | `_1` or `@global`, then `.0` field, `[operand]` element, `!0` payload, `.*T` what it points to, as a T |
//! | constants | `5i32`, `1.5f64`, `true`, `"text"`, `zero T`, `T{c, c}`, `T!1(c)`, `fn @f`, `code @f`, `glue T`, `&@global`, `slice{c, c}`; `(T)` before one that has not the type it looks like, `int N` and `float N` for bits |
//! | values | an operand, `neg a`, `len a`, `add a, b` …, `cast T a`, `addr place`, `offset T p, n`, `diff T p, q`, `new T{a, b}`, `new T!1(a)`, `tag place`, `closure @f(a, b)`, `iface p, @table` |
//! | statements | `place = value`, `volatile place = value`, `asm "template"(in r a, inout m b)`, `retain place`, `release place`, `forget place` |
//! | calls | `[place =]` and `call @f(a)`, `rt cm_print(a)`, `callval f(a): (T) -> T`, `callmethod object, 3(a): (T) -> T` |
//! | ends | `goto b1`, `br a ? b1 : b2`, `switch a { 1 -> b1, else b2 }`, `return`, `panic a`, `unreachable` |

mod dump;
mod parse;

pub use dump::{dump, dump_unit, stmt_text, terminator_text, type_text};
pub use parse::{ParseError, parse_function, parse_unit};

use crate::mir::{BinOp, CountOp, UnOp};

const COUNT: [(CountOp, &str); 3] =
    [(CountOp::Retain, "retain"), (CountOp::Release, "release"), (CountOp::Forget, "forget")];

const UNARY: [(UnOp, &str); 4] =
    [(UnOp::Neg, "neg"), (UnOp::Not, "not"), (UnOp::BitNot, "bitnot"), (UnOp::Len, "len")];

const BINARY: [(BinOp, &str); 16] = [
    (BinOp::Add, "add"),
    (BinOp::Sub, "sub"),
    (BinOp::Mul, "mul"),
    (BinOp::Div, "div"),
    (BinOp::Rem, "rem"),
    (BinOp::Shl, "shl"),
    (BinOp::Shr, "shr"),
    (BinOp::And, "and"),
    (BinOp::Or, "or"),
    (BinOp::Xor, "xor"),
    (BinOp::Eq, "eq"),
    (BinOp::Ne, "ne"),
    (BinOp::Lt, "lt"),
    (BinOp::Le, "le"),
    (BinOp::Gt, "gt"),
    (BinOp::Ge, "ge"),
];

/// How much at the start of `text` can be a name without quotes.
fn plain_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut len = 0;
    loop {
        match &bytes[len..] {
            [b':', b':', ..] => len += 2,
            [b, ..] if b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$') => len += 1,
            _ => return len,
        }
    }
}
