export * from './bundler.ts';
export * from './check.ts';
export * from './errors.ts';
export { excerptOf, type Place, placeIn } from './excerpt.ts';
export * from './ops.ts';
export * from './prelude.ts';
export * from './problem.ts';
export * from './types.ts';
export { checkWhole, type WholeCheck } from './typescript.ts';
