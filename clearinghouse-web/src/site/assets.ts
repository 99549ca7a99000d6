import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Request, RequestHandler, Response } from 'express';

/** One style sheet is made of these, in this order; what only some pages need is a file of its own that they link. */
const STYLES = ['base', 'frame', 'forms', 'blocks', 'tables', 'home', 'portal', 'figures'];
const COMPRESSED = /\.(css|js|svg|json|map|txt|wasm)$/;
/** From here on, the last few percent would take seconds. */
const LARGE_BYTES = 4 * 1024 * 1024;
const COMPRESSORS = {
  br: async (bytes: Buffer) =>
    await promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: bytes.length > LARGE_BYTES ? 5 : 9 },
    }),
  gzip: async (bytes: Buffer) => await promisify(gzip)(bytes, { level: 9 }),
};
type Encoding = keyof typeof COMPRESSORS;

interface Asset {
  readonly bytes: Buffer;
  /** Of the bytes: another content has another address. */
  readonly version: string;
  /** Whether its name changes with its content, so that its address needs no version. */
  readonly isNamed?: boolean;
  /** The content security policy of what it runs in, if that is not a page. */
  readonly policy?: string | undefined;
  readonly compressed: Partial<Record<Encoding, Promise<Buffer>>>;
}

/** The files that pages load. They are read once, compressed when somebody first wants them so, and never changed. */
export class Assets {
  readonly #assets: Map<string, Asset>;
  readonly #made: Readonly<Record<string, () => Buffer>>;
  readonly #later = new Map<string, () => Promise<Buffer>>();
  readonly #making = new Map<string, Promise<Asset>>();

  /** @param made files that are not there but made, when somebody first wants them. */
  constructor(directory: string, made: Readonly<Record<string, () => Buffer>> = {}) {
    const names = readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
    const files = new Map(names.map((name) => [name, readFileSync(join(directory, name))]));
    const styles = STYLES.map((name) => files.get(`css/${name}.css`) ?? Buffer.alloc(0));
    files.set('potluck.css', Buffer.concat(styles));
    this.#assets = new Map([...files].map(([name, bytes]) => [name, assetOf(bytes)]));
    this.#made = made;
  }

  /** Its address in a page; a browser keeps what it got there for good. */
  url(name: string): string {
    const asset = this.#find(name);
    return asset === undefined ? `/assets/${name}` : `/assets/${name}?v=${asset.version}`;
  }

  /** A file that was made, under a name that changes with its content. @returns its address */
  add(name: string, bytes: Buffer, policy?: string): string {
    this.#assets.set(name, { ...assetOf(bytes), isNamed: true, policy });
    return `/assets/${name}`;
  }

  /** A file that takes long to make: that begins when somebody first asks for it. @param name changes with its content */
  later(name: string, make: () => Promise<Buffer>): string {
    this.#later.set(name, make);
    return `/assets/${name}`;
  }

  /** Answers for what is under its mount point; what it does not have is left to the next. */
  get handler(): RequestHandler {
    return async (request, response, next) => {
      if (!['GET', 'HEAD'].includes(request.method)) return next();
      const name = request.path.slice(1);
      const asset = this.#find(name) ?? (await this.#making.get(name)) ?? (await this.#make(name));
      if (asset === undefined) return next();
      await answer(request, response, { name: request.path, asset });
    };
  }

  async #make(name: string): Promise<Asset | undefined> {
    const make = this.#later.get(name);
    if (make === undefined) return undefined;
    const making = make().then((bytes) => ({ ...assetOf(bytes), isNamed: true }));
    this.#making.set(name, making);
    try {
      return await making;
    } catch (error) {
      this.#making.delete(name); // Whoever asks next begins anew.
      throw error;
    }
  }

  #find(name: string): Asset | undefined {
    const known = this.#assets.get(name);
    if (known !== undefined || !Object.hasOwn(this.#made, name)) return known;
    const made = assetOf(this.#made[name]?.() ?? Buffer.alloc(0));
    this.#assets.set(name, made);
    return made;
  }
}

async function answer(request: Request, response: Response, { name, asset }: { name: string; asset: Asset }) {
  const { version, bytes } = asset;
  const isNamed = asset.isNamed === true || request.query.v === version;
  response.type(extname(name)).vary('accept-encoding');
  response.set('etag', `"${version}"`);
  response.set('cache-control', isNamed ? 'public, max-age=31536000, immutable' : 'public, max-age=3600');
  if (asset.policy !== undefined) response.set('content-security-policy', asset.policy);
  if (request.fresh) return void response.status(304).end();
  const encoding = COMPRESSED.test(name) ? encodingFor(request) : undefined;
  if (encoding === undefined) return void response.send(bytes);
  asset.compressed[encoding] ??= COMPRESSORS[encoding](bytes);
  response.set('content-encoding', encoding).send(await asset.compressed[encoding]);
}

/** The smallest that the browser takes, whatever its order. */
function encodingFor(request: Request): Encoding | undefined {
  return (['br', 'gzip'] as const).find((encoding) => request.acceptsEncodings(encoding) === encoding);
}

function assetOf(bytes: Buffer): Asset {
  return { bytes, version: createHash('sha256').update(bytes).digest('base64url').slice(0, 12), compressed: {} };
}
