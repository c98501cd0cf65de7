use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;

use super::*;

#[tokio::test]
async fn a_connection_that_ends_becomes_the_spare_that_is_missing() {
    let spares = Spares::default();
    spares.fill();
    assert!(spares.spend() && spares.spend());
    assert!(!spares.spend());
    for _ in 0..SPARES + 1 {
        let (server, mut client) = UnixStream::pair().unwrap();
        drop(Lent::new(server.into(), spares.clone()));
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0, "it has ended");
    }
    assert_eq!(spares.lock().len(), SPARES);
}
