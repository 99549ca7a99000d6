// The floor of a page: express answers with as many bytes, which it has at hand. Usage: static-server.ts PORT BYTES...
import express from 'express';

const [, , port, ...sizes] = process.argv;
const app = express();
app.disable('x-powered-by');
for (const size of sizes) {
  const bytes = Buffer.alloc(Number(size), 'potluck ');
  app.get(`/${size}`, (_request, response) => void response.type('html').send(bytes));
}
app.listen(Number(port), '127.0.0.1', () => console.log('listening'));
