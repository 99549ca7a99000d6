/** What `repy` allows when no file says otherwise: an author's own machine, where only mistakes must be held. */
export const DEFAULT_RESTRICTIONS = `
resource cpu 1
resource memory 268435456
resource diskused 104857600
resource events 500
resource filesopened 64
resource insockets 100
resource outsockets 100
resource filewrite 100000000
resource fileread 100000000
resource netsend 100000000
resource netrecv 100000000
resource loopsend 100000000
resource looprecv 100000000
resource lograte 1000000
resource random 1000000
${[12345, 43210, 54321, ...range(63100, 63199)]
  .map((port) => `resource messport ${port}\nresource connport ${port}`)
  .join('\n')}
`;

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
