//! `native::http` with TLS, against the server of OpenSSL's command.

use crate::{Place, outcome};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
};

/// A program that asks a server without TLS, which sends it on to one with it.
const PROGRAM: &str = "\
import native::http::{HttpRequest, HttpResponse};
import std::io::{input_int};
int main() {
    HttpRequest request;
    request.init();
    request.set_url(\"127.0.0.1\", input_int(), \"/\");
    request.set_follow_redirects(1);
    request.set_timeout(20000);
    HttpResponse response = request.execute();
    println(\"{response.is_ok} {response.status} [{response.body}] {response.err_msg}\");
    return 0;
}
";

/// The server, and its port.
struct Server(Child, u16);

impl Server {
    /// Serves the files of a place. `None`: this machine has no such command.
    fn start(place: &Place) -> Option<Server> {
        let mut make = Command::new("openssl");
        make.args(
            "req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2".split(' '),
        );
        make.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]);
        make.current_dir(&place.path).stdout(Stdio::null()).stderr(Stdio::null());
        if !make.status().is_ok_and(|status| status.success()) {
            return None;
        }
        let mut serve = Command::new("openssl");
        serve.args("s_server -accept 127.0.0.1:0 -cert cert.pem -key key.pem -WWW".split(' '));
        serve.current_dir(&place.path).stdin(Stdio::null()).stderr(Stdio::null());
        let mut child = serve.stdout(Stdio::piped()).spawn().expect("openssl starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let told = lines.map_while(Result::ok).find(|line| line.starts_with("ACCEPT"));
        let port = told.and_then(|line| line.rsplit(':').next()?.trim().parse().ok());
        Some(Server(child, port.expect("a port")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Sends so many requests on to an address. Gives the port.
fn redirect(to: String, times: usize) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for connection in listener.incoming().take(times) {
            let mut connection = connection.expect("a connection");
            let _ = connection.read(&mut [0; 4096]);
            let head = format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
            let _ = connection.write_all(head.as_bytes());
        }
    });
    port
}

#[test]
fn certificates_are_checked() {
    let place = Place::new(&[("main.cm", PROGRAM), ("hello.txt", "over TLS")]);
    let Some(server) = Server::start(&place) else { return };
    let ask = |command: &str, host: &str, certificates: &str| {
        let to = format!("https://{host}:{}/hello.txt", server.1);
        let port = redirect(to, 1);
        let mut command = place.command(command);
        command.env("SSL_CERT_FILE", place.path.join(certificates)).stdin(Stdio::piped());
        let mut child = command.spawn().expect("cm starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        writeln!(stdin, "{port}").expect("it reads");
        drop(stdin);
        outcome(child).stdout
    };
    for command in ["run -O0 main.cm", "compile --run -q -o program main.cm"] {
        assert_eq!(ask(command, "localhost", "cert.pem"), "1 200 [over TLS] \n", "{command}");
        // Another name than that of the certificate, and one that nobody has vouched for.
        for (host, certificates) in [("127.0.0.1", "cert.pem"), ("localhost", "none.pem")] {
            let expected = format!("0 -1 [] Certificate not trusted: {host}:{}\n", server.1);
            assert_eq!(ask(command, host, certificates), expected, "{command}");
        }
    }
}

/// A program that writes where nothing can be written any more.
const GONE: &str = "\
import native::net::{tcp_connect, tcp_close};
import std::io::input_int;
use libc as c {
    int shutdown(int fd, int how);
    void* cm_tls_open(int fd, string host, int* problem);
    int cm_tls_write(void* session, void* bytes, int size);
    void cm_tls_close(void* session);
}
int main() {
    long fd = tcp_connect(\"127.0.0.1\" as long, input_int());
    int problem = 0;
    void* session = c::cm_tls_open(fd as int, \"localhost\", &problem);
    string text = \"bytes\";
    println(\"{problem} {c::cm_tls_write(session, text as void*, 5)}\");
    c::shutdown(fd as int, 1);
    println(c::cm_tls_write(session, text as void*, 5) > 0);
    c::cm_tls_close(session);
    tcp_close(fd);
    return 4;
}
";

#[test]
fn a_connection_that_is_gone_is_an_error() {
    let place = Place::new(&[("main.cm", GONE)]);
    let Some(server) = Server::start(&place) else { return };
    for command in ["run -O0 main.cm", "compile --run -q -o program main.cm"] {
        let mut command = place.command(command);
        command.env("SSL_CERT_FILE", place.path.join("cert.pem")).stdin(Stdio::piped());
        let mut child = command.spawn().expect("cm starts");
        writeln!(child.stdin.take().expect("a pipe"), "{}", server.1).expect("it reads");
        let found = outcome(child);
        assert_eq!((found.stdout.as_str(), found.exit), ("0 5\nfalse\n", 4), "{found:?}");
    }
}
