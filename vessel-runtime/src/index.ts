export * from './build.ts';
export * from './codec.ts';
export * from './errors.ts';
export * from './frames.ts';
export * from './host/governor.ts';
export { OUTER_WALLS, type OuterWall, type SpawnOptions } from './host/launch.ts';
export * from './host/vessel-process.ts';
export * from './host/walls.ts';
