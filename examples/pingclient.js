// UDP ping client: seash> run pingclient.js 10.0.0.7 hello
if (callfunc === 'initialize') {
  recvmess(getmyip(), 43210, (srcip, srcport, mess) => log('received:', mess, 'from', srcip, srcport, '\n'));
  sendmess(callargs[0], 54321, callargs[1], getmyip(), 43210);
  settimer(1, exitall);
}
