export * from './build.ts';
export * from './control.ts';
export * from './daemon.ts';
export * from './errors.ts';
export * from './install.ts';
export * from './layout.ts';
export * from './options.ts';
export * from './share.ts';
