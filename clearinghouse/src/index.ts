export { type CallOptions, Clearinghouse, type ClearinghouseInit, type ListName } from './client.ts';
export * from './errors.ts';
export { CLIENT_LIMITS } from './exchange.ts';
export { OPERATIONS, type Operations } from './operations.ts';
