// TCP tunnel: who connects to this vessel is connected through to another place
// seash> run tunnel.js 63100 10.0.0.9 80
const [port, place, placeport] = callargs;

async function carry(from, to) {
  try {
    for (;;) await to.send(await from.recv(65536));
  } catch {
    for (const side of [from, to]) side.close(); // When one is over, so is the other.
  }
}

for await (const { ip, sock } of waitforconn(getmyip(), Number(port), { encoding: 'binary' })) {
  log('a connection from', ip, '\n');
  openconn(place, Number(placeport), { encoding: 'binary' }).then(
    (other) => Promise.all([carry(sock, other), carry(other, sock)]),
    () => sock.close(),
  );
}
