//! Pages for browsers: what is drawn in them is what happened.

use crate::Place;
use serde_json::Value;
use std::{collections::BTreeMap, fs, process::Command};

/// What the script of a page draws. Where there is node, it is run too.
fn data(place: &Place, page: &str) -> Value {
    let path = place.path.join(page);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/page.js");
    if let Ok(ran) = Command::new("node").args([script, path.as_str()]).output() {
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    let text = fs::read_to_string(path).expect("a page");
    assert!(!text.contains("http://") && !text.contains("https://"), "a page needs no network");
    let line = text.lines().find_map(|line| line.strip_prefix("const data = ")).expect("data");
    serde_json::from_str(line.trim_end_matches(';')).expect("JSON")
}

fn place() -> Place {
    let place = Place::new(&[
        ("main.cm", "import ./geo::{area};\nint main() { return area(21); }\n"),
        ("geo.cm", "export int area(int a) { return a * 2; }\nint other() { return 1; }\n"),
    ]);
    assert_eq!(place.cm("run -O0 main.cm").exit, 42);
    place.write("geo.cm", "export int area(int a) { return a * 3; }\nint other() { return 1; }\n");
    place
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

#[test]
fn the_graph_of_the_last_build() {
    let place = place();
    assert_eq!(place.cm("why --graph=none/page.html").exit, 1);
    assert_eq!(place.cm("run -O0 main.cm").exit, 63);
    let drawn = place.cm("why --graph=page.html");
    assert_eq!((drawn.exit, &*drawn.stdout, &*drawn.stderr), (0, "", ""));
    let page = data(&place, "page.html");
    let queries = texts(&page["queries"]);
    let nodes = page["nodes"].as_array().expect("nodes");
    let name = |node: &Value| {
        let query = queries[node[0].as_u64().expect("a number") as usize];
        format!("{query}({})", node[1].as_str().expect("a key"))
    };
    let states: BTreeMap<String, &Value> = nodes.iter().map(|node| (name(node), node)).collect();
    let state = |name: &str| states[name][2].as_u64();
    assert_eq!(state("source(geo)"), Some(1));
    assert_eq!(state("source(main)"), Some(0));
    assert_eq!((state("mir(geo::area)"), state("mir(main::main)")), (Some(1), Some(0)));
    // From an edge to its ends: what ran names what it ran because of.
    let cause = states["mir(geo::area)"][4].as_u64().expect("a cause") as usize;
    assert_eq!(name(&nodes[cause]), "checked_body(geo::area)");
    let at = nodes.iter().position(|node| name(node) == "mir(geo::area)").expect("a node");
    let reads: Vec<u64> = serde_json::from_value(page["reads"][at].clone()).expect("numbers");
    assert!(reads.contains(&(cause as u64)), "{reads:?}");
    // A build that has nothing to do has a graph all the same.
    assert_eq!(place.cm("run -O0 main.cm").exit, 63);
    assert_eq!(place.cm("why --graph=page.html").exit, 0);
    let page = data(&place, "page.html");
    let nodes = page["nodes"].as_array().expect("nodes");
    assert!(nodes.iter().all(|node| node[2] == 0), "{nodes:?}");
}

#[test]
fn the_time_of_a_build() {
    let place = place();
    assert_eq!(place.cm("run -O0 --no-cache --timings=page.html main.cm").exit, 63);
    let page = data(&place, "page.html");
    let queries = texts(&page["queries"]);
    let runs = page["runs"].as_array().expect("runs");
    let number = |run: &Value, at: usize| run[at].as_u64().expect("a number");
    let of = |query: &str| {
        let at = queries.iter().position(|name| *name == query).expect("it ran") as u64;
        runs.iter().find(|run| number(run, 0) == at).expect("it ran")
    };
    assert!(runs.iter().all(|run| number(run, 2) <= number(run, 3)), "{runs:?}");
    // What was asked for ran meanwhile.
    let (object, bitcode) = (of("unit_object"), of("unit_bitcode"));
    assert!(number(object, 2) <= number(bitcode, 2) && number(bitcode, 3) <= number(object, 3));
    assert_eq!(place.cm("check --timings main.cm").exit, 0);
    assert!(place.path.join("cm-timings.html").exists());
}
