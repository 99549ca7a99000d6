// waitforconn looked `Symbol` up when it was called: without it the call failed, and its listener stayed for ever.
// Logs: 1 0
const listening = [];
globalThis.Symbol = undefined;
listening[0] = await waitforconn(getmyip(), 28301);
const during = getresources().usage.insockets;
listening[0].close();
log(during, getresources().usage.insockets);
exitall();
