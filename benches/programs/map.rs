//! The peer of `map.cm`.
use std::collections::HashMap;

fn main() {
    let mut map: HashMap<i32, i32> = HashMap::new();
    let mut key = 12345_u32;
    for i in 0..1_000_000 {
        key = key.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        map.insert(key as i32, i);
    }
    let mut sum = 0_i64;
    key = 12345;
    for _ in 0..1_000_000 {
        key = key.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        sum += i64::from(map.get(&(key as i32)).copied().unwrap_or(0));
    }
    println!("{} {sum}", map.len());
}
