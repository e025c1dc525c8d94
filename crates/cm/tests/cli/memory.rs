//! The memory of programs: what they no longer need is given back, whatever its shape and whichever
//! thread used it last.

use super::*;

/// The ways in which a program is run in full: the arguments that compile it, or `run`.
const MODES: [&str; 3] = ["run", "-O0", "-O3"];

/// Runs `main.cm`. Executables may use so many kilobytes of memory, and what is freed is overwritten.
fn run(place: &Place, mode: &str, kilobytes: u32) -> Outcome {
    if mode == "run" {
        return place.cm("run main.cm");
    }
    let compiled = place.cm(&format!("compile -q {mode} -o program main.cm"));
    assert_eq!((compiled.exit, compiled.stderr.as_str()), (0, ""), "{mode}");
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {kilobytes} && exec ./program")]);
    command.current_dir(&place.path).env("MALLOC_PERTURB_", "165");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    outcome(command.spawn().expect("the program starts"))
}

fn check_modes(program: &str, kilobytes: u32, expected: &str) {
    let place = Place::new(&[("main.cm", program)]);
    for mode in MODES {
        let found = run(&place, mode, kilobytes);
        let expected = Outcome { exit: 0, stdout: expected.to_owned(), stderr: String::new() };
        assert_eq!(found, expected, "{mode}");
    }
}

/// A million objects, each of which refers to the next one, are freed at once.
#[test]
fn long_lists() {
    let conformance = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance/memory");
    let text = fs::read_to_string(Utf8Path::new(conformance).join("long_lists.cm"));
    let text = text.expect("the program").replace("COUNT = 40000", "COUNT = 1000000");
    check_modes(&text, 1_000_000, "999999\n1\n999999\nfalse\n999997\n");
}

/// What a loop makes in a round is freed in it: the whole would take several times what there is.
#[test]
fn loops_take_no_more_memory() {
    let program = r#"
        struct Item { string name; int[] data; }
        string cut(string s) { return s[1:] + "x"; }
        int main() {
            string s = "abcdefghijklmnopqrstuvwxyz";
            long total = 0;
            for (int i = 0; i < 3000000; i++) {
                s = cut(s);
                string t = s + "{i}";
                total += t.len() as long;
            }
            int[] last = [];
            for (int i = 0; i < 1000000; i++) {
                int[] a = [i, 1, 2, 3, 4, 5, 6, 7];
                a.push(i);
                int[] b = a[1:5];
                Item item = { name: "n{i}", data: b };
                last = item.data;
                int*(int) f = (int x) => x + b[0] + last[1];
                total += f(1) as long;
            }
            println("{s} {total} {last[3]}");
            return 0;
        }
    "#;
    check_modes(program, 60_000, "xxxxxxxxxxxxxxxxxxxxxxxxxx 101888890 4\n");
}

/// Threads hold strings, slices, function and interface values in common and drop them in an order that
/// nobody knows.
#[test]
fn threads_share_objects() {
    let program = r#"
        import native::thread as thread;

        interface Shape { int area(); }
        struct Square { int side; string name; }
        impl Square for Shape { int area() { return self.side * self.side + self.name.len() as int; } }
        struct Node { int value; Node[] next; }
        struct Shared { string text; string[] words; int*(int) f; Shape shape; Node[] list; int sum; }

        Shared make(int n) {
            string text = "text of round {n}";
            int[] numbers = [n, n + 1];
            Square square = { side: n % 10, name: "square {n}" };
            Shared made;
            made.text = text + "!";
            made.words = [text, made.text, "word {n}"];
            made.f = (int x) => x + numbers[1] + text.len() as int;
            made.shape = square;
            for (int i = 0; i < 20; i++) {
                Node node = { value: i, next: made.list };
                made.list = [node];
            }
            return made;
        }

        int look(Shared s) {
            int sum = s.text.len() as int + s.f(1) + s.shape.area();
            for (w in s.words) { string joined = w + s.text; sum += joined.len() as int; }
            Node[] list = s.list;
            while (list.len() > 0) { sum += list[0].value; list = list[0].next; }
            return sum;
        }

        void* work(void* arg) {
            Shared* mine = arg as Shared*;
            int sum = 0;
            Shared empty;
            for (int i = 0; i < 10; i++) {
                Shared copy = *mine;
                Shared[] several = [copy, copy];
                sum += look(several[i % 2]);
            }
            // Whoever is last frees what the others have shared.
            *mine = empty;
            mine->sum = sum;
            return null;
        }

        int main() {
            long total = 0;
            for (int round = 0; round < 150; round++) {
                Shared[4] shared;
                Shared made = make(round);
                for (int i = 0; i < 4; i++) { shared[i] = made; }
                long expected = 40 * look(made) as long;
                Shared empty;
                ulong[4] ids;
                for (int i = 0; i < 4; i++) { ids[i] = thread::spawn_with_arg(work as void*, &shared[i]); }
                made = empty;
                for (int i = 0; i < 4; i++) {
                    thread::join(ids[i]);
                    expected -= shared[i].sum as long;
                }
                if (expected != 0) { println("round {round}: {expected}"); }
            }
            println("done");
            return 0;
        }
    "#;
    check_modes(program, 2_000_000, "done\n");
}
