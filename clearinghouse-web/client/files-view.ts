import { type FileName, fileNameSchema, LIMITS, type Result } from '@potluck/protocol';
import { byId, confirmed, make, offerFile, say, sentenceOf } from './dom.ts';
import { PageError } from './errors.ts';
import type { Nodes, VesselRef } from './nodes.ts';
import { bytesInWords } from './words.ts';

type FileInfo = Result<'ListFilesInVessel'>['files'][number];

export interface FilesInit {
  readonly nodes: Nodes;
  readonly vessel: VesselRef;
  /** Called with the names whenever they were looked at. */
  readonly onFiles: (names: readonly FileName[]) => void;
}

/** The files of a vessel: shown, uploaded, downloaded, deleted. */
export class FilesView {
  readonly #init: FilesInit;
  readonly #over = new AbortController();

  constructor(init: FilesInit) {
    this.#init = init;
    const upload = byId<HTMLInputElement>('upload');
    upload.addEventListener('change', () => void this.#uploadAll(upload), { signal: this.#over.signal });
    upload.disabled = false;
  }

  /** The page can do nothing with files any more. */
  end(): void {
    this.#over.abort();
    byId<HTMLInputElement>('upload').disabled = true;
    byId('files').replaceChildren();
  }

  async show(): Promise<void> {
    await this.#trying(async () => await this.#list());
  }

  async #list(): Promise<void> {
    const { nodes, vessel, onFiles } = this.#init;
    const { result } = await nodes.ask(vessel.node, 'ListFilesInVessel', { vessel: vessel.vessel });
    const rows = result.files.map((file) => this.#row(file));
    byId('files').replaceChildren(...rows);
    byId('no-files').hidden = rows.length > 0;
    byId('files-table').hidden = rows.length === 0;
    onFiles(result.files.map(({ name }) => name));
  }

  #row({ name, size }: FileInfo): HTMLTableRowElement {
    const download = make('button', {
      type: 'button',
      className: 'plain small',
      textContent: 'Download',
      ariaLabel: `Download ${name}`,
    });
    const remove = make('button', {
      type: 'button',
      className: 'plain small danger-text',
      textContent: 'Delete',
      ariaLabel: `Delete ${name}`,
    });
    download.addEventListener('click', () => void this.#trying(async () => await this.#download(name)));
    remove.addEventListener('click', () => void this.#trying(async () => await this.#delete(name)));
    return make(
      'tr',
      {},
      make('th', { scope: 'row' }, make('span', { className: 'mono', textContent: name })),
      make('td', { attributes: { 'data-label': 'Size' } }, bytesInWords(size)),
      make('td', { className: 'actions' }, download, remove),
    );
  }

  async #uploadAll(input: HTMLInputElement): Promise<void> {
    await this.#trying(async () => {
      try {
        for (const file of input.files ?? []) await this.#upload(file);
      } finally {
        input.value = '';
        await this.#list(); // Those before the one that was refused are there; why it was is said afterwards.
      }
    });
  }

  async #upload(file: File): Promise<void> {
    const { nodes, vessel } = this.#init;
    const name = fileNameSchema.safeParse(file.name);
    if (!name.success) {
      throw new PageError(
        'BAD_NAME',
        `${name.error.issues[0]?.message ?? 'expected another name'}, got "${file.name}"`,
      );
    }
    if (file.size > LIMITS.fileBytes) {
      throw new PageError(
        'TOO_LARGE',
        `expected a file of at most ${LIMITS.fileBytes} bytes, got ${file.size} in "${file.name}"`,
      );
    }
    const attachment = new Uint8Array(await file.arrayBuffer());
    await nodes.ask(vessel.node, 'AddFileToVessel', { vessel: vessel.vessel, name: name.data }, { attachment });
    say(byId('files-state'), `Uploaded ${name.data}.`);
  }

  async #download(name: FileName): Promise<void> {
    const { nodes, vessel } = this.#init;
    const { attachment } = await nodes.ask(vessel.node, 'RetrieveFileFromVessel', { vessel: vessel.vessel, name });
    offerFile(name, attachment as Uint8Array<ArrayBuffer>);
  }

  async #delete(name: FileName): Promise<void> {
    const { nodes, vessel } = this.#init;
    if (!(await confirmed(`Delete ${name} from the vessel?`, 'Delete'))) return;
    await nodes.ask(vessel.node, 'DeleteFileInVessel', { vessel: vessel.vessel, name });
    say(byId('files-state'), `Deleted ${name}.`);
    await this.#list();
  }

  async #trying(task: () => Promise<void>): Promise<void> {
    say(byId('files-trouble'), '');
    try {
      await task();
    } catch (error) {
      if (!this.#over.signal.aborted) say(byId('files-trouble'), sentenceOf(error));
    }
  }
}
