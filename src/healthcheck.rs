//! `meterbridge healthcheck`: for containers without a shell.

use std::io::Write;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::time::Duration;

/// How long the bridge may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the bridge that listens on `http_listen` whether it is ready: success if so, else failure, with a line on standard
/// error that says why. A wildcard address is asked on loopback.
pub fn run(http_listen: &str) -> ExitCode {
    match ask(http_listen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            // There is nobody else to tell.
            let _ = writeln!(std::io::stderr(), "meterbridge: {http_listen}: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn ask(http_listen: &str) -> Result<(), String> {
    let address = http_listen
        .to_socket_addrs()
        .map_err(|error| error.to_string())?
        .next()
        .ok_or("no address")?;
    let url = format!("http://{}/-/ready", reachable(address));
    let client = reqwest::blocking::Client::builder()
        .timeout(PATIENCE)
        .no_proxy()
        .build();
    let answer = client
        .and_then(|client| client.get(url).send())
        .map_err(|error| chain(&error))?;
    if answer.status().is_success() {
        Ok(())
    } else {
        Err(format!("not ready ({})", answer.status()))
    }
}

fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => IpAddr::from([127, 0, 0, 1]),
            IpAddr::V6(_) => IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]),
        });
    }
    address
}

/// The innermost cause says most: connection refused, timed out.
fn chain(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_is_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:1", "[::1]:1"),
            ("10.0.0.1:1", "10.0.0.1:1"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), asked);
        }
    }

    #[test]
    fn nobody_there_is_an_error_in_words() {
        let free = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        assert!(ask(&free.to_string()).unwrap_err().contains("refused"));
        assert!(ask("no address").is_err());
    }
}
