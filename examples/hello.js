// repy hello.js YOU
log('Hello,', callargs[0] ?? 'world', 'from', getmyip(), '\n');
