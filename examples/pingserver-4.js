// UDP ping server, in four lines
function reply(srcip, srcport, mess) {
  sendmess(srcip, srcport, mess);
}
if (callfunc === 'initialize') recvmess(getmyip(), 54321, reply);
