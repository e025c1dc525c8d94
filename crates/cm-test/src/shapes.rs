//! Programs that are large in one way each, to see that no stage takes more than linear time.

use std::fmt::Write;

/// A kind of program that can be made in any size.
#[derive(Clone, Copy)]
pub struct Shape {
    /// What it is called.
    pub name: &'static str,
    /// A size at which it is worth looking at.
    pub size: usize,
    text: fn(usize) -> String,
}

impl Shape {
    /// The program of a size: it is correct, and its `main` returns soon.
    pub fn text(&self, size: usize) -> String {
        (self.text)(size.max(1))
    }
}

/// All shapes.
pub const SHAPES: &[Shape] = &[
    Shape { name: "lines", size: 50_000, text: lines },
    Shape { name: "functions", size: 5_000, text: functions },
    Shape { name: "call chain", size: 1_250, text: call_chain },
    Shape { name: "match arms", size: 2_000, text: match_arms },
    Shape { name: "string arms", size: 2_000, text: string_arms },
    Shape { name: "switch cases", size: 2_000, text: switch_cases },
    Shape { name: "else if", size: 500, text: else_ifs },
    Shape { name: "variants", size: 2_000, text: variants },
    Shape { name: "payloads", size: 2_000, text: payloads },
    Shape { name: "long string", size: 1 << 20, text: long_string },
    Shape { name: "terms", size: 250_000, text: terms },
    Shape { name: "parentheses", size: 50, text: parentheses },
    Shape { name: "instances", size: 1_250, text: instances },
    Shape { name: "array literal", size: 10_000, text: array_literal },
    Shape { name: "slice literal", size: 10_000, text: slice_literal },
    Shape { name: "string literals", size: 5_000, text: string_literals },
    Shape { name: "interpolations", size: 1_250, text: interpolations },
    Shape { name: "concatenations", size: 2_500, text: concatenations },
    Shape { name: "nested blocks", size: 500, text: nested_blocks },
    Shape { name: "locals", size: 5_000, text: locals },
    Shape { name: "slice locals", size: 1_250, text: slice_locals },
    Shape { name: "loops", size: 1_000, text: loops },
    Shape { name: "defers", size: 1_000, text: defers },
    Shape { name: "lambdas", size: 1_000, text: lambdas },
    Shape { name: "impls", size: 1_000, text: impls },
    Shape { name: "interfaces", size: 500, text: interfaces },
    Shape { name: "fields", size: 1_000, text: fields },
    Shape { name: "globals", size: 2_500, text: globals },
    Shape { name: "constants", size: 1_000, text: constants },
];

/// `before`, then `each` for all numbers below `count`, then `after`.
fn repeat(before: &str, count: usize, each: impl Fn(&mut String, usize), after: &str) -> String {
    let mut text = before.to_owned();
    (0..count).for_each(|k| each(&mut text, k));
    text.push_str(after);
    text
}

macro_rules! add {
    ($text:expr, $($format:tt)*) => {{
        let _infallible: std::fmt::Result = write!($text, $($format)*);
    }};
}

const SUM: &str = "int main() {\n    int sum = 0;\n";
const RETURN: &str = "    return sum % 100;\n}\n";

fn lines(n: usize) -> String {
    let function = |text: &mut String, k: usize| {
        add!(text, "int f{k}(int a) {{\n    int x = a;\n");
        (0..96).for_each(|i| add!(text, "    x = x * {} + a;\n", i + 3));
        add!(text, "    return x;\n}}\n");
    };
    repeat("", n.div_ceil(100), function, "int main() {\n    return f0(1);\n}\n")
}

fn functions(n: usize) -> String {
    let defined = repeat("", n, |t, k| add!(t, "int f{k}(int a) {{ return a + {k}; }}\n"), SUM);
    repeat(&defined, n, |t, k| add!(t, "    sum += f{k}(1);\n"), RETURN)
}

fn call_chain(n: usize) -> String {
    let next = |t: &mut String, k| add!(t, "int f{}(int a) {{ return f{k}(a) + 1; }}\n", k + 1);
    let last = format!("int main() {{ return f{n}(0) % 100; }}\n");
    repeat("int f0(int a) { return a; }\n", n, next, &last)
}

fn match_arms(n: usize) -> String {
    let arm = |t: &mut String, k| add!(t, "        {} => {k},\n", 3 * k);
    let after = "        _ => 7,\n    };\n}\nint main() { return pick(3); }\n";
    repeat("int pick(int x) {\n    return match (x) {\n", n, arm, after)
}

fn string_arms(n: usize) -> String {
    let arm = |t: &mut String, k| add!(t, "        \"k{k}\" => {k},\n");
    let after = "        _ => 7,\n    };\n}\nint main() { return pick(\"k0\"); }\n";
    repeat("int pick(string x) {\n    return match (x) {\n", n, arm, after)
}

fn switch_cases(n: usize) -> String {
    let case = |t: &mut String, k| add!(t, "        case ({}) {{ return {k}; }}\n", 3 * k);
    let after = "    }\n    return 7;\n}\nint main() { return pick(3); }\n";
    repeat("int pick(int x) {\n    switch (x) {\n", n, case, after)
}

fn else_ifs(n: usize) -> String {
    let arm = |t: &mut String, k| add!(t, " else if (x == {k}) {{\n        return {k};\n    }}");
    let after = "\n    return 7;\n}\nint main() { return pick(0); }\n";
    repeat("int pick(int x) {\n    if (x < 0) {\n        return 1;\n    }", n, arm, after)
}

fn variants(n: usize) -> String {
    let before = repeat(
        "enum E {\n",
        n,
        |t, k| add!(t, "    V{k},\n"),
        "}\nint pick(E x) {\n    return match (x) {\n",
    );
    let after = "    };\n}\nint main() { return pick(E::V0); }\n";
    repeat(&before, n, |t, k| add!(t, "        E::V{k} => {k},\n"), after)
}

fn payloads(n: usize) -> String {
    let middle = "}\nint pick(E x) {\n    return match (x) {\n";
    let before = repeat("enum E {\n", n, |t, k| add!(t, "    V{k}(int),\n"), middle);
    let after = "    };\n}\nint main() {\n    E e = E::V0(5);\n    return pick(e);\n}\n";
    repeat(&before, n, |t, k| add!(t, "        E::V{k}(a) => a + {k},\n"), after)
}

fn long_string(n: usize) -> String {
    let text = "x".repeat(n);
    format!("int main() {{\n    string s = \"{text}\";\n    return s.len() as int % 100;\n}}\n")
}

fn terms(n: usize) -> String {
    repeat(
        "int main() {\n    int a = 1;\n    int x = 0",
        n,
        |t, _| t.push_str(" + a"),
        ";\n    return x % 100;\n}\n",
    )
}

fn parentheses(n: usize) -> String {
    let (open, close) = ("(".repeat(n), " + 1)".repeat(n));
    format!("int main() {{\n    int x = 1;\n    return {open}x{close} % 100;\n}}\n")
}

fn instances(n: usize) -> String {
    let before = "struct Box<T, N: const int> { T value; }\n\
                  <T, N: const int> int get(Box<T, N> b) { return b.value + N; }\n";
    let each = |t: &mut String, k| {
        add!(t, "    Box<int, {}> b{k};\n    sum += get(b{k});\n", k + 1);
    };
    repeat(&format!("{before}{SUM}"), n, each, RETURN)
}

fn array_literal(n: usize) -> String {
    let before = format!("int main() {{\n    int[{n}] a = [");
    repeat(&before, n, |t, k| add!(t, "{k}, "), "0];\n    return a[0];\n}\n")
        .replacen(", 0];", "];", 1)
}

fn slice_literal(n: usize) -> String {
    repeat(
        "int main() {\n    int x = 3;\n    int[] a = [",
        n,
        |t, _| t.push_str("x, "),
        "x];\n    return a[0];\n}\n",
    )
}

fn string_literals(n: usize) -> String {
    let before = "void show(string text) { }\nint main() {\n";
    repeat(before, n, |t, k| add!(t, "    show(\"text {k}\");\n"), "    return 0;\n}\n")
}

fn interpolations(n: usize) -> String {
    let each = |t: &mut String, k| {
        add!(
            t,
            "    string s{k} = \"value {k}: {{sum}} and {{sum}}\";\n    sum += s{k}.len() as int;\n"
        );
    };
    repeat(SUM, n, each, RETURN)
}

fn concatenations(n: usize) -> String {
    let after = ";\n    return s.len() as int % 100;\n}\n";
    repeat("int main() {\n    string s = \"\" + 1", n, |t, k| add!(t, " + \"a{k}\""), after)
}

fn nested_blocks(n: usize) -> String {
    let open = |t: &mut String, k| add!(t, "{{ int y{k} = sum; sum = y{k} + 1;\n");
    repeat(SUM, n, open, &format!("{}\n{RETURN}", "}".repeat(n)))
}

fn locals(n: usize) -> String {
    let each = |t: &mut String, k| add!(t, "    int v{} = v{k} + 1;\n", k + 1);
    repeat("int main() {\n    int v0 = 1;\n", n, each, &format!("    return v{n} % 100;\n}}\n"))
}

fn slice_locals(n: usize) -> String {
    repeat(SUM, n, |t, k| add!(t, "    int[] s{k} = [sum, {k}];\n    sum += s{k}[1];\n"), RETURN)
}

fn loops(n: usize) -> String {
    let each = |t: &mut String, k| {
        add!(t, "    for (int i = 0; i < {}; i++) {{ sum += i; }}\n", k % 9);
    };
    repeat(SUM, n, each, RETURN)
}

fn defers(n: usize) -> String {
    let before = "void note(int x) { }\nint main() {\n";
    repeat(before, n, |t, k| add!(t, "    defer note({k});\n"), "    return 0;\n}\n")
}

fn lambdas(n: usize) -> String {
    let each = |t: &mut String, k| {
        add!(t, "    int*(int) f{k} = (int a) => a + {k};\n    sum += f{k}(1);\n");
    };
    repeat(SUM, n, each, RETURN)
}

fn impls(n: usize) -> String {
    let each = |t: &mut String, k| {
        add!(t, "impl S {{ int m{k}() {{ return self.v + {k}; }} }}\n");
    };
    let before = repeat("struct S { int v; }\n", n, each, &format!("{SUM}    S s;\n"));
    repeat(&before, n, |t, k| add!(t, "    sum += s.m{k}();\n"), RETURN)
}

fn interfaces(n: usize) -> String {
    let each = |t: &mut String, k| {
        add!(t, "interface I{k} {{ int m{k}(); }}\n");
        add!(t, "impl S for I{k} {{ int m{k}() {{ return self.v + {k}; }} }}\n");
    };
    let before = repeat("struct S { int v; }\n", n, each, &format!("{SUM}    S s;\n"));
    repeat(&before, n, |t, k| add!(t, "    sum += s.m{k}();\n"), RETURN)
}

fn fields(n: usize) -> String {
    let middle = format!("}}\n{SUM}    S s;\n");
    let before = repeat("struct S {\n", n, |t, k| add!(t, "    int f{k};\n"), &middle);
    repeat(&before, n, |t, k| add!(t, "    s.f{k} = {k};\n    sum += s.f{k};\n"), RETURN)
}

fn globals(n: usize) -> String {
    let before = repeat("", n, |t, k| add!(t, "int g{k} = {k};\n"), SUM);
    repeat(&before, n, |t, k| add!(t, "    sum += g{k};\n"), RETURN)
}

fn constants(n: usize) -> String {
    let each = |t: &mut String, k| add!(t, "const int c{} = c{k} + 1;\n", k + 1);
    let after = format!("int main() {{ return c{n} % 100; }}\n");
    repeat("const int c0 = 1;\n", n, each, &after)
}
