//! A connection.
use durable::prelude::*;
use shop::*;
use std::net::TcpStream;

#[workflow]
async fn wrong(sku: String) -> u64 {
    let peer = TcpStream::connect("shop:80").unwrap();
    //~ error[E0277] at `peer`
    let price = price(&sku).await;
    drop(peer);
    price
}
