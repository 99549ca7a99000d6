// #region Files
// Each vessel has a flat directory of files, shared by what its users upload and what its programs write. A name is 1 to
// 120 of a-z, 0-9, `.`, `_` and `-`, and starts with neither `.` nor `private_`. Texts are stored as UTF-8, a `Uint8Array`
// as it is; `{ encoding: 'binary' }`, or `b` in a mode, reads as `Uint8Array`. All files together take at most `diskused`,
// 4096 bytes more for each; a program that would pass it is ended before it has written anything. Reading is charged to
// `fileread`, writing to `filewrite`: 4096 bytes for each block of 4096 that is touched; above the rate a call waits.

/** A file by its offsets, in bytes. What is called on it is carried out in that order, awaited or not. */
interface RepyFile<Data = string> {
  /**
   * Reads from `offset` on, at most `sizelimit` bytes; `null` is all that there are, up to 16 MiB. At the end of the file
   * it reads nothing. Half a character at either end of a text becomes U+FFFD: offsets are for those who count bytes.
   * @throws RepyArgumentError
   * @throws FileClosedError
   * @throws SeekPastEndOfFileError `offset` is beyond the end of the file
   * @throws ResourceExhaustedError there are more than 16 MiB, or the vessel may not read files
   * @charges `fileread`, 4096 for each block that it touches
   * @example
   * const file = await openfile('greeting.txt', true);
   * await file.writeat('hello world', 0);
   * log(await file.readat(5, 6), '\n'); // logs: world
   * log(await file.readat(null, 0), '\n'); // logs: hello world
   */
  readat(sizelimit: number | null, offset: number): Promise<Data>;
  /**
   * Writes up to 16 MiB over what is there, from `offset` on; at the end of the file it appends. A file is never made
   * shorter, and has no holes.
   * @throws RepyArgumentError
   * @throws FileClosedError
   * @throws SeekPastEndOfFileError `offset` is beyond the end of the file
   * @throws ResourceExhaustedError 32 MiB wait to be written already, or the vessel may not write files, or the node's
   * own disk is full
   * @charges `filewrite`, 4096 for each block that it touches; `diskused`, what it makes the file longer
   * @example
   * const file = await openfile('numbers', true, { encoding: 'binary' });
   * await file.writeat(Uint8Array.of(1, 2, 3), 0);
   * await file.writeat(Uint8Array.of(9), 1);
   * log(await file.readat(null, 0), '\n'); // logs: <1, 9, 3>
   */
  writeat(data: string | Uint8Array, offset: number): Promise<void>;
  /**
   * Closes it. What was called before is carried out first; nothing can be called after.
   * @returns when the file is free to be opened again
   * @throws FileClosedError it was closed before
   * @example
   * const file = await openfile('a.txt', true);
   * await file.close();
   * await removefile('a.txt');
   */
  close(): Promise<void>;
}

/**
 * Opens a file; with `create` it is made when it is not there. A file is open once at a time.
 * @throws RepyArgumentError
 * @throws FileInUseError it is open already
 * @throws ResourceExhaustedError no `filesopened` is left, or there are 1,000 files
 * @throws FileNotFoundError it is not there, and `create` is false
 * @charges 1 `filesopened` until it is closed; `fileread`, 4096; when it is made `filewrite` and `diskused`, 4096
 * @example
 * const file = await openfile('visits', true);
 * const visits = Number(await file.readat(null, 0)) + 1;
 * await file.writeat(String(visits), 0);
 * await file.close();
 */
declare function openfile(name: string, create: boolean, options: RepyBinary): Promise<RepyFile<Uint8Array>>;
declare function openfile(name: string, create: boolean, options?: RepyText): Promise<RepyFile>;

/**
 * The names of the vessel's files, in their order. Those that a user uploaded by another kind of name are there too.
 * @throws ResourceExhaustedError the vessel may not read files
 * @charges `fileread`, 4096
 * @example
 * for (const name of await listfiles()) log(name, '\n');
 */
declare function listfiles(): Promise<string[]>;
/**
 * The same as `listfiles`: the name of the first generation.
 * @example
 * log((await listdir()).length, 'files\n');
 */
declare function listdir(): Promise<string[]>;

/**
 * Removes a file that is not open.
 * @throws RepyArgumentError
 * @throws FileInUseError it is open
 * @throws FileNotFoundError
 * @charges `fileread`, 4096; when it was there `filewrite`, 4096
 * @example
 * await removefile('none.txt').catch((error) => log(error.code, '\n')); // logs: FILE_NOT_FOUND
 */
declare function removefile(name: string): Promise<void>;

/**
 * How `open` opens: `r` reads a file that is there; `w` makes it, or empties it, and writes; `a` makes it if need be, and
 * writes at its end. `+` is for both reading and writing, `b` for bytes instead of texts.
 */
type RepyMode = 'r' | 'w' | 'a' | 'r+' | 'w+' | 'a+';
type RepyBinaryMode = 'rb' | 'wb' | 'ab' | 'rb+' | 'wb+' | 'ab+' | 'r+b' | 'w+b' | 'a+b';

/**
 * A file with a position, as in Seattle's first generation; it can be iterated for its lines. What is called on it is
 * carried out in that order, awaited or not. Text is never cut within a character.
 */
interface RepyStream<Data = string> extends AsyncIterable<Data> {
  /**
   * Reads on, at most `size` bytes; without it, or below 0, all that there are, up to 16 MiB.
   * @returns nothing at the end of the file
   * @throws RepyArgumentError also when it was not opened for reading
   * @throws FileClosedError
   * @throws ResourceExhaustedError there are more than 16 MiB
   * @charges `fileread`, 4096 for each block that it touches
   * @example
   * const file = await open('notes.txt', 'w+');
   * await file.write('one two');
   * await file.seek(0);
   * log(await file.read(3), '\n'); // logs: one
   */
  read(size?: number): Promise<Data>;
  /**
   * Reads on to the end of a line, at most `size` bytes of it.
   * @returns the line with its `\n`; nothing at the end of the file
   * @throws RepyArgumentError also when it was not opened for reading
   * @throws FileClosedError
   * @charges `fileread`, 4096 for each block that is new to it
   * @example
   * const file = await open('notes.txt', 'w+');
   * await file.write('first\nsecond\n');
   * await file.seek(0);
   * log(await file.readline()); // logs: first
   */
  readline(size?: number): Promise<Data>;
  /**
   * Reads on to the end. `sizehint` is taken and not needed.
   * @returns all lines, each with its `\n`
   * @throws RepyArgumentError also when it was not opened for reading
   * @throws FileClosedError
   * @throws ResourceExhaustedError there are more than 16 MiB
   * @charges as `read`
   * @example
   * const file = await open('notes.txt', 'w+');
   * await file.writelines(['first\n', 'second\n']);
   * await file.seek(0);
   * log((await file.readlines()).length, '\n'); // logs: 2
   */
  readlines(sizehint?: number): Promise<Data[]>;
  /**
   * The next line, as `for await` takes them.
   * @throws RepyArgumentError it was not opened for reading
   * @throws FileClosedError
   * @charges as `readline`
   * @example
   * const file = await open('notes.txt', 'w+');
   * await file.write('first\nsecond\n');
   * await file.seek(0);
   * await file.next();
   * for await (const line of file) log(line); // logs: second
   */
  next(): Promise<IteratorResult<Data>>;
  /**
   * Goes to another position: `offset` bytes from the start, or with `whence` 1 from where it is, 2 from the end. Beyond
   * the end there is nothing to read, and nothing can be written.
   * @throws RepyArgumentError also when it would be before the start
   * @throws FileClosedError
   * @charges with `whence` 2 `fileread`, 4096
   * @example
   * const file = await open('notes.txt', 'w+');
   * await file.write('one two');
   * await file.seek(-3, 2);
   * log(await file.read(), '\n'); // logs: two
   */
  seek(offset: number, whence?: 0 | 1 | 2): Promise<void>;
  /**
   * Writes at the position, or with a mode of `a` at the end, up to 16 MiB; it is written when the promise resolves.
   * @throws RepyArgumentError also when it was not opened for writing
   * @throws FileClosedError
   * @throws SeekPastEndOfFileError the position is beyond the end of the file
   * @throws ResourceExhaustedError as `writeat`
   * @charges `filewrite`, 4096 for each block that it touches; `diskused`, what it makes the file longer
   * @example
   * const file = await open('log.txt', 'a');
   * await file.write('started\n');
   */
  write(data: string | Uint8Array): Promise<void>;
  /**
   * Writes them one after the other, with nothing in between and nothing added.
   * @throws RepyArgumentError also when it was not opened for writing
   * @throws FileClosedError
   * @throws SeekPastEndOfFileError the position is beyond the end of the file
   * @throws ResourceExhaustedError as `writeat`
   * @charges as `write` for all of them together
   * @example
   * const file = await open('list.txt', 'w');
   * await file.writelines(['first\n', 'second\n']);
   */
  writelines(lines: readonly (string | Uint8Array)[]): Promise<void>;
  /**
   * Waits until all that was written before is written. Nothing is held back without it.
   * @throws FileClosedError
   * @example
   * const file = await open('list.txt', 'w');
   * file.write('first\n');
   * await file.flush();
   */
  flush(): Promise<void>;
  /**
   * Closes it. What was called before is carried out first.
   * @returns when the file is free to be opened again
   * @throws FileClosedError it was closed before
   * @example
   * const file = await open('list.txt', 'w');
   * await file.close();
   */
  close(): Promise<void>;
  [Symbol.asyncIterator](): AsyncIterator<Data>;
}

/**
 * Opens a file as Seattle's first generation does. A file is open once at a time.
 * @throws RepyArgumentError
 * @throws FileInUseError it is open already
 * @throws ResourceExhaustedError as `openfile`
 * @throws FileNotFoundError it is not there, and the mode begins with `r`
 * @charges as `openfile`; `filewrite`, 4096, also when it is emptied
 * @example
 * const file = await open('lines.txt', 'w');
 * await file.write('hello\n');
 * await file.close();
 * for await (const line of await open('lines.txt')) log(line); // logs: hello
 */
declare function open(name: string, mode: RepyBinaryMode): Promise<RepyStream<Uint8Array>>;
declare function open(name: string, mode?: RepyMode): Promise<RepyStream>;
/**
 * The same as `open`.
 * @example
 * const notes = await file('notes.txt', 'a');
 * await notes.write('another line\n');
 */
declare function file(name: string, mode: RepyBinaryMode): Promise<RepyStream<Uint8Array>>;
declare function file(name: string, mode?: RepyMode): Promise<RepyStream>;
// #endregion
