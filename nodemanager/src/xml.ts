import sax from 'sax';

/** Of one element: the text of each child that holds text alone, by its name without a prefix. */
export type XmlElement = Readonly<Record<string, string>>;

/**
 * What routers say is flat: elements of a name, each with its values.
 * @returns all elements of that name, wherever they stand; what is not XML has none.
 */
export function xmlElements(text: string, name: string): XmlElement[] {
  const found: XmlElement[] = [];
  const open: { name: string; text: string; values: [string, string][] }[] = [];
  const parser = sax.parser(true, { trim: true });
  parser.onopentag = ({ name: tag }) => void open.push({ name: tag.replace(/^.*:/, ''), text: '', values: [] });
  const take = (more: string): void => {
    const top = open.at(-1);
    if (top !== undefined) top.text += more;
  };
  parser.ontext = take;
  parser.oncdata = take;
  parser.onclosetag = () => {
    const closed = open.pop();
    if (closed === undefined) return;
    if (closed.name === name) found.push(Object.fromEntries(closed.values));
    if (closed.values.length === 0) open.at(-1)?.values.push([closed.name, closed.text]);
  };
  try {
    parser.write(text).close();
  } catch {
    return [];
  }
  return found;
}
