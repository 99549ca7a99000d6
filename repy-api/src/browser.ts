export { ABSENT } from './absent.ts';
export * from './bundling.ts';
