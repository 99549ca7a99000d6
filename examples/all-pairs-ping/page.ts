import type { Matrix } from './matrix.ts';
import type { Peer } from './peers.ts';

const MOST_REQUEST_LENGTH = 8192;
const REQUEST_SECONDS = 10;

/** Serves the matrix over HTTP on this vessel's TCP port: a page at `/`, data at `/matrix.json`. */
export async function serve(me: Peer, matrix: () => Matrix): Promise<void> {
  try {
    await waitforconn(me.ip, me.port, async (_ip, _port, sock) => {
      const timer = settimer(REQUEST_SECONDS, () => sock.close());
      try {
        await answer(sock, matrix());
      } catch (error) {
        // The browser went away: nothing to do for it.
        if (!(error instanceof RepyError)) throw error;
      } finally {
        canceltimer(timer);
        sock.close();
      }
    });
  } catch (error) {
    if (!(error instanceof RepyError)) throw error;
    log(`no page: ${error.message}\n`);
  }
}

async function answer(sock: RepySocket, matrix: Matrix): Promise<void> {
  let request = '';
  while (!request.includes('\r\n\r\n') && request.length < MOST_REQUEST_LENGTH) request += await sock.recv(4096);
  const path = /^GET (\S+) HTTP/.exec(request)?.[1];
  if (path === '/matrix.json') await reply(sock, '200 OK', 'application/json', JSON.stringify(matrix));
  else if (path === '/') await reply(sock, '200 OK', 'text/html; charset=utf-8', page(matrix));
  else await reply(sock, '404 Not Found', 'text/plain', 'expected / or /matrix.json\n');
}

/** The body is ASCII, so that its length in characters is its length in bytes. */
async function reply(sock: RepySocket, status: string, type: string, body: string): Promise<void> {
  const head = `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n`;
  await sock.send(`${head}cache-control: no-store\r\nconnection: close\r\n\r\n${body}`);
}

const STYLE = `
:root { color-scheme: light dark; font-family: system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 3px; font-variant-numeric: tabular-nums; }
th { font-weight: 500; text-align: right; padding: .3rem .6rem; white-space: nowrap; }
td { text-align: right; padding: .5rem .8rem; border-radius: 6px; min-width: 4rem; color: #123; }
td.self, td.none { background: #8883; color: inherit; }
p { opacity: .7; }`;

function page({ peers, rtt }: Matrix): string {
  const head = peers.map((name) => `<th scope="col">${name}</th>`).join('');
  const rows = rtt.map((row, from) => {
    const cells = row.map((ms, to) => cell(ms, from === to)).join('');
    return `<tr><th scope="row">${peers[from]}</th>${cells}</tr>`;
  });
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="2"><title>All-pairs ping</title><style>${STYLE}</style></head>
<body><h1>All-pairs ping</h1><div class="scroll"><table><thead><tr><th>ms</th>${head}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>
<p>Round-trip times in milliseconds, from the vessel on the left to the vessel above: the shortest of the last ten.
The same as <a href="/matrix.json">data</a>.</p></body></html>
`;
}

function cell(ms: number | null, self: boolean): string {
  if (self) return '<td class="self">&middot;</td>';
  if (ms === null) return '<td class="none">&ndash;</td>';
  // Green to red over four powers of ten.
  const hue = Math.round(130 - Math.min(130, Math.max(0, (Math.log10(ms + 0.1) + 1) * 32)));
  return `<td style="background:hsl(${hue} 60% 75%)">${ms.toFixed(2)}</td>`;
}
