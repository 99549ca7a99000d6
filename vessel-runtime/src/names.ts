const MOST_LENGTH = 253;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;
/** Some systems take a text that ends so for an address. */
const NUMBER = /^(?:\d+|0x[0-9a-f]*)$/;

/** @returns a host name in its one spelling; undefined for what is none, as are texts that some systems take for addresses. */
export function hostName(text: string): string | undefined {
  if (text.length > MOST_LENGTH + 1) return undefined;
  const name = text.toLowerCase().replace(/\.$/, '');
  const labels = name.split('.');
  if (name.length > MOST_LENGTH || !labels.every((label) => LABEL.test(label))) return undefined;
  return NUMBER.test(labels.at(-1) ?? '') ? undefined : name;
}
