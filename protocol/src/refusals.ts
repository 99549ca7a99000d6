/** What a relay's refusals mean; it answers them in place of the WebSocket. */
export const RELAY_REFUSALS: Readonly<Record<number, string>> = {
  404: 'the node is not connected to it now',
  429: 'there are too many calls',
  503: 'it carries as much as it may',
  504: 'the node did not answer the call',
};
