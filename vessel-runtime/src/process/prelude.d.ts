/** The code inside the isolate, put in by the bundler of `../build.ts`. */
declare module 'potluck:prelude' {
  const source: string;
  // biome-ignore lint/style/noDefaultExport: the text loader of the bundler exports no other way.
  export default source;
}
