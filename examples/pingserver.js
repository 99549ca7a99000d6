// UDP ping server
if (callfunc === 'initialize') recvmess(getmyip(), 54321, (srcip, srcport, mess) => sendmess(srcip, srcport, mess));
