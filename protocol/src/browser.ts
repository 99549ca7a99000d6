export * from './errors.ts';
export * from './keys.ts';
export * from './limits.ts';
export * from './methods.ts';
export * from './pass.ts';
export { digest } from './platform/browser.ts';
export * from './request-client.ts';
export * from './resources.ts';
export * from './vessel.ts';
