export { Clearinghouse, type ClearinghouseInit } from './clearinghouse.ts';
export { PortalError, ServiceError, TaskError } from './errors.ts';
export { ROUTES } from './site/routes.ts';
