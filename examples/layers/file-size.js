// A security layer: no file grows beyond MOST bytes. What would make it longer is refused, before anything is written.
const MOST = 1000;
const encoder = new TextEncoder();

layer.wrap('openfile', async (name, create, options) => {
  const file = await openfile(name, create, options);
  return {
    readat: (sizelimit, offset) => file.readat(sizelimit, offset),
    writeat: (data, offset) => {
      // A character of a text may be several bytes.
      const bytes = typeof data === 'string' ? encoder.encode(data) : data;
      if (offset + bytes.length > MOST) {
        throw new ResourceExhaustedError(`expected a file of at most ${MOST} bytes, got ${offset + bytes.length}`);
      }
      return file.writeat(bytes, offset);
    },
    close: () => file.close(),
  };
});
