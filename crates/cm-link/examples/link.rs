//! Links objects as the compiler does, and says how long it took: `link OUTPUT OBJECT…`.

use cm_link::{Library, executable};
use std::{env, fs, os::unix::fs::PermissionsExt, time::Instant};

fn main() {
    let mut args = env::args().skip(1);
    let output = args.next().expect("an output");
    let objects: Vec<_> = args.map(|path| (fs::read(&path).expect("an object"), path)).collect();
    let objects: Vec<_> = objects.iter().map(|(data, path)| (path.as_str(), &data[..])).collect();
    let libraries = ["libc.so.6", "libm.so.6"].map(|name| {
        let path = format!("/lib/{}-linux-gnu/{name}", env::consts::ARCH);
        (name, fs::read(path).expect("the C library"))
    });
    for _ in 0..5 {
        let start = Instant::now();
        let libraries: Vec<_> = libraries
            .iter()
            .map(|(name, data)| Library::parse(name, data).expect("a library"))
            .collect();
        let linked = executable(&objects, &libraries);
        let time = start.elapsed();
        match linked {
            Ok(bytes) => {
                println!("{time:?}, {} bytes", bytes.len());
                fs::write(&output, bytes).expect("written");
                let mode = fs::Permissions::from_mode(0o755);
                fs::set_permissions(&output, mode).expect("executable");
            }
            Err(error) => println!("{error}"),
        }
    }
}
