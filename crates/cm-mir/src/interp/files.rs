//! The functions of C's library that reach the file system, through the host.

use super::{FileCall, Host, Run, exec::Machine};

impl Machine<'_> {
    /// `None`: it is no such function.
    pub fn file_function(&mut self, symbol: &str, [a, b, c]: [u64; 3]) -> Option<Run<u64>> {
        let fd = a as i32;
        Some(match symbol {
            "open" => self.on_path(a, |path| FileCall::Open(path, b as i32, c as u32)),
            "access" => self.on_path(a, |path| FileCall::Exists(path)),
            "unlink" => self.on_path(a, |path| FileCall::Remove(path)),
            "read" if fd == 0 => self.read_input(b, c),
            "read" => match self.memory.bytes_mut(b, c) {
                Ok(bytes) => Ok(self.host.file(FileCall::Read(fd, bytes)) as u64),
                Err(stop) => Err(stop),
            },
            "write" => match self.memory.bytes(b, c) {
                Ok(bytes) => Ok(write(self.host, fd, bytes) as u64),
                Err(stop) => Err(stop),
            },
            "lseek" => Ok(self.host.file(FileCall::Seek(fd, b as i64, c as i32)) as u64),
            "close" => Ok(self.host.file(FileCall::Close(fd)) as u64),
            _ => return None,
        })
    }

    /// `read` from standard input.
    fn read_input(&mut self, to: u64, room: u64) -> Run<u64> {
        for count in 0..room {
            let Some(byte) = self.host.stdin() else { return Ok(count) };
            self.memory.store(to.wrapping_add(count), 1, byte.into())?;
            if byte == b'\n' {
                return Ok(count + 1);
            }
        }
        Ok(room)
    }

    fn on_path(&mut self, path: u64, call: impl FnOnce(&[u8]) -> FileCall<'_>) -> Run<u64> {
        Ok(self.host.file(call(self.memory.string(path)?)) as u64)
    }
}

fn write(host: &mut dyn Host, fd: i32, bytes: &[u8]) -> i64 {
    match fd {
        1 => host.stdout(bytes),
        2 => host.stderr(bytes),
        _ => return host.file(FileCall::Write(fd, bytes)),
    }
    bytes.len() as i64
}
