//! A connection.
use durable::prelude::*;
use shop::*;
use std::net::TcpStream;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let peer = TcpStream::connect("shop:80").unwrap();
    //~ error[E0277] at `peer`: an open file or connection (`TcpStream`) can't be kept over an await: it is closed when the process stops
    //~ see docs/errors/file-handle.md
    let price = price(&sku).await;
    drop(peer);
    price
}
