export * from './cli.ts';
export * from './config.ts';
export * from './errors.ts';
export * from './limits.ts';
export * from './manager.ts';
export * from './paths.ts';
export * from './status.ts';
