export * from './bundling.ts';
