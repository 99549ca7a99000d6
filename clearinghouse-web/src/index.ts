export { Clearinghouse, type ClearinghouseInit } from './clearinghouse.ts';
export { PortalError, ServiceError, TaskError } from './errors.ts';
