// UDP multicast: a message to a group of vessels, which all run this program
// seash> %all run multicast.js 63100 10.0.0.7 10.0.0.8 10.0.0.9
const [port, ...group] = callargs;

async function multicast(message) {
  for (const ip of group) await sendmess(ip, Number(port), message);
}

recvmess(getmyip(), Number(port), (srcip, srcport, message) => log(srcip, srcport, 'says', message, '\n'));

// Who starts late has missed what was said before, and a packet may be lost: it is said again.
for (let time = 1; time <= 5; time++) {
  await multicast(`hello ${time}`);
  await sleep(1);
}
exitall();
