//! The servers that `make bench` compares with: plain actix-web that says hello, and actix-files. Usage: `peers DIRECTORY`. The
//! program prints the port and serves `/hello` and the files of the directory below `/files/`, until it is killed.

use std::{
    error::Error,
    io::{Write as _, stdout},
    path::PathBuf,
};

use actix_files::Files;
use actix_web::{App, HttpServer, rt::System, web};

fn main() -> Result<(), Box<dyn Error>> {
    let directory = PathBuf::from(std::env::args_os().nth(1).ok_or("usage: peers DIRECTORY")?);
    System::new().block_on(async {
        let server = HttpServer::new(move || {
            App::new()
                .route("/hello", web::get().to(async || "hello"))
                .service(Files::new("/files", &directory).prefer_utf8(false))
        });
        let server = server.bind(("127.0.0.1", 0))?;
        let port = server.addrs().first().ok_or("no address")?.port();
        writeln!(stdout(), "{port}")?;
        stdout().flush()?;
        server.run().await?;
        Ok(())
    })
}
