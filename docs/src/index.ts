export * from './comments.ts';
export * from './declarations.ts';
export * from './errors.ts';
export * from './generated.ts';
