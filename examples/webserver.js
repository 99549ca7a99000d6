// Web server: shows the files of its vessel to browsers
// seash> upload index.html
// seash> run webserver.js 63100
const port = Number(callargs[0] ?? 63100);
const HEAD_BYTES = 8192; // The longest request that is read.
const PIECE_BYTES = 65536; // A file is sent in pieces: however long it is, this much of it is held.
const PATIENCE = 10; // Seconds for a browser to send its request, and to take each piece.
const TYPES = {
  css: 'text/css',
  gif: 'image/gif',
  html: 'text/html; charset=utf-8',
  jpg: 'image/jpeg',
  js: 'text/javascript',
  json: 'application/json',
  png: 'image/png',
  svg: 'image/svg+xml',
  txt: 'text/plain; charset=utf-8',
};
const oneReader = createlock(); // A file is open once at a time.

/** Waits for a step of a connection, and closes the connection when it takes too long. */
async function inTime(sock, step) {
  const timer = settimer(PATIENCE, () => sock.close());
  try {
    return await step;
  } finally {
    canceltimer(timer);
  }
}

async function readHead(sock) {
  let head = '';
  while (!head.includes('\r\n\r\n') && head.length < HEAD_BYTES) head += await sock.recv(1024);
  return head;
}

/** @returns what to send: a status with the first piece of a file, or with a page. */
async function answerTo(head) {
  if (!head.includes('\r\n\r\n')) return { status: '431 Request Header Fields Too Large', method: 'GET' };
  const [, method, path] = /^([A-Z]+) \/([^\s?]*)\S* HTTP\/1\.1\r\n/.exec(head) ?? [];
  if (method === undefined) return { status: '400 Bad Request', method };
  if (method !== 'GET' && method !== 'HEAD')
    return { status: '405 Method Not Allowed', method, more: 'allow: GET, HEAD\r\n' };
  const name = path === '' ? 'index.html' : path;
  try {
    return { status: '200 OK', method, name, piece: await readPiece(name, 0) };
  } catch (error) {
    if (!(error instanceof FileNotFoundError || error instanceof RepyArgumentError)) throw error;
    return path === ''
      ? { status: '200 OK', method, page: listing(await listfiles()) }
      : { status: '404 Not Found', method };
  }
}

function listing(names) {
  const items = names
    .filter((name) => /^[a-z0-9._-]+$/.test(name))
    .map((name) => `<li><a href="${name}">${name}</a></li>`);
  return `<!doctype html><title>Files</title><h1>Files of this vessel</h1><ul>${items.join('\n')}</ul>`;
}

async function readPiece(name, offset) {
  await oneReader.acquire();
  try {
    const file = await openfile(name, false, { encoding: 'binary' });
    try {
      return await file.readat(PIECE_BYTES, offset);
    } finally {
      await file.close();
    }
  } finally {
    oneReader.release();
  }
}

function headOf(status, type, more) {
  return `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n${more}\r\n`;
}

async function sendPage(sock, { status, page = `<!doctype html><h1>${status}</h1>`, more = '', method }) {
  const { length } = new TextEncoder().encode(page);
  const head = headOf(status, TYPES.html, `content-length: ${length}\r\n${more}`);
  await inTime(sock, sock.send(method === 'HEAD' ? head : head + page));
}

/** In chunks, because the file may change while it is sent: how long it is shows at its end. */
async function sendFile(sock, { status, name, method, piece: first }) {
  const type = TYPES[name.split('.').at(-1)] ?? 'application/octet-stream';
  await inTime(sock, sock.send(headOf(status, type, 'transfer-encoding: chunked\r\n')));
  if (method === 'HEAD') return;
  let offset = 0;
  for (let piece = first; piece.length > 0; piece = await readPiece(name, offset)) {
    offset += piece.length;
    sock.send(`${piece.length.toString(16)}\r\n`);
    sock.send(piece);
    await inTime(sock, sock.send('\r\n'));
  }
  await inTime(sock, sock.send('0\r\n\r\n'));
}

async function serve(ip, sock) {
  try {
    const answer = await answerTo(await inTime(sock, readHead(sock)));
    log(ip, answer.status, answer.name ?? '', '\n');
    await (answer.name === undefined ? sendPage(sock, answer) : sendFile(sock, answer));
  } catch (error) {
    log(ip, error, '\n'); // The browser went away, or was too slow.
  } finally {
    sock.close();
  }
}

for await (const { ip, sock } of waitforconn(getmyip(), port)) serve(ip, sock);
